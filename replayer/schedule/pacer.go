package schedule

import (
	"context"
	"time"
)

// Pacer waits for absolute moments. It belongs to one goroutine, which Start
// binds to its thread.
type Pacer struct{ wait func(time.Duration) }

// coarse is how far before the moment a wait gives way to the fine sleep; it
// covers the resolution of Go's own timers.
const coarse = 3 * time.Millisecond

// Start prepares the calling goroutine for precise waits; stop undoes it. Both
// must be called from the same goroutine.
func Start() (p *Pacer, stop func()) {
	wait, stop := fine()
	return &Pacer{wait}, stop
}

// Until waits for t and returns ctx's error if that ends first. What is past
// is not waited for.
func (p *Pacer) Until(ctx context.Context, t time.Time) error {
	for {
		left := time.Until(t)
		if left <= 0 {
			return ctx.Err()
		}
		if left <= coarse {
			if p.wait(left); time.Until(t) >= left {
				p.wait = time.Sleep // the clock stands still while the thread sleeps: it is a virtual one
			}
			continue
		}
		timer := time.NewTimer(left - coarse)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}
