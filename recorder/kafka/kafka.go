// Package kafka writes what was recorded to Kafka: Sink beside live traffic,
// which never waits, Spooled with a disk behind it, Heir for what recorders that
// died have left on disk, and Writer for imports, which wait.
package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/recorder"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// Sink is a recorder.Sink. When the producer's buffer is at its bound, it
// refuses an exchange rather than wait.
type Sink struct {
	producer *stream.Producer
	tallies  *stream.Producer
	names    topic.Names
}

// NewSink returns a Sink that writes to these topics. Tallies have a producer
// of their own, since they are worth most when the exchanges' buffer is full.
// The producers remain the caller's to close.
func NewSink(exchanges, tallies *stream.Producer, names topic.Names) *Sink {
	return &Sink{exchanges, tallies, names}
}

var (
	_ recorder.Sink    = (*Sink)(nil)
	_ recorder.Refuser = (*Sink)(nil)
)

// Refuses implements recorder.Refuser.
func (s *Sink) Refuses() error {
	if s.producer.Full() {
		return recorder.ErrFull
	}
	return nil
}

// Exchange implements recorder.Sink.
func (s *Sink) Exchange(e *understudyv1.Exchange, done func(error)) error {
	r, err := stream.ExchangeRecord(s.names, e)
	if err != nil {
		return err
	}
	s.producer.TryProduce(context.Background(), r, func(_ *kgo.Record, err error) { done(reason(err)) })
	return nil
}

// Tally implements recorder.Sink.
func (s *Sink) Tally(t *understudyv1.Tally, done func(error)) error {
	r, err := stream.TallyRecord(s.names, t)
	if err != nil {
		return err
	}
	s.tallies.TryProduce(context.Background(), r, func(_ *kgo.Record, err error) { done(err) })
	return nil
}

// Flush implements recorder.Sink.
func (s *Sink) Flush(ctx context.Context) error {
	return errors.Join(s.producer.Flush(ctx), s.tallies.Flush(ctx))
}

// reason expresses the reason why Kafka did not take a record as an error of
// the recorder.
func reason(err error) error {
	switch {
	case errors.Is(err, stream.ErrFull):
		return fmt.Errorf("%w: %w", recorder.ErrFull, err)
	case errors.Is(err, kerr.MessageTooLarge):
		return fmt.Errorf("%w: %w", recorder.ErrTooLarge, err)
	}
	return err
}
