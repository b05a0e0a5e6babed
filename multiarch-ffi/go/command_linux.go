//go:build !cgo || multiarch_command

package multiarch

import "syscall"

// ownGroup keeps a terminal's signals from the command: the program decides what they mean, and cancels. Where
// the program is killed, the command stops as if it were cancelled.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
