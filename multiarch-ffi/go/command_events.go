//go:build !cgo || multiarch_command

package multiarch

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// events reads what the command says on standard error: lines with an event of progress, and lines for people,
// of which the last ones are kept. A goroutine tells the events, so that a slow host does not hold up the
// command; those that come meanwhile become one.
type events struct {
	guard   guard
	refused func()
	told    chan struct{}

	mutex   sync.Mutex
	arrived sync.Cond
	pending *types.Progress
	closed  bool
	line    []byte
	last    []byte
}

// tail is how much of the lines for people is kept.
const tail = 2000

func listen(progress func(types.Progress), refused func()) *events {
	e := &events{guard: guard{progress: progress}, refused: refused, told: make(chan struct{})}
	e.arrived.L = &e.mutex
	if progress == nil {
		close(e.told)
	} else {
		go e.tell()
	}
	return e
}

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
	var event types.Progress
	if bytes.HasPrefix(line, []byte(`{"schema":"multiarch.progress/`)) && json.Unmarshal(line, &event) == nil {
		if before := e.pending; before != nil {
			event.Failed = append(before.Failed, event.Failed...)
			event.Log = append(before.Log, event.Log...)
		}
		e.pending = &event
		e.arrived.Signal()
		return
	}
	e.last = append(append(e.last, line...), '\n')
	if more := len(e.last) - tail; more > 0 {
		e.last = e.last[more:]
	}
}

// tell tells each event, until there are no more.
func (e *events) tell() {
	defer close(e.told)
	for {
		e.mutex.Lock()
		for e.pending == nil && !e.closed {
			e.arrived.Wait()
		}
		event := e.pending
		e.pending = nil
		e.mutex.Unlock()
		if event == nil {
			return
		}
		if !e.guard.tell(*event) {
			e.refused()
		}
	}
}

// close waits until all is told.
func (e *events) close() {
	e.mutex.Lock()
	e.closed = true
	e.arrived.Signal()
	e.mutex.Unlock()
	<-e.told
}

// said are the last lines for people.
func (e *events) said() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return string(bytes.TrimSpace(append(e.last, e.line...)))
}
