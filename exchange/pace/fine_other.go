//go:build !linux

package pace

import "time"

// fine sleeps with Go's timers, which wake up to a millisecond late.
func fine() (wait func(time.Duration), stop func()) { return time.Sleep, func() {} }
