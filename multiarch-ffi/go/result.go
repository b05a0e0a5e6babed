package multiarch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// Result is what a call gave.
type Result[T any] struct {
	// The document.
	Value T
	// All that was asked for is there: the command would end with 0, and not with 1.
	Complete bool
	// The document as the library gave it, with what this package may not know.
	JSON json.RawMessage
}

func decoded[T any](out output) (*Result[T], error) {
	result := &Result[T]{Complete: out.complete, JSON: out.json}
	if len(out.json) == 0 {
		return result, nil
	}
	if err := json.Unmarshal(out.json, &result.Value); err != nil {
		return nil, fmt.Errorf("multiarch: the result has another form than this package knows: %w", err)
	}
	return result, nil
}

func value[T any](result *Result[T]) *T {
	if result == nil {
		return nil
	}
	return &result.Value
}

// reported turns a report that is not complete into an error, which stands beside the result.
func reported(ctx context.Context) func(*Result[types.Report], error) (*Result[types.Report], error) {
	return func(result *Result[types.Report], err error) (*Result[types.Report], error) {
		if err != nil || result.Complete {
			return result, err
		}
		incomplete := &IncompleteError{Cancelled: result.Value.Cancelled}
		for _, problem := range result.Value.Errors() {
			incomplete.Errors = append(incomplete.Errors, &Error{Problem: problem})
		}
		if incomplete.Cancelled {
			incomplete.cause = context.Cause(ctx)
		}
		return result, incomplete
	}
}
