//go:build (!cgo || multiarch_command) && !linux

package multiarch

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }
