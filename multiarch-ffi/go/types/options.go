package types

// Options is what every call takes. A member that the library does not know is refused.
type Options struct {
	// Name and version of this form; may be empty.
	Schema string `json:"schema,omitempty"`
	// Paths of packages, in any order; best absolute.
	Packages []string `json:"packages,omitempty"`
	// Where images go: oci:DIR, docker://host[:port][/path], http(s)://… or host[:port][/path].
	Target string `json:"target,omitempty"`
	// Where charts go: dir:DIR, oci://…, http(s)://…, or FOLDER=ADDRESS for one folder of the packages.
	// Without it charts are not uploaded.
	ChartsTo TextList `json:"charts_to,omitempty"`
	// The login for images; nil looks for one in the environment and in docker's and podman's files.
	Credentials *Login `json:"credentials,omitempty"`
	// The login for charts.
	ChartCredentials *Login `json:"chart_credentials,omitempty"`
	// The folder for indexes of packages, so that the next run need not read them again. Without it none are
	// kept.
	Cache string `json:"cache,omitempty"`
	// Inspect also looks for the architecture of the programs in all images.
	ReadPrograms bool `json:"read_programs,omitempty"`
	// The options of an import.
	Options ImportOptions `json:"options"`
}

// ImportOptions has the options of an import; each has the name of the command's flag.
type ImportOptions struct {
	PlanOptions
	// Files with certificates, in PEM, that are trusted, too.
	CAFiles []string `json:"ca-files,omitempty"`
	// Hosts whose certificate is not verified and that may use plain HTTP; with a port only there.
	InsecureHosts []string `json:"insecure-hosts,omitempty"`
	// A file with the certificate, in PEM, that is shown to servers that ask for one.
	ClientCertificate string `json:"client-certificate,omitempty"`
	// The file with its key, in PEM.
	ClientKey string `json:"client-key,omitempty"`
	// The file with logins, in the form of docker's config.json.
	AuthFile string `json:"auth-file,omitempty"`
	// The most bytes of blobs that are sent in a second.
	LimitRate int64 `json:"limit-rate,omitempty"`
	// The most requests at once to one server, by default 16.
	Jobs int `json:"jobs,omitempty"`
}

// PlanOptions has those that decide what an import does, and that a plan holds.
type PlanOptions struct {
	// How images are named in the target.
	Names *Names `json:"names,omitempty"`
	// Where the cluster pulls images from, to which charts are relocated: host, port, path. By default the
	// target's own address.
	Registry string `json:"registry,omitempty"`
	// Replace charts of the same name and version in the chart repository.
	OverwriteCharts bool `json:"overwrite-charts,omitempty"`
	// Also relocate values that name an image of the package although no hint says so.
	RewriteUnhinted bool `json:"rewrite-unhinted,omitempty"`
	// Import the images of a chart that cannot be relocated, too.
	ImagesOfBlockedCharts bool `json:"images-of-blocked-charts,omitempty"`
	// Render each relocated chart with Helm, and leave it out where it names an image that is not in the
	// target.
	Render bool `json:"render,omitempty"`
	// The helm to render with; by default the first in the PATH.
	Helm string `json:"helm,omitempty"`
	// How images are fused into the target's tags.
	Fuse *Fuse `json:"fuse,omitempty"`
	// Names for images that their file does not name: a reference, or FILE=REFERENCE.
	ImageNames []string `json:"image-names,omitempty"`
	// Which charts, images and platforms of the packages are meant; nil for all.
	Select *Selection `json:"select,omitempty"`
	// Ask for every layer of the images that the target's tags list already, and send what is missing.
	Verify bool `json:"verify,omitempty"`
	// Give each manifest of an imported index a tag of its own.
	KeepChildrenTagged bool `json:"keep-children-tagged,omitempty"`
	// Create the projects that the images need and the registry does not have, where it has projects.
	CreateProjects bool `json:"create-projects,omitempty"`
	// Let everyone pull from the projects that are created.
	PublicProjects bool `json:"public-projects,omitempty"`
	// Begin also where the target has not enough room, or takes no writes at the moment.
	Anyway bool `json:"anyway,omitempty"`
}

// Selection says which charts, images and platforms are meant, by globs, of which those with ! in front leave out
// what they fit. An empty list means all.
type Selection struct {
	// By the chart's name, or name-version.
	Charts []string `json:"charts,omitempty"`
	// By the image's reference: as a whole, without its tag, or without its registry.
	Images []string `json:"images,omitempty"`
	// As os/architecture, os/architecture/variant or the architecture alone.
	Platforms []string `json:"platforms,omitempty"`
	// By the folder of the package that a chart is in.
	Folders []string `json:"folders,omitempty"`
}

// LeftOut is something that a package holds and that the selection leaves out.
type LeftOut struct {
	// The package.
	Package string `json:"package"`
	// The chart, as name-version, or that of the image.
	Chart string `json:"chart,omitempty"`
	// The image; empty where the whole chart is left out.
	Image string `json:"image,omitempty"`
	// The platforms of the image that are left out; empty where all of it is.
	Platforms []string `json:"platforms,omitempty"`
}

// Names says how images are named in the target.
type Names struct {
	// registry, repository, prefix-repository, prefix-registry or append-origin.
	Mode string `json:"mode"`
	// The path for repository and prefix-repository.
	Repository string `json:"repository,omitempty"`
}

// Fuse says how images are fused into the target's tags.
type Fuse struct {
	// What happens where there are two images for one platform: incoming, existing or fail.
	OnConflict string `json:"on-conflict,omitempty"`
	// When a tag holds an index: when-needed or always.
	Index string `json:"index,omitempty"`
}
