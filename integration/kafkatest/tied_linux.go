package kafkatest

import "syscall"

// tied ends a child with us, even when we are killed.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
