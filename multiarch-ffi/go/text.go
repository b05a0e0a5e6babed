package multiarch

import (
	"reflect"
	"unicode/utf8"
)

// notUTF8 names the first text in a document that is not UTF-8, which JSON cannot hold: it would be changed, and
// name something else. Without one it is empty.
func notUTF8(place string, value reflect.Value) string {
	switch value.Kind() {
	case reflect.String:
		if !utf8.ValidString(value.String()) {
			return place
		}
	case reflect.Pointer:
		if !value.IsNil() {
			return notUTF8(place, value.Elem())
		}
	case reflect.Slice:
		for at := range value.Len() {
			if found := notUTF8(place, value.Index(at)); found != "" {
				return found
			}
		}
	case reflect.Struct:
		for at := range value.NumField() {
			if found := notUTF8(value.Type().Field(at).Name, value.Field(at)); found != "" {
				return found
			}
		}
	}
	return ""
}
