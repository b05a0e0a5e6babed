package multiarch

import (
	"context"
	"encoding/json"
)

// engine makes calls: the C library, or the command.
type engine interface {
	// call returns what the function gave, or an *Error. Nothing of it goes on once it has returned.
	call(ctx context.Context, function string, in input, progress func([]byte)) (output, error)
}

// input is what goes into a call.
type input struct {
	Options json.RawMessage `json:"options,omitempty"`
	// For apply.
	Plan json.RawMessage `json:"plan,omitempty"`
	// For config: the content of clusterConfig.yaml.
	Text string `json:"text,omitempty"`
}

// output is what a call gave.
type output struct {
	json     []byte
	complete bool
}

// guard calls the host's function, and remembers what it panicked with: a panic must not leave a goroutine that
// the caller cannot see, nor cross the border to C.
type guard struct {
	progress func([]byte)
	panicked any
}

// tell returns false where the call is to be cancelled.
func (g *guard) tell(event []byte) (goOn bool) {
	if g.panicked != nil {
		return false
	}
	defer func() {
		if caught := recover(); caught != nil {
			g.panicked, goOn = caught, false
		}
	}()
	g.progress(event)
	return true
}

// end panics in the caller's goroutine with what was caught.
func (g *guard) end() {
	if g.panicked != nil {
		panic(g.panicked)
	}
}
