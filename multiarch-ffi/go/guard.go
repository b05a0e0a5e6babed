package multiarch

import (
	"runtime"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// guard calls the host's function in a goroutine of its own: it may panic, or end its goroutine as t.Fatal does,
// and neither may cross the border to C; and a program that it starts must not inherit the signals that the
// library's threads block.
type guard struct {
	progress func(types.Progress)
	// The function did not return.
	ended    bool
	panicked any
}

// tell returns false where the call is to be cancelled.
func (g *guard) tell(event types.Progress) bool {
	if g.ended {
		return false
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.ended = true
		defer func() { g.panicked = recover() }()
		g.progress(event)
		g.ended = false
	}()
	<-done
	return !g.ended
}

// end does to the caller's goroutine what the function did to its own.
func (g *guard) end() {
	switch {
	case !g.ended:
	case g.panicked != nil:
		panic(g.panicked)
	default:
		runtime.Goexit()
	}
}
