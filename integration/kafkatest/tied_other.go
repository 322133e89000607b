//go:build unix && !linux

package kafkatest

import "syscall"

// tied has no counterpart here: a child survives when we are killed.
func tied() *syscall.SysProcAttr { return nil }
