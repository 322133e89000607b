package replayer

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// crowd are the users of a closed or an adaptive run: how many requests may be
// under way. The zero value of a nil pointer bounds nothing.
type crowd struct {
	mu   sync.Mutex
	busy int
	free chan struct{} // closed, and another one made, when somebody may come
	// limit is how many may be busy; rule changes it, nil in a closed run.
	limit int
	rule  *backoff
}

// newCrowd is that of a load; nil in an open run.
func newCrowd(l Load, most int) *crowd {
	if l.Mode == ModeOpen {
		return nil
	}
	c := &crowd{limit: l.Users, free: make(chan struct{})}
	if l.Mode == ModeAdaptive {
		c.rule = &backoff{limit: float64(l.Users), most: float64(most)}
	}
	return c
}

// take waits until there is a place, and says whether it had to; ok is false if
// ctx ends before.
func (c *crowd) take(ctx context.Context) (waited, ok bool) {
	for ; ; waited = true {
		c.mu.Lock()
		if c.busy < c.limit {
			c.busy++
			c.mu.Unlock()
			return waited, true
		}
		if c.rule != nil {
			c.rule.full = true
		}
		free := c.free
		c.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
			return true, false
		}
	}
}

// give gives a place back.
func (c *crowd) give() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	c.wake()
}

func (c *crowd) wake() {
	close(c.free)
	c.free = make(chan struct{})
}

// saw tells an adaptive run how a request ended.
func (c *crowd) saw(now time.Time, o *understudyv1.Observation, e *understudyv1.Exchange) {
	if c == nil || c.rule == nil {
		return
	}
	status := o.GetAck().GetStatus()
	failed := o.GetAck() == nil ||
		(status >= http.StatusInternalServerError || status == http.StatusTooManyRequests) && status != e.GetResponse().GetStatus()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rule.end(now, failed, time.Duration(o.GetAckServiceNano()))
	if limit := int(c.rule.limit); limit != c.limit {
		c.limit = limit
		c.wake()
	}
}

// state is how many may be busy, and how often that fell; 0 without a crowd.
func (c *crowd) state() (users uint32, backoffs uint64) {
	if c == nil {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rule != nil {
		backoffs = c.rule.backoffs
	}
	return uint32(c.limit), backoffs //nolint:gosec // at most in_flight
}

// The rule of an adaptive run: additive increase, multiplicative decrease (Chiu
// and Jain, 1989; RFC 5681), as often as a window ends.
const (
	backoffWindow = time.Second
	backoffLeast  = 10   // requests that must have ended in a window to judge it
	backoffErrors = 0.05 // share of errors over which the candidate suffers
	backoffSlower = 2    // times the quickest window's median, likewise
	backoffShare  = 0.7  // of the users that remain
	backoffKept   = 4096 // latencies of a window that are looked at
)

// backoff is that rule, without a clock. A window in which the candidate suffers
// leaves 0.7 of the users, at least one; one in which it does not and all were
// busy adds one.
type backoff struct {
	limit, most float64
	full        bool // somebody has waited in this window
	begin       time.Time
	ended       int
	failed      int
	latencies   []time.Duration
	quickest    time.Duration // median of a window; 0 is none yet
	backoffs    uint64
}

// end takes the end of a request.
func (b *backoff) end(now time.Time, failed bool, latency time.Duration) {
	if b.begin.IsZero() {
		b.begin = now
	}
	b.ended++
	switch {
	case failed:
		b.failed++
	case len(b.latencies) < backoffKept:
		b.latencies = append(b.latencies, latency)
	}
	if now.Sub(b.begin) >= backoffWindow && b.ended >= backoffLeast {
		b.judge(now)
	}
}

func (b *backoff) judge(now time.Time) {
	var median time.Duration
	if n := len(b.latencies); n > 0 {
		slices.Sort(b.latencies)
		median = b.latencies[n/2]
	}
	isSlow := b.quickest > 0 && median > backoffSlower*b.quickest
	switch suffers := float64(b.failed) > backoffErrors*float64(b.ended) || isSlow; {
	case suffers:
		b.limit = max(1, b.limit*backoffShare)
		b.backoffs++
	case b.full:
		b.limit = min(b.most, b.limit+1)
	}
	if median > 0 && (b.quickest == 0 || median < b.quickest) {
		b.quickest = median
	}
	b.begin, b.ended, b.failed, b.full, b.latencies = now, 0, 0, false, b.latencies[:0]
}
