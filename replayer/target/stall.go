package target

import (
	"context"
	"sync"
	"time"
)

// stalls knows when this process did not run: a heartbeat that comes late shows
// that everything else was late too. What we noticed late is not what the
// candidate did late.
type stalls struct {
	mu   sync.Mutex
	list []stall // the latest maxStalls, in order
}

type stall struct{ from, to time.Time }

const (
	heartbeat = 5 * time.Millisecond
	maxStalls = 4096
)

// watch beats until the context ends.
func (s *stalls) watch(ctx context.Context) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if due := last.Add(heartbeat); now.Sub(due) > heartbeat {
			s.add(due, now)
		}
		last = now
	}
}

func (s *stalls) add(from, to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == maxStalls {
		s.list = s.list[1:]
	}
	s.list = append(s.list, stall{from, to})
}

// between is how much of the time from a to b the process did not run.
func (s *stalls) between(a, b time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.list) - 1; i >= 0; i-- {
		x := s.list[i]
		if x.to.Before(a) {
			break
		}
		from, to := latest(x.from, a), x.to
		if to.After(b) {
			to = b
		}
		sum += max(to.Sub(from), 0)
	}
	return sum
}

// edge is how long before or after a moment a stall may have moved it.
const edge = time.Second

// around is how much later than it happened something may have been noticed
// between sent and at: what was stalled at the beginning, where it was sent, and
// at the end.
func (s *stalls) around(sent, at time.Time) time.Duration {
	if at.Sub(sent) <= 2*edge {
		return s.between(sent, at)
	}
	return s.between(sent, sent.Add(edge)) + s.between(at.Add(-edge), at)
}
