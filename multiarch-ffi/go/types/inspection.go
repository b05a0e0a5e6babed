package types

// Inspections is what packages hold.
type Inspections struct {
	Schema string `json:"schema"`
	// The packages that could be opened.
	Packages []Inspection `json:"packages"`
	// Why others could not.
	Problems []Problem `json:"problems"`
}

// Inspection is what one package holds.
type Inspection struct {
	Schema string `json:"schema"`
	// Its path.
	Package string `json:"package"`
	// What the file's name says.
	Name PackageName `json:"name"`
	// By what a saved plan recognises it.
	Identity Identity `json:"identity"`
	// The bundles.
	Bundles []Bundle `json:"bundles"`
	// The images that belong to no chart.
	Images []PackageImage `json:"images"`
	// What is worth knowing, and no error.
	Findings []Finding `json:"findings"`
	// What the packages hold and the selection leaves out.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// Errors that belong to no bundle.
	Problems []Problem `json:"problems"`
	// Bytes of all blobs, each counted once.
	DistinctBytes uint64 `json:"distinct_bytes"`
	// Number of distinct blobs.
	DistinctBlobs uint64 `json:"distinct_blobs"`
}

// PackageName is what the name of a package's file says.
type PackageName struct {
	// The name without version and architecture.
	Stem string `json:"stem"`
	// The version.
	Version string `json:"version,omitempty"`
	// The architecture, as Go spells it.
	Architecture string `json:"architecture,omitempty"`
}

// Bundle is a chart with its images, inside a package.
type Bundle struct {
	// Path inside the package.
	Path string `json:"path"`
	// The chart, as name-version.
	Chart string `json:"chart"`
	// The hints.
	Hints []string `json:"hints"`
	// The images.
	Images []PackageImage `json:"images"`
	// Errors that keep it from being imported.
	Problems []Problem `json:"problems"`
}

// PackageImage is an image inside a package.
type PackageImage struct {
	// The references.
	References []string `json:"references"`
	// The digest.
	Digest string `json:"digest"`
	// The platforms, from the configs.
	Platforms []string `json:"platforms"`
	// The architecture of the programs in it, by manifest, where it was looked for.
	Programs map[string]string `json:"programs,omitempty"`
	// Bytes of its distinct blobs.
	Bytes uint64 `json:"bytes"`
}
