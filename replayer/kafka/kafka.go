// Package kafka lets a run read its exchanges from Kafka and write its replays
// there.
package kafka

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/exchange/redact"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// ErrKafka is what errors.Is finds in an error for which Kafka is to blame, not
// the run.
var ErrKafka = errors.New("kafka cannot be used")

// fault marks an error with ErrKafka and leaves its text.
type fault struct{ error }

func (f fault) Unwrap() error      { return f.error }
func (fault) Is(target error) bool { return target == ErrKafka }

func blame(err error) error {
	if err == nil {
		return nil
	}
	return fault{err}
}

// Source reads the exchanges of a timeline.
type Source struct {
	// Reopen opens the timeline once more, for another lap; nil if there is only one.
	// It is set before use.
	Reopen func(context.Context) (*stream.Timeline, error)

	mu         sync.Mutex
	t          *stream.Timeline
	again      bool // t is another than the caller's
	unselected map[string]uint64
	late       uint64 // of earlier laps
}

// NewSource reads a timeline, which stays the caller's to close.
func NewSource(t *stream.Timeline) *Source { return &Source{t: t} }

// Next implements replayer.Source.
func (s *Source) Next(ctx context.Context) (*understudyv1.Exchange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.t.Next(ctx)
	if err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		err = blame(err)
	}
	return e, err
}

// Rewind implements replayer.Rewinder.
func (s *Source) Rewind(ctx context.Context) error {
	if s.Reopen == nil {
		return errors.New("the timeline cannot be read again")
	}
	t, err := s.Reopen(ctx)
	if err != nil {
		return blame(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unselected, s.late = s.counts()
	s.close()
	s.t, s.again = t, true
	return nil
}

// Close closes what Rewind has opened.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close()
}

func (s *Source) close() {
	if s.again {
		s.t.Close()
	}
}

// counts are those of all laps. s.mu is held.
func (s *Source) counts() (unselected map[string]uint64, late uint64) {
	stats := s.t.Stats()
	for reason, n := range s.unselected {
		stats.Unselected[reason] += n
	}
	return stats.Unselected, s.late + stats.Late
}

// Unselected implements replayer.Source.
func (s *Source) Unselected() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	unselected, _ := s.counts()
	return unselected
}

// Late implements replayer.Source.
func (s *Source) Late() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, late := s.counts()
	return late
}

// Sink writes what the replayer gives, waiting while the producer's buffer is
// full.
type Sink struct {
	producer *stream.Producer
	names    topic.Names
	redactor *redact.Redactor
	// Worker is who writes, of those that share a run; set before use.
	Worker string
}

// NewSink writes with a producer, which stays the caller's to close. Secrets in
// what was observed are redacted before it is written; a nil redactor leaves
// them.
func NewSink(p *stream.Producer, names topic.Names, redactor *redact.Redactor) *Sink {
	return &Sink{producer: p, names: names, redactor: redactor}
}

// Replay implements replayer.Sink. It may change the replay.
func (s *Sink) Replay(ctx context.Context, r *understudyv1.Replay, done func(error)) {
	s.redactor.Replay(r)
	record, err := stream.ReplayRecord(s.names, r)
	if err != nil {
		done(err)
		return
	}
	if s.Worker != "" {
		stream.SetWorker(record, s.Worker)
	}
	s.producer.Produce(ctx, record, func(_ *kgo.Record, err error) { done(blame(err)) })
}

// Run implements replayer.Sink.
func (s *Sink) Run(ctx context.Context, r *understudyv1.Run) error {
	record, err := stream.RunRecord(s.names, r)
	if err != nil {
		return err
	}
	return blame(s.producer.ProduceSync(ctx, record))
}

// Flush implements replayer.Sink.
func (s *Sink) Flush(ctx context.Context) error { return blame(s.producer.Flush(ctx)) }
