package types

import "encoding/json"

// Finding is what is worth knowing, and no error. Which members are set depends on Finding; docs/charts.md
// and docs/formats.md say what each means.
type Finding struct {
	// What was found; a newer library may report more.
	Finding        string   `json:"finding"`
	Package        string   `json:"package,omitempty"`
	Image          string   `json:"image,omitempty"`
	Declared       string   `json:"declared,omitempty"`
	Actual         string   `json:"actual,omitempty"`
	Programs       string   `json:"programs,omitempty"`
	ImportedAs     string   `json:"imported_as,omitempty"`
	Stated         string   `json:"stated,omitempty"`
	Config         string   `json:"config,omitempty"`
	Platform       string   `json:"platform,omitempty"`
	What           string   `json:"what,omitempty"`
	InsteadOf      string   `json:"instead_of,omitempty"`
	Because        string   `json:"because,omitempty"`
	Chart          string   `json:"chart,omitempty"`
	Value          string   `json:"value,omitempty"`
	Rule           string   `json:"rule,omitempty"`
	Reference      string   `json:"reference,omitempty"`
	Folder         string   `json:"folder,omitempty"`
	Path           string   `json:"path,omitempty"`
	Target         string   `json:"target,omitempty"`
	Absent         []string `json:"absent,omitempty"`
	Platforms      []string `json:"platforms,omitempty"`
	From           []string `json:"from,omitempty"`
	Charts         []string `json:"charts,omitempty"`
	Known          []string `json:"known,omitempty"`
	Values         []string `json:"values,omitempty"`
	Different      []string `json:"different,omitempty"`
	Dangling       []string `json:"dangling,omitempty"`
	By             TextList `json:"by,omitempty"`
	Names          *Names   `json:"names,omitempty"`
	Emptied        bool     `json:"emptied,omitempty"`
	Rewritten      bool     `json:"rewritten,omitempty"`
	CanBeRewritten bool     `json:"can_be_rewritten,omitempty"`
	// The finding as the library gave it, with what a newer one may have added.
	JSON json.RawMessage `json:"-"`
}

// UnmarshalJSON also keeps the text.
func (f *Finding) UnmarshalJSON(data []byte) error {
	type plain Finding
	f.JSON = append(json.RawMessage(nil), data...)
	return json.Unmarshal(data, (*plain)(f))
}
