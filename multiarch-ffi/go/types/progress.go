package types

// Progress is the progress of a run at one moment.
type Progress struct {
	Schema string `json:"schema"`
	// What it is doing: starting, reading, asking or sending.
	Phase string `json:"phase"`
	// Bytes read or sent in this phase.
	Bytes uint64 `json:"bytes"`
	// Bytes to read or send in this phase.
	BytesTotal uint64 `json:"bytes_total"`
	// Bytes a second in the last 15 seconds.
	BytesPerSecond uint64 `json:"bytes_per_second"`
	// Seconds left in this phase, by that rate; nil where it is not known.
	SecondsLeft *uint64 `json:"seconds_left"`
	// Requests that the target has answered in this phase.
	Answers uint64 `json:"answers"`
	// Requests that go to the target in this phase, as far as they are known.
	AnswersTotal uint64 `json:"answers_total"`
	// Images done.
	Images uint64 `json:"images"`
	// Images to do.
	ImagesTotal uint64 `json:"images_total"`
	// Images that failed; they count as done.
	ImagesFailed uint64 `json:"images_failed"`
	// Charts done.
	Charts uint64 `json:"charts"`
	// Charts to do.
	ChartsTotal uint64 `json:"charts_total"`
	// What the run waits for, while nothing moves; nil where it does not.
	WaitingFor *string `json:"waiting_for"`
	// The names of the images that failed since the last event.
	Failed []string `json:"failed"`
	// Lines for a log.
	Log []string `json:"log,omitempty"`
}
