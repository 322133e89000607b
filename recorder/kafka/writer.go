package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// ErrWrite says that Kafka did not take an exchange.
var ErrWrite = errors.New("write to Kafka")

// Writer writes exchanges in order and keeps their books. Its methods are
// called by one goroutine.
type Writer struct {
	producer *stream.Producer
	names    topic.Names
	books    *books.Books

	mu  sync.Mutex
	err error // the last one that Kafka gave
}

// NewWriter returns a Writer for the exchanges of one recorder; the producer
// remains the caller's to close.
func NewWriter(producer *stream.Producer, names topic.Names, recorder string) *Writer {
	return &Writer{producer: producer, names: names, books: books.New(recorder, time.Now())}
}

// Write hands an exchange over; it waits while the producer's buffer is at its
// bound. After Kafka has failed to take one it fails at once.
func (w *Writer) Write(ctx context.Context, e *understudyv1.Exchange) error {
	entry, _ := w.books.Open()
	r, err := stream.ExchangeRecord(w.names, e)
	if err != nil {
		entry.Drop(books.ReasonTooLarge)
		return err
	}
	if err := w.failed(); err != nil {
		entry.Drop(books.ReasonKafka)
		return err
	}
	w.producer.Produce(ctx, r, func(_ *kgo.Record, err error) {
		if err == nil {
			entry.Record()
			return
		}
		entry.Drop(recorder.Reason(reason(err)))
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = fmt.Errorf("%w: %w", ErrWrite, err)
	})
	return nil
}

// Finish waits for the acknowledgements and writes the final tally.
func (w *Writer) Finish(ctx context.Context) error {
	flushed := w.producer.Flush(ctx)
	r, err := stream.TallyRecord(w.names, w.books.Statement(time.Now(), true))
	if err == nil && flushed == nil {
		err = w.producer.ProduceSync(ctx, r)
	}
	return errors.Join(w.failed(), flushed, err)
}

func (w *Writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Tally returns the counts at this moment.
func (w *Writer) Tally() books.Tally { return w.books.Tally() }
