//go:build cgo && !multiarch_command

package multiarch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// everyKind are the kinds of error.go.
var everyKind = []Kind{
	ErrUsage, ErrIO, ErrNotAPackage, ErrTruncated, ErrMalformed, ErrTooLarge, ErrUnsafePath, ErrMissing,
	ErrDigestMismatch, ErrUnsupported, ErrUnreadableTag, ErrConflict, ErrChartConflict, ErrNoChartRepository,
	ErrNameClash, ErrHint, ErrUnnamed, ErrPlanOutdated, ErrContended, ErrCancelled, ErrUnauthorized, ErrDenied,
	ErrUntrusted, ErrNetwork, ErrUnreachable, ErrServer, ErrBlobUnknown, ErrPanic,
}

// TestFaults needs a library that was built with its feature faults, which ci/test-go installs.
func TestFaults(t *testing.T) {
	for _, kind := range everyKind {
		options := fmt.Sprintf(`{"fault": %q}`, string(kind))
		_, err := library{}.call(context.Background(), "import", input{Options: []byte(options)}, nil)
		var own *Error
		if !errors.Is(err, kind) || !errors.As(err, &own) || !strings.Contains(own.Message, "on purpose") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	can, err := (&Client{engine: library{}, closing: context.Background(), looking: make(chan struct{}, 1)}).Capabilities()
	if err != nil {
		t.Fatal(err)
	}
	// All but "other", which stands for those that are not known.
	if len(can.ErrorCodes) != len(everyKind)+1 {
		t.Errorf("the library has %d kinds of errors, this package %d", len(can.ErrorCodes)-1, len(everyKind))
	}
}

// TestFlatMemory is about calls of C: what one leaves behind would show after ten thousand.
func TestFlatMemory(t *testing.T) {
	cycle := func() {
		client, err := New(WithTarget("oci:/nonexistent/store"))
		if err == nil {
			err = client.CheckOptions()
		}
		if err == nil {
			_, err = client.Status(context.Background())
		}
		if err == nil {
			err = client.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		cycle()
	}
	before := resident(t)
	for range 9000 {
		cycle()
	}
	after := resident(t)
	t.Logf("%d KiB after 1000 cycles, %d KiB after 10000", before, after)
	if after > before+8<<10 {
		t.Errorf("it grew by %d KiB", after-before)
	}
}

// resident is the memory of this process in KiB.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var size int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &size); err == nil {
			return size
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
