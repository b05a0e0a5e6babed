package types

import "encoding/json"

// Plan is what an import will send, write and keep.
type Plan struct {
	Schema string `json:"schema"`
	// The target.
	Target string `json:"target"`
	// The target is a store of a program's own.
	OwnStore bool `json:"own_store,omitempty"`
	// The chart repositories.
	ChartsTo string `json:"charts_to,omitempty"`
	// The options that decide the result.
	Options PlanOptions `json:"options"`
	// The packages.
	Packages []Identity `json:"packages"`
	// The charts, and entries for images that belong to no chart.
	Charts []PlannedChart `json:"charts"`
	// Every name in the target that the import concerns.
	Images []PlannedImage `json:"images"`
	// What is worth knowing, and no error.
	Findings []Finding `json:"findings"`
	// What the packages hold and the selection leaves out.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// Errors that belong to no chart.
	Problems []Problem `json:"problems"`
	// The projects that will be created.
	Projects []string `json:"projects,omitempty"`
	// What was checked.
	Checks []Check `json:"checks"`
	// The plan has everything that was asked for.
	Complete bool `json:"complete"`
	// Bytes of distinct blobs that will be sent.
	BytesToSend uint64 `json:"bytes_to_send"`
	// Bytes that some repository of the target has already.
	BytesPresent uint64 `json:"bytes_present"`
	// An estimate.
	Cost Cost `json:"cost"`
}

// Check is one thing that was checked before an import.
type Check struct {
	// What was checked: target, projects, push-right, tags, quota, space, charts or garbage-collection.
	Subject string `json:"subject"`
	// How it is: ok, to-do, unknown, problem or ignored.
	Result string `json:"result"`
	// The facts, in words.
	Says string `json:"says"`
}

// Identity is by what a saved plan recognises a package.
type Identity struct {
	// Its path.
	Path string `json:"path"`
	// Its size in bytes.
	Size uint64 `json:"size,omitempty"`
	// When it was modified, in nanoseconds since 1970.
	Modified uint64 `json:"modified,omitempty"`
	// The digest of what a directory holds.
	Listing string `json:"listing,omitempty"`
}

// PlannedChart is a chart of a plan, or an entry for images that belong to no chart.
type PlannedChart struct {
	// As name-version; empty where there is no chart.
	Chart string `json:"chart,omitempty"`
	// The folder of the package.
	Folder string `json:"folder,omitempty"`
	// The bundles it comes from.
	Bundles []string `json:"bundles"`
	// The names of its images.
	Images []string `json:"images"`
	// What will happen to the chart itself; nil where it is not uploaded.
	Upload *Upload `json:"upload,omitempty"`
	// Errors that keep it from being imported.
	Problems []Problem `json:"problems"`
}

// Upload is what will happen to a chart.
type Upload struct {
	// The name of its file.
	File string `json:"file"`
	// What is done: upload, replace, present or keep.
	Action string `json:"action"`
	// The digest of the file.
	Digest string `json:"digest"`
	// Its size in bytes.
	Size uint64 `json:"size"`
	// How many hints name its images.
	Hints uint64 `json:"hints"`
	// How many images Helm renders from it.
	RenderedImages uint64 `json:"rendered_images,omitempty"`
}

// PlannedImage is a name in the target, and what an import will do to it.
type PlannedImage struct {
	// Repository and tag.
	Name string `json:"name"`
	// The references it had in the packages.
	References []string `json:"references"`
	// What the tag holds now.
	Before string `json:"before,omitempty"`
	// What the tag will hold; empty where nothing changes.
	After string `json:"after,omitempty"`
	// One per incoming platform.
	Decisions []Decision `json:"decisions"`
	// The platforms that the tag will hold.
	Platforms []string `json:"platforms"`
	// What is sent; its form is not promised.
	Pushes json.RawMessage `json:"pushes"`
	// Bytes of its blobs that the repository lacks.
	BytesToSend uint64 `json:"bytes_to_send"`
	// What was to be brought and is nowhere as a whole.
	Lost []Problem `json:"lost,omitempty"`
	// Why it cannot be imported.
	Error *Problem `json:"error,omitempty"`
}

// Cost is an estimate of what applying a plan costs.
type Cost struct {
	// Bytes that go to the target.
	BytesToSend uint64 `json:"bytes_to_send"`
	// Requests to a registry.
	Requests uint64 `json:"requests"`
	// Bytes of packages that are read again, at most.
	BytesToRead uint64 `json:"bytes_to_read"`
	// Bytes by which a target on disk grows.
	DiskBytes uint64 `json:"disk_bytes"`
}
