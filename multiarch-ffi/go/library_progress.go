//go:build cgo && !multiarch_command

package multiarch

// #include <stddef.h>
// #include <stdint.h>
import "C"

import "runtime/cgo"

// multiarchProgress is called by a thread of the C library.
//
//export multiarchProgress
func multiarchProgress(listener C.uintptr_t, event *C.char, length C.size_t) C.int32_t {
	if cgo.Handle(listener).Value().(*guard).tell(copied(event, length)) {
		return 0
	}
	return 1
}
