//go:build cgo && !multiarch_command

package multiarch

/*
#include <multiarch.h>
#include <string.h>

// In Go.
extern int32_t multiarchProgress(uintptr_t listener, char *event, size_t length);

static int32_t on_progress(void *listener, const char *event, size_t length)
{
	return multiarchProgress((uintptr_t)listener, (char *)event, length);
}

// The name has the version of the interface: a library of another one cannot be linked.
static uint32_t abi(void) { return multiarch_abi_1(); }

static int32_t call(const char *function, const char *options, size_t options_length, const char *plan,
                    size_t plan_length, const multiarch_cancel *cancel, uintptr_t listener,
                    multiarch_result **result, multiarch_error **error)
{
	multiarch_progress progress = listener ? on_progress : NULL;
	void *data = (void *)listener;
#define CALL(name) multiarch_##name(options, options_length, cancel, progress, data, result, error)
	if (strcmp(function, "inspect") == 0) return CALL(inspect);
	if (strcmp(function, "status") == 0) return CALL(status);
	if (strcmp(function, "plan") == 0) return CALL(plan);
	if (strcmp(function, "verify") == 0) return CALL(verify);
	if (strcmp(function, "import") == 0) return CALL(import);
#undef CALL
	if (strcmp(function, "apply") == 0)
		return multiarch_apply(options, options_length, plan, plan_length, cancel, progress, data, result, error);
	if (strcmp(function, "config") == 0) return multiarch_config(plan, plan_length, result, error);
	if (strcmp(function, "capabilities") == 0) return multiarch_capabilities(result, error);
	*result = NULL;
	return multiarch_options_check(options, options_length, error);
}
*/
import "C"

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// library is the C library.
type library struct{}

func newEngine(settings) (engine, error) {
	if linked := C.abi(); linked != C.MULTIARCH_ABI_VERSION {
		return nil, fmt.Errorf("multiarch: the C library has version %d of the interface, not %d", linked, C.MULTIARCH_ABI_VERSION)
	}
	return library{}, nil
}

func (library) call(ctx context.Context, function string, in input, progress func(types.Progress)) (output, error) {
	cancel := C.multiarch_cancel_new()
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.multiarch_cancel_now(cancel)
		close(told)
	})
	defer func() {
		if !stop() {
			<-told
		}
		C.multiarch_cancel_free(cancel)
	}()

	listener, handle := &guard{progress: progress}, cgo.Handle(0)
	if progress != nil {
		handle = cgo.NewHandle(listener)
		defer handle.Delete()
	}
	second := []byte(in.Plan)
	if function == "config" {
		second = []byte(in.Text)
	}
	name := append([]byte(function), 0)
	var result *C.multiarch_result
	var failed *C.multiarch_error
	code := C.call(text(name), text(in.Options), C.size_t(len(in.Options)), text(second), C.size_t(len(second)),
		cancel, C.uintptr_t(handle), &result, &failed)
	runtime.KeepAlive(listener)
	defer C.multiarch_result_free(result)
	defer C.multiarch_error_free(failed)
	listener.end()

	var length C.size_t
	if code != C.MULTIARCH_OK {
		document := C.multiarch_error_json(failed, &length)
		return output{}, failure(copied(document, length))
	}
	if result == nil {
		return output{complete: true}, nil
	}
	document := C.multiarch_result_json(result, &length)
	return output{copied(document, length), bool(C.multiarch_result_complete(result))}, nil
}

// text is the address of bytes, which C reads until the call returns.
func text(of []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(of))) }

// copied is a text of C in memory of Go.
func copied(text *C.char, length C.size_t) []byte {
	return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(length)))
}
