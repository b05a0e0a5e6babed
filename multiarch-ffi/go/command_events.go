//go:build !cgo || multiarch_command

package multiarch

import (
	"bytes"
	"sync"
)

// events reads what the command says on standard error: lines with an event of progress, and lines for people,
// of which the last ones are kept.
type events struct {
	guard   guard
	refused func()

	mutex  sync.Mutex
	closed bool
	line   []byte
	last   []byte
}

// tail is how much of the lines for people is kept.
const tail = 2000

// Write takes what has come.
func (e *events) Write(data []byte) (int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.line = append(e.line, data...)
	for {
		line, rest, ended := bytes.Cut(e.line, []byte("\n"))
		if !ended || e.closed {
			return len(data), nil
		}
		e.line = rest
		e.take(line)
	}
}

func (e *events) take(line []byte) {
	if bytes.HasPrefix(line, []byte(`{"schema":"multiarch.progress/`)) {
		if e.guard.progress != nil && !e.guard.tell(line) {
			e.refused()
		}
		return
	}
	e.last = append(append(e.last, line...), '\n')
	if more := len(e.last) - tail; more > 0 {
		e.last = e.last[more:]
	}
}

// close waits for the event that is being told, and tells no more.
func (e *events) close() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.closed = true
}

// said are the last lines for people.
func (e *events) said() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return string(bytes.TrimSpace(append(e.last, e.line...)))
}
