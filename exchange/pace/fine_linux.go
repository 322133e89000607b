package pace

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// fine binds the goroutine to a thread of its own whose sleeps the kernel ends
// as exactly as it can (timer slack 1 ns instead of 50 µs). Go's timers wake
// up to a millisecond late; nanosleep on such a thread some 50 µs.
func fine() (wait func(time.Duration), stop func()) {
	runtime.LockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err == nil {
		err = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	}
	return func(d time.Duration) {
			ts := unix.NsecToTimespec(int64(d))
			_ = unix.Nanosleep(&ts, nil) // a signal ends it early; the caller looks again
		}, func() {
			if err == nil {
				_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0)
			}
			runtime.UnlockOSThread()
		}
}
