//go:build cgo && !multiarch_command

package multiarch

// #include <stddef.h>
// #include <stdint.h>
import "C"

import (
	"encoding/json"
	"runtime/cgo"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// multiarchProgress is called by a thread of the C library.
//
//export multiarchProgress
func multiarchProgress(listener C.uintptr_t, event *C.char, length C.size_t) C.int32_t {
	var progress types.Progress
	if err := json.Unmarshal(copied(event, length), &progress); err != nil {
		return 0
	}
	if cgo.Handle(listener).Value().(*guard).tell(progress) {
		return 0
	}
	return 1
}
