package types

import "encoding/json"

// Origin is where an incoming image comes from: a package, or the target itself.
type Origin struct {
	// The package, by its position in the list; nil where it is the target.
	Package *int
}

type origin struct {
	Package int `json:"package"`
}

// MarshalJSON writes "target", or an object with the package.
func (o Origin) MarshalJSON() ([]byte, error) {
	if o.Package == nil {
		return json.Marshal("target")
	}
	return json.Marshal(origin{*o.Package})
}

// UnmarshalJSON reads that form.
func (o *Origin) UnmarshalJSON(data []byte) error {
	var word string
	if json.Unmarshal(data, &word) == nil {
		o.Package = nil
		return nil
	}
	var found origin
	err := json.Unmarshal(data, &found)
	o.Package = &found.Package
	return err
}
