package types

import "encoding/json"

// TextList is a list of texts, which in JSON may also be one text.
type TextList []string

// UnmarshalJSON reads a text or a list of texts.
func (l *TextList) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*l = TextList{one}
		return nil
	}
	var more []string
	if err := json.Unmarshal(data, &more); err != nil {
		return err
	}
	*l = more
	return nil
}
