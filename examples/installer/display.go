package main

import (
	"fmt"
	"io"
	"time"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// display shows progress in one line of a terminal.
type display struct {
	out   io.Writer
	shown bool
}

func newDisplay(out io.Writer) *display { return &display{out: out} }

func (d *display) show(now types.Progress) {
	for _, image := range now.Failed {
		fmt.Fprintf(d.out, "\r\x1b[Kfailed: %s\n", image)
	}
	line := fmt.Sprintf("%s: %d of %d images, %s of %s", now.Phase, now.Images, now.ImagesTotal, size(now.Bytes), size(now.BytesTotal))
	if now.SecondsLeft != nil {
		line += fmt.Sprintf(", %v left", time.Duration(*now.SecondsLeft)*time.Second)
	}
	if now.WaitingFor != nil {
		line = "waiting for " + *now.WaitingFor
	}
	fmt.Fprintf(d.out, "\r\x1b[K%s", line)
	d.shown = true
}

// end leaves the cursor in a line of its own.
func (d *display) end() {
	if d.shown {
		fmt.Fprintln(d.out)
	}
}

// size is a number of bytes for people.
func size(bytes uint64) string {
	value, units := float64(bytes), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for len(units) > 1 && value >= 1024 {
		value, units = value/1024, units[1:]
	}
	return fmt.Sprintf("%.4g %s", value, units[0])
}
