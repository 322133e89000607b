// Package pace waits for absolute moments, precisely.
package pace

import (
	"context"
	"time"
)

// Pacer waits for absolute moments. It belongs to one goroutine. The zero value
// waits with Go's own timers.
type Pacer struct {
	wait      func(time.Duration) // nil: Go's timers will do
	ahead     time.Duration
	isVirtual bool
}

// IsVirtual says that time was found to be virtual, in which Go's own timers are
// exact.
func (p *Pacer) IsVirtual() bool { return p.isVirtual }

// coarse is how far before the moment a wait gives way to the fine sleep; it
// covers the resolution of Go's own timers.
const coarse = 3 * time.Millisecond

// Start binds the calling goroutine to its thread, for precise waits; stop undoes it. Both
// must be called from the same goroutine.
func Start() (p *Pacer, stop func()) {
	wait, stop := fine()
	return &Pacer{wait: wait}, stop
}

// Ahead is how long before its moment a request is made ready.
const Ahead = 3 * time.Millisecond

// Early gives a pacer whose waits end about Ahead before their moments, for who
// only makes ready what another sends.
func Early() *Pacer { return &Pacer{ahead: Ahead} }

// Until waits for t, or until shortly before it if the pacer is an early one, and
// returns ctx's error if that ends first. What is past is not waited for.
func (p *Pacer) Until(ctx context.Context, t time.Time) error {
	for {
		left := time.Until(t) - p.ahead
		if left <= 0 {
			return ctx.Err()
		}
		if left <= p.precise() {
			if p.wait(left); time.Until(t) >= left {
				p.wait, p.isVirtual = time.Sleep, true // the clock stands still while the thread sleeps
			}
			continue
		}
		timer := time.NewTimer(left - p.precise())
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// precise is how much of a wait is slept on the thread.
func (p *Pacer) precise() time.Duration {
	if p.wait == nil {
		return 0
	}
	return coarse
}
