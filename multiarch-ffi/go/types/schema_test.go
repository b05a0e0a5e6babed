package types_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

type schema struct {
	Reference  string            `json:"$ref"`
	Type       any               `json:"type"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	Additional json.RawMessage   `json:"additionalProperties"`
	AnyOf      []schema          `json:"anyOf"`
	Const      any               `json:"const"`
	Enum       []any             `json:"enum"`
	Defs       map[string]schema `json:"$defs"`
}

// TestSchemas compares each type with its schema: the same members, of the same kind, and none that an empty
// value would add to a document in which the schema does not demand it.
func TestSchemas(t *testing.T) {
	for name, document := range map[string]any{
		"options": types.Options{}, "report": types.Report{}, "plan": types.Plan{}, "status": types.Status{},
		"inspections": types.Inspections{}, "progress": types.Progress{}, "error": types.Failure{},
		"capabilities": types.Capabilities{},
	} {
		text, err := os.ReadFile("../../schemas/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var whole schema
		if err := json.Unmarshal(text, &whole); err != nil {
			t.Fatal(err)
		}
		comparison{t, whole.Defs}.compare(name, whole, reflect.TypeOf(document))
	}
}

type comparison struct {
	t    *testing.T
	defs map[string]schema
}

func (c comparison) compare(place string, s schema, kind reflect.Type) {
	if s.Reference != "" {
		s = c.defs[strings.TrimPrefix(s.Reference, "#/$defs/")]
	}
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	// Forms that Go has no words for are read by code, which has tests of its own.
	if kind.Implements(reflect.TypeFor[json.Marshaler]()) || kind == reflect.TypeFor[types.TextList]() {
		return
	}
	found := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
		reflect.Uint64: "integer", reflect.Slice: "array", reflect.Struct: "object", reflect.Map: "object",
	}[kind.Kind()]
	if want := c.kind(s); want != found {
		c.t.Errorf("%s: %s in the schema, %s in Go", place, want, found)
		return
	}
	switch kind.Kind() {
	case reflect.Slice:
		c.compare(place+"[]", *s.Items, kind.Elem())
	case reflect.Map:
		var values schema
		if err := json.Unmarshal(s.Additional, &values); err != nil {
			c.t.Errorf("%s: %v", place, err)
			return
		}
		c.compare(place+"{}", values, kind.Elem())
	case reflect.Struct:
		c.members(place, s, kind)
	}
}

func (c comparison) kind(s schema) string {
	switch named := s.Type.(type) {
	case string:
		return named
	case []any:
		return named[0].(string)
	}
	return "string"
}

func (c comparison) members(place string, s schema, kind reflect.Type) {
	members := map[string]bool{}
	for _, field := range reflect.VisibleFields(kind) {
		if field.Anonymous {
			continue
		}
		name, how, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		members[name] = true
		property, known := s.Properties[name]
		if !known {
			c.t.Errorf("%s.%s is not in the schema", place, name)
			continue
		}
		nullable := field.Type.Kind() == reflect.Pointer && len(s.Required) > 0 && slices.Contains(s.Required, name)
		if must := slices.Contains(s.Required, name); must == (how == "omitempty") && name != "schema" && name != "options" && !nullable {
			c.t.Errorf("%s.%s: required is %v in the schema, the tag is %q", place, name, must, how)
		}
		c.compare(place+"."+name, property, field.Type)
	}
	for name := range s.Properties {
		if !members[name] {
			c.t.Errorf("%s.%s is not in Go", place, name)
		}
	}
}

func TestForms(t *testing.T) {
	for _, text := range []string{
		`{"target":"oci:a","credentials":"none","options":{}}`,
		`{"charts_to":["dir:a","b=dir:c"],"credentials":{"password":"p","username":"u"},"options":{"jobs":3}}`,
		`{"credentials":{"identity_token":"t"},"chart_credentials":{"access_token":"t"},"options":{"fuse":{"index":"always"}}}`,
	} {
		var options types.Options
		if err := json.Unmarshal([]byte(text), &options); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(options)
		if err != nil || string(again) != text {
			t.Errorf("%s became %s, %v", text, again, err)
		}
	}
	for _, text := range []string{`"target"`, `{"package":0}`} {
		var origin types.Origin
		if err := json.Unmarshal([]byte(text), &origin); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(origin); err != nil || string(again) != text {
			t.Errorf("%s became %s, %v", text, again, err)
		}
	}
	for _, wrong := range []string{`"hush"`, `["hush"]`, `{"username":["hush"]}`} {
		var login types.Login
		if err := json.Unmarshal([]byte(wrong), &login); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
