//go:build !cgo || multiarch_command

package multiarch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// script writes a program that stands for the command. $REAL is the real one.
func script(t *testing.T, text string) string {
	t.Helper()
	real, err := exec.LookPath("multiarch")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "multiarch")
	text = "#!/bin/sh\nREAL=" + real + "\n" + text + "\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandsThatAreNone(t *testing.T) {
	for _, path := range []string{
		"/bin/true", "/bin/false", "/bin/cat", "/nonexistent", script(t, `echo '{"hello": 1}'`),
		script(t, `echo '{"schema": "multiarch.capabilities/v9"}'`),
	} {
		if _, err := multiarch.New(multiarch.WithCommand(path)); err == nil {
			t.Errorf("%s", path)
		}
	}
	// One that knows nothing but what it can do.
	c := client(t, multiarch.WithCommand(script(t, `[ "$2" = capabilities ] && exec "$REAL" "$@"; cat >/dev/null`)))
	result, err := c.Import(context.Background(), multiarch.WithTarget("oci:/nonexistent/x"))
	if err == nil || result != nil {
		t.Fatalf("%v %v", result, err)
	}
}

// A whole unit that is stopped: the command gets SIGTERM with the program, and then what the program sends.
func TestTwoSignalsAreOne(t *testing.T) {
	c := client(t, registryOptions(t, registry(t))...)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopped := false
	result, err := c.Import(ctx, multiarch.WithImport(func(o *types.ImportOptions) { o.LimitRate, o.Jobs = 1500, 1 }),
		multiarch.WithProgress(func(p types.Progress) {
			if p.Images < 1 || stopped {
				return
			}
			stopped = true
			for _, pid := range children(t) {
				_ = syscall.Kill(pid, syscall.SIGTERM)
			}
			cancel()
		}))
	var incomplete *multiarch.IncompleteError
	if result == nil || !result.Value.Cancelled || !errors.As(err, &incomplete) || !errors.Is(err, context.Canceled) {
		t.Fatalf("%v %v", result, err)
	}
}

// What was killed may have written, and what it started ends with it.
func TestCommandsThatAreKilled(t *testing.T) {
	mark := fmt.Sprint("3", os.Getpid(), ".25")
	path := script(t, `[ "$2" = capabilities ] && exec "$REAL" "$@"; trap '' INT; sleep `+mark+`; sleep `+mark)
	c := client(t, multiarch.WithCommand(path))
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := c.Import(ctx, multiarch.WithTarget("oci:/nonexistent/x"))
	if !errors.Is(err, multiarch.ErrPanic) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, multiarch.ErrCancelled) {
		t.Errorf("%v", err)
	}
	if out, err := exec.Command("pgrep", "-f", "sleep "+mark).Output(); err == nil {
		t.Errorf("left over: %s", out)
	}
}

// children are the processes that this one has started.
func children(t *testing.T) []int {
	t.Helper()
	var found []int
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				found = append(found, pid)
			}
		}
	}
	return found
}
