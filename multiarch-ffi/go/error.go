package multiarch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// Kind is what went wrong. Kinds are errors, so that errors.Is finds them. A newer library may report kinds
// that are not listed here.
type Kind string

// The kinds; docs/errors.md says of each what it means and what to do next.
const (
	ErrPanic             Kind = "panic" // a fault of the library itself; what the call did is not known
	ErrUsage             Kind = "usage"
	ErrIO                Kind = "io"
	ErrNotAPackage       Kind = "not-a-package"
	ErrTruncated         Kind = "truncated"
	ErrMalformed         Kind = "malformed"
	ErrTooLarge          Kind = "too-large"
	ErrUnsafePath        Kind = "unsafe-path"
	ErrMissing           Kind = "missing"
	ErrDigestMismatch    Kind = "digest-mismatch"
	ErrUnsupported       Kind = "unsupported"
	ErrUnreadableTag     Kind = "unreadable-tag"
	ErrConflict          Kind = "conflict"
	ErrChartConflict     Kind = "chart-conflict"
	ErrNoChartRepository Kind = "no-chart-repository"
	ErrNameClash         Kind = "name-clash"
	ErrHint              Kind = "hint"
	ErrUnnamed           Kind = "unnamed"
	ErrPlanOutdated      Kind = "plan-outdated"
	ErrContended         Kind = "contended"
	ErrCancelled         Kind = "cancelled"
	ErrUnauthorized      Kind = "unauthorized"
	ErrDenied            Kind = "denied"
	ErrUntrusted         Kind = "untrusted"
	ErrNetwork           Kind = "network"
	ErrUnreachable       Kind = "unreachable"
	ErrServer            Kind = "server"
	ErrBlobUnknown       Kind = "blob-unknown"
)

// Error names the kind.
func (k Kind) Error() string { return string(k) }

// Error is why a call has no result: nothing was written to the target, unless its kind is [ErrPanic]. Errors
// inside of an [*IncompleteError] are of this type, too. Members that are empty are not known.
type Error struct {
	types.Problem
	// The document as the library gave it; empty for an error inside a report, and for one of this package.
	JSON json.RawMessage

	causes []error
}

// Error is the message.
func (e *Error) Error() string { return "multiarch: " + e.Message }

// Kind is what went wrong.
func (e *Error) Kind() Kind { return Kind(e.Problem.Kind) }

// Unwrap gives the kind and, of a call whose context ended, the context's error and its cause, for errors.Is.
func (e *Error) Unwrap() []error { return append([]error{e.Kind()}, e.causes...) }

// IncompleteError says that a part of what was asked for is not in the target. It stands beside a result.
type IncompleteError struct {
	// The run was stopped before its end.
	Cancelled bool
	// What went wrong, as the report has it. It may be empty where a plan was incomplete before.
	Errors []*Error

	causes []error
}

// Error counts the errors, and shows the first one.
func (e *IncompleteError) Error() string {
	switch {
	case e.Cancelled:
		return "multiarch: stopped before the end; the same call goes on from here"
	case len(e.Errors) == 0:
		return "multiarch: a part is not in the target, as its plan had said"
	case len(e.Errors) == 1:
		return "multiarch: a part is not in the target: " + e.Errors[0].Message
	}
	return fmt.Sprintf("multiarch: a part is not in the target: %d errors, the first: %s", len(e.Errors), e.Errors[0].Message)
}

// Unwrap gives the errors, for errors.Is and errors.As.
func (e *IncompleteError) Unwrap() []error {
	var all []error
	if e.Cancelled {
		all = append(all, ErrCancelled)
	}
	all = append(all, e.causes...)
	for _, one := range e.Errors {
		all = append(all, one)
	}
	return all
}

// failure reads the document of an error.
func failure(document []byte) error {
	var found types.Failure
	if err := json.Unmarshal(document, &found); err != nil || found.Error.Kind == "" {
		return fmt.Errorf("multiarch: an error of another form than this package knows: %.200q", document)
	}
	return &Error{Problem: found.Error, JSON: document}
}

// withContext adds why the call was cancelled, where it was.
func withContext(ctx context.Context, err error) error {
	if own, ok := err.(*Error); ok && (own.Kind() == ErrCancelled || own.Kind() == ErrPanic) {
		own.causes = causes(ctx)
	}
	return err
}

// causes are the context's error and its cause, once it has ended.
func causes(ctx context.Context) []error {
	if ctx.Err() == nil {
		return nil
	}
	return []error{ctx.Err(), context.Cause(ctx)}
}

// made is an error of this package, without a document of the library.
func made(kind Kind, message string) error {
	return &Error{Problem: types.Problem{Kind: string(kind), Message: message}}
}
