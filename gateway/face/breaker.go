package face

import (
	"sync"
	"time"
)

// breaker keeps from a candidate that fails what it would fail too. After a pause
// one request may try.
type breaker struct {
	limit int
	pause time.Duration

	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // not asked before; zero while it is closed
}

// allow says whether the candidate may be asked.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(b.pause) // of those that come at once, one tries
	return true
}

// said tells it how an exchange went.
func (b *breaker) said(fine bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if fine {
		b.failures, b.until = 0, time.Time{}
		return
	}
	if b.failures++; b.limit > 0 && b.failures >= b.limit {
		b.until = now.Add(b.pause)
	}
}

// isOpen says whether the candidate is being left alone.
func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.until.IsZero()
}
