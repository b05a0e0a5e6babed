package types

// Report is what an import did.
type Report struct {
	Schema string `json:"schema"`
	// The target.
	Target string `json:"target"`
	// The chart repositories.
	ChartsTo string `json:"charts_to,omitempty"`
	// Paths of the packages.
	Packages []string `json:"packages"`
	// The charts, and entries for images that belong to no chart.
	Charts []Chart `json:"charts"`
	// Every name in the target that the import concerned.
	Images []Image `json:"images"`
	// What is worth knowing, and no error.
	Findings []Finding `json:"findings"`
	// What the packages hold and the selection leaves out.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// Errors that belong to no chart.
	Problems []Problem `json:"problems"`
	// Bytes of blobs that were sent.
	BytesSent uint64 `json:"bytes_sent"`
	// Blobs that were sent.
	BlobsSent uint64 `json:"blobs_sent"`
	// Blobs that were mounted from another repository.
	BlobsMounted uint64 `json:"blobs_mounted"`
	// Tags that were written.
	TagsWritten uint64 `json:"tags_written"`
	// The file with the snapshot by which the import can be taken back, where one was kept.
	Snapshot string `json:"snapshot,omitempty"`
	// The run was stopped before its end.
	Cancelled bool `json:"cancelled"`
	// Everything that was asked for is in the target.
	Complete bool `json:"complete"`
}

// Errors are all errors of the report: of charts, of images, and those that belong to neither.
func (r *Report) Errors() []Problem {
	var all []Problem
	for _, chart := range r.Charts {
		all = append(all, chart.Problems...)
	}
	for _, image := range r.Images {
		if image.Error != nil {
			all = append(all, *image.Error)
		}
	}
	return append(all, r.Problems...)
}

// Chart is a chart of a report, or an entry for images that belong to no chart.
type Chart struct {
	// As name-version; empty where there is no chart.
	Chart string `json:"chart,omitempty"`
	// The folder of the package.
	Folder string `json:"folder,omitempty"`
	// The bundles it comes from.
	Bundles []string `json:"bundles"`
	// The names of its images.
	Images []string `json:"images"`
	// What happened to the chart itself: uploaded, replaced, present, kept or not-uploaded.
	Upload string `json:"upload,omitempty"`
	// How many hints name its images.
	Hints uint64 `json:"hints,omitempty"`
	// How many images Helm renders from it.
	RenderedImages uint64 `json:"rendered_images,omitempty"`
	// Platforms that every image has.
	AllImagesFor []string `json:"all_images_for"`
	// Platforms that only some images have, with the names of those that lack them.
	SomeImagesFor map[string][]string `json:"some_images_for"`
	// The chart and all of its images are in place.
	Complete bool `json:"complete"`
	// Errors that kept it from being imported.
	Problems []Problem `json:"problems"`
}

// Image is a name in the target, and what an import did to it.
type Image struct {
	// Repository and tag.
	Name string `json:"name"`
	// The references it had in the packages.
	References []string `json:"references"`
	// What the tag held before.
	Before string `json:"before,omitempty"`
	// What the tag holds now.
	After string `json:"after,omitempty"`
	// What happened to the tag: written, unchanged, restored, failed or not-reached.
	State string `json:"state"`
	// One per incoming platform.
	Decisions []Decision `json:"decisions"`
	// The platforms that the tag held when it was planned last.
	Platforms []string `json:"platforms"`
	// Why it failed.
	Error *Problem `json:"error,omitempty"`
}

// Decision is what becomes of an incoming image.
type Decision struct {
	// Where it comes from.
	Origin Origin `json:"origin"`
	// The platform in normal form, such as linux/arm64.
	Platform string `json:"platform"`
	// The incoming manifest.
	Digest string `json:"digest"`
	// What becomes of it: added, present, restored, same, replaced or kept.
	Outcome string `json:"outcome"`
	// The manifest that stays.
	Kept string `json:"kept,omitempty"`
	// The replaced manifests.
	From []string `json:"from,omitempty"`
	// Why the other one stays.
	Because string `json:"because,omitempty"`
}
