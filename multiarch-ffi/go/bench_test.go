package multiarch_test

import (
	"context"
	"testing"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// A call that has no work to do.
func BenchmarkCheckOptions(b *testing.B) {
	c := client(b, multiarch.WithTarget("oci:/nonexistent/store"))
	for b.Loop() {
		if err := c.CheckOptions(); err != nil {
			b.Fatal(err)
		}
	}
}

// A call with a context that can end and a callback, which is told once or twice.
func BenchmarkStatusWithProgress(b *testing.B) {
	c := client(b, multiarch.WithTarget("oci:/nonexistent/store"), multiarch.WithProgress(func(types.Progress) {}))
	for b.Loop() {
		if _, err := c.Status(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
