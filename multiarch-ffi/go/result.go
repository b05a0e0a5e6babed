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

// incomplete is the error of a report that is not complete, which stands beside the result.
func incomplete(ctx context.Context, report *types.Report) *IncompleteError {
	found := &IncompleteError{Cancelled: report.Cancelled}
	for _, problem := range report.Errors() {
		found.Errors = append(found.Errors, &Error{Problem: problem})
	}
	if found.Cancelled {
		found.causes = causes(ctx)
	}
	return found
}
