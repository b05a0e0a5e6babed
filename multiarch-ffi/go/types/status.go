package types

// Status is what a target holds.
type Status struct {
	Schema string `json:"schema"`
	// The target.
	Target string `json:"target"`
	// The tags.
	Tags []Tag `json:"tags"`
	// The charts of the packages that were named.
	Charts []ChartStatus `json:"charts,omitempty"`
	// Errors that belong to no tag.
	Problems []Problem `json:"problems,omitempty"`
}

// Tag is a tag and its platforms.
type Tag struct {
	// Repository and tag.
	Name string `json:"name"`
	// What it holds; empty where it is not there.
	Digest string `json:"digest,omitempty"`
	// Its platforms.
	Platforms []TagPlatform `json:"platforms"`
	// Why it could not be read.
	Error *Problem `json:"error,omitempty"`
}

// TagPlatform is the image of one platform.
type TagPlatform struct {
	// The platform in normal form, such as linux/arm64.
	Platform string `json:"platform"`
	// Its manifest.
	Digest string `json:"digest"`
	// It is listed, and the target does not have it.
	Missing bool `json:"missing,omitempty"`
}

// ChartStatus is a chart, and the platforms that its images have.
type ChartStatus struct {
	// As name-version.
	Chart string `json:"chart"`
	// Platforms that every image has.
	AllImagesFor []string `json:"all_images_for"`
	// Platforms that only some images have, with the names of those that lack them.
	SomeImagesFor map[string][]string `json:"some_images_for"`
	// Names that the target does not have.
	Missing []string `json:"missing,omitempty"`
}
