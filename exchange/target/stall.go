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

// start watches until it is stopped.
func (s *stalls) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); s.watch(ctx) }()
	return func() { cancel(); <-done }
}

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

// longest is the longest stall that has part in the time from a to b.
func (s *stalls) longest(a, b time.Time) (d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.list) - 1; i >= 0 && s.list[i].to.After(a); i-- {
		if x := s.list[i]; x.from.Before(b) {
			d = max(d, x.to.Sub(x.from))
		}
	}
	return d
}

// hops is how often what happens at our door waits for the process to run until
// it is noticed: at most when a connection is accepted, read and handled.
const hops = 3

// delay is how much later than it happened something may have been noticed at a
// moment between a and b.
func (s *stalls) delay(a, b time.Time) time.Duration { return hops * s.longest(a, b) }

// edge is how long before a moment a stall may have moved it.
const edge = 500 * time.Millisecond
