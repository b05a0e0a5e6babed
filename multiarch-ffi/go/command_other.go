//go:build (!cgo || multiarch_command) && !linux

package multiarch

import (
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

func signalGroup(process *os.Process, sent os.Signal) error { return process.Signal(sent) }
