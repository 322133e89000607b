// Package kafka writes what was recorded to Kafka: Sink beside live traffic,
// which never waits, and Writer for imports, which do.
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
	names    topic.Names
}

// NewSink returns a Sink that writes to these topics; the producer remains the
// caller's to close.
func NewSink(producer *stream.Producer, names topic.Names) *Sink { return &Sink{producer, names} }

var _ recorder.Sink = (*Sink)(nil)

// Exchange implements recorder.Sink.
func (s *Sink) Exchange(e *understudyv1.Exchange, done func(error)) error {
	r, err := stream.ExchangeRecord(s.names, e)
	return s.produce(r, err, done)
}

// Tally implements recorder.Sink.
func (s *Sink) Tally(t *understudyv1.Tally, done func(error)) error {
	r, err := stream.TallyRecord(s.names, t)
	return s.produce(r, err, done)
}

// Flush implements recorder.Sink.
func (s *Sink) Flush(ctx context.Context) error { return s.producer.Flush(ctx) }

func (s *Sink) produce(r *kgo.Record, err error, done func(error)) error {
	if err != nil {
		return err
	}
	s.producer.TryProduce(context.Background(), r, func(_ *kgo.Record, err error) { done(reason(err)) })
	return nil
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
