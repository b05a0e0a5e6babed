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

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
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
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	made := command{path}
	answer, err := made.call(ctx, "capabilities", input{}, nil)
	if err == nil {
		err = answer.check("capabilities")
	}
	if err != nil {
		return nil, fmt.Errorf("multiarch: %s is not a command that this package can call: %w", path, err)
	}
	return made, nil
}

// found is the command beside the program, or in the PATH. A program of the same name is not its own command.
func found() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	self, err := os.Stat(own)
	if err != nil {
		return "", err
	}
	inPath, _ := exec.LookPath("multiarch")
	for _, path := range []string{filepath.Join(filepath.Dir(own), "multiarch"), inPath} {
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && !os.SameFile(info, self) {
			return filepath.Abs(path)
		}
	}
	return "", errors.New("multiarch: the command multiarch is neither beside this program nor in the PATH: install it, or name it with WithCommand")
}

func (c command) call(ctx context.Context, function string, in input, progress func(types.Progress)) (output, error) {
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
	stdout, stderr := new(bytes.Buffer), listen(progress, cancel)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(document), stdout, stderr
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = grace
	// In a job that a shell has put into the background SIGINT is ignored, and the command inherits that when it
	// starts.
	stop := os.Signal(os.Interrupt)
	if signal.Ignored(os.Interrupt) {
		stop = syscall.SIGTERM
	}
	cmd.Cancel = func() error { return signalGroup(cmd.Process, stop) }
	waited := cmd.Run()
	if cmd.Process != nil && ctx.Err() != nil {
		// What the command started ends with it, also where it had to be killed.
		_ = signalGroup(cmd.Process, os.Kill)
	}
	stderr.close()
	stderr.guard.end()
	switch {
	case cmd.ProcessState != nil:
		return c.read(ctx, function, cmd.ProcessState, stdout.Bytes(), stderr)
	case ctx.Err() != nil:
		return output{}, made(ErrCancelled, "the call was cancelled before it began")
	}
	return output{}, made(ErrIO, fmt.Sprintf("the command cannot be started: %v", waited))
}

// read tells a result from an error, and both from a command that died.
func (c command) read(ctx context.Context, function string, state *os.ProcessState, document []byte, stderr *events) (output, error) {
	var form struct {
		Schema string `json:"schema"`
	}
	document = bytes.TrimSpace(document)
	isJSON := len(document) == 0 || json.Unmarshal(document, &form) == nil
	code := state.ExitCode()
	died := !isJSON || code < 0 || code > 2 || (code > 0 && form.Schema == "")
	switch {
	case died && ctx.Err() != nil && writes(function):
		return output{}, made(ErrPanic, "the call was cancelled, and the command had to be killed: what it did is not known")
	case died && ctx.Err() != nil:
		return output{}, made(ErrCancelled, "the call was cancelled, and the command had to be killed")
	case died:
		return output{}, made(ErrPanic, fmt.Sprintf("the command %s ended with %v: %s", c.path, state, stderr.said()))
	case form.Schema == "multiarch.error/v1":
		return output{}, failure(document)
	}
	return output{document, code == 0}, nil
}
