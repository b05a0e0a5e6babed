//go:build !cgo || multiarch_command

package multiarch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// grace is how long a command that is cancelled has to end by itself.
const grace = 10 * time.Second

// command is the command multiarch, which is started for each call.
type command struct {
	path string
}

func newEngine(settings settings) (engine, error) {
	path := settings.command
	if path == "" {
		var err error
		if path, err = found(); err != nil {
			return nil, err
		}
	}
	made := command{path}
	if _, err := made.call(context.Background(), "capabilities", input{}, nil); err != nil {
		return nil, fmt.Errorf("multiarch: %s is not a command that this package can call: %w", path, err)
	}
	return made, nil
}

// found is the command beside the program, or in the PATH.
func found() (string, error) {
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), "multiarch")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && beside != own {
			return beside, nil
		}
	}
	path, err := exec.LookPath("multiarch")
	if err != nil {
		return "", errors.New("multiarch: the command multiarch is neither beside this program nor in the PATH: install it, or name it with WithCommand")
	}
	return filepath.Abs(path)
}

func (c command) call(ctx context.Context, function string, in input, progress func([]byte)) (output, error) {
	// The command ends with this thread, should the program be killed.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	document, err := json.Marshal(in)
	if err != nil {
		return output{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arguments := []string{"call", function}
	if progress != nil {
		arguments = append(arguments, "--progress", "json")
	}
	cmd := exec.CommandContext(ctx, c.path, arguments...)
	stdout, stderr := new(bytes.Buffer), &events{guard: guard{progress: progress}, refused: cancel}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(document), stdout, stderr
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = grace
	cmd.Cancel = func() error {
		// In a job that a shell has put into the background SIGINT is ignored, and what is ignored is inherited.
		if signal.Ignored(os.Interrupt) {
			return cmd.Process.Signal(syscall.SIGTERM)
		}
		return cmd.Process.Signal(os.Interrupt)
	}
	waited := cmd.Run()
	stderr.close()
	stderr.guard.end()
	if cmd.ProcessState == nil {
		return output{}, made(ErrIO, fmt.Sprintf("the command cannot be started: %v", waited))
	}
	return c.read(ctx, cmd.ProcessState, stdout.Bytes(), stderr)
}

// read tells a result from an error, and both from a command that died.
func (c command) read(ctx context.Context, state *os.ProcessState, document []byte, stderr *events) (output, error) {
	var form struct {
		Schema string `json:"schema"`
	}
	document = bytes.TrimSpace(document)
	isJSON := len(document) == 0 || json.Unmarshal(document, &form) == nil
	switch code := state.ExitCode(); {
	case !isJSON || code > 2 || code < 0 || (code > 0 && form.Schema == ""):
		if ctx.Err() != nil {
			return output{}, made(ErrCancelled, "the call was cancelled, and the command had to be killed")
		}
		return output{}, made(ErrPanic, fmt.Sprintf("the command %s ended with %v: %s", c.path, state, stderr.said()))
	case form.Schema == "multiarch.error/v1":
		return output{}, failure(document)
	default:
		return output{document, code == 0}, nil
	}
}
