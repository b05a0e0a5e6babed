package multiarch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// engine makes calls: the C library, or the command.
type engine interface {
	// call returns what the function gave, or an *Error. Nothing of it goes on once it has returned.
	call(ctx context.Context, function string, in input, progress func(types.Progress)) (output, error)
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

// gives is the schema of what each function gives; options-check gives nothing.
var gives = map[string]string{
	"capabilities": "multiarch.capabilities/v1", "config": "multiarch.options/v1",
	"inspect": "multiarch.inspections/v1", "status": "multiarch.status/v1",
	"plan": "multiarch.plan/v2", "verify": "multiarch.plan/v2",
	"import": "multiarch.report/v1", "apply": "multiarch.report/v1",
}

// writes is true for the functions that write to a target.
func writes(function string) bool { return function == "import" || function == "apply" }

// asks is true for the functions that open packages or ask servers.
func asks(function string) bool {
	return function != "capabilities" && function != "config" && function != "options-check"
}

// check fails where the output is no document of the function.
func (o output) check(function string) error {
	want := gives[function]
	if want == "" && len(o.json) == 0 {
		return nil
	}
	var form struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(o.json, &form); err != nil || form.Schema != want {
		// The document itself may hold logins.
		message := fmt.Sprintf("the answer to %s has the schema %q, and not %s, which this package knows", function, form.Schema, want)
		return made(ErrUnsupported, message)
	}
	return nil
}
