package recordertest

import (
	"context"
	"sync"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Sink keeps what it is given. It is safe for concurrent use.
type Sink struct {
	mu        sync.Mutex
	exchanges []*understudyv1.Exchange
	tallies   []*understudyv1.Tally
}

// Exchange implements recorder.Sink; it is done at once.
func (s *Sink) Exchange(e *understudyv1.Exchange, done func(error)) error {
	s.mu.Lock()
	s.exchanges = append(s.exchanges, e)
	s.mu.Unlock()
	done(nil)
	return nil
}

// Tally implements recorder.Sink; it is done at once.
func (s *Sink) Tally(t *understudyv1.Tally, done func(error)) error {
	s.mu.Lock()
	s.tallies = append(s.tallies, t)
	s.mu.Unlock()
	done(nil)
	return nil
}

// Flush implements recorder.Sink.
func (s *Sink) Flush(context.Context) error { return nil }

// Exchanges are those taken so far.
func (s *Sink) Exchanges() []*understudyv1.Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*understudyv1.Exchange(nil), s.exchanges...)
}

// Tallies are those taken so far.
func (s *Sink) Tallies() []*understudyv1.Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*understudyv1.Tally(nil), s.tallies...)
}
