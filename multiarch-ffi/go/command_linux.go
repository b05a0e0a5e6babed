//go:build !cgo || multiarch_command

package multiarch

import (
	"os"
	"syscall"
)

// ownGroup keeps a terminal's signals from the command: the program decides what they mean, and cancels. Where
// the program is killed, the command stops as if it were cancelled.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// signalGroup sends a signal to the command and to what it has started.
func signalGroup(process *os.Process, sent os.Signal) error {
	return syscall.Kill(-process.Pid, sent.(syscall.Signal))
}
