package types

// Capabilities is what the library can do.
type Capabilities struct {
	Schema string `json:"schema"`
	// The library's version.
	Version string `json:"version"`
	// The version of the binary interface; 0 where the command is called.
	ABIVersion int `json:"abi_version,omitempty"`
	// What this build of the library has.
	Features []string `json:"features"`
	// The formats of packages that are read.
	Formats []string `json:"formats"`
	// The schemes of targets.
	Targets []string `json:"targets"`
	// The kinds of chart repositories.
	ChartRepositories []string `json:"chart_repositories"`
	// The schema of each document, by the name of its function or kind.
	Schemas map[string]string `json:"schemas"`
	// The code in C of each kind of error; empty where the command is called.
	ErrorCodes map[string]int `json:"error_codes,omitempty"`
}
