package types

// Problem is an error inside a document. As a Go error it is a *multiarch.Error.
type Problem struct {
	// What went wrong; a newer library may report more kinds.
	Kind string `json:"kind"`
	// What happened, with its causes.
	Message string `json:"message"`
	// The package, as it was named.
	Package string `json:"package,omitempty"`
	// The bundle inside the package.
	Bundle string `json:"bundle,omitempty"`
	// The image reference.
	Image string `json:"image,omitempty"`
	// The digest of the blob or document.
	Digest string `json:"digest,omitempty"`
	// The server.
	Host string `json:"host,omitempty"`
	// The request, as method and path.
	Request string `json:"request,omitempty"`
	// The file, or the path inside an archive.
	Path string `json:"path,omitempty"`
}

// Failure is the document of a call that has no result.
type Failure struct {
	Schema string `json:"schema"`
	// Why there is none.
	Error Problem `json:"error"`
}
