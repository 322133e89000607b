package recorder

import (
	"context"
	"errors"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Errors by which a Sink says why it did not take an exchange; any other error
// counts as kafka_error.
var (
	// ErrFull: the sink's buffer is at its bound.
	ErrFull = errors.New("sink is full")
	// ErrTooLarge: the exchange is larger than the sink can ever take.
	ErrTooLarge = errors.New("exchange is too large for the sink")
)

// Sink takes what was recorded. Its methods are called by one goroutine.
type Sink interface {
	// Exchange hands one exchange over and returns at once. When it returns
	// nil, done must be called exactly once, from any goroutine, when the
	// exchange is safe (nil) or lost.
	Exchange(e *understudyv1.Exchange, done func(error)) error
	// Tally hands a tally over under the same terms.
	Tally(t *understudyv1.Tally, done func(error)) error
	// Flush returns when everything handed over is done or ctx has ended.
	Flush(ctx context.Context) error
}

// Reasons for which a request that was served is not recorded, as they stand
// in tallies and metrics.
const (
	// ReasonBufferFull: the queue or the sink's buffer was full.
	ReasonBufferFull = "buffer_full"
	// ReasonMemory: its head did not fit under the memory limit.
	ReasonMemory = "memory"
	// ReasonTooLarge: the sink cannot take an exchange of this size.
	ReasonTooLarge = "too_large"
	// ReasonKafka: the sink lost it.
	ReasonKafka = "kafka_error"
	// ReasonShutdown: it was unfinished when the recorder stopped, or came
	// after.
	ReasonShutdown = "shutdown"
	// ReasonPanic: the handler panicked without a word on the transport.
	ReasonPanic = "panic"
	// ReasonPaused: the kill switch was on.
	ReasonPaused = "paused"
)

// Reasons lists them all.
func Reasons() []string {
	return []string{ReasonBufferFull, ReasonMemory, ReasonTooLarge, ReasonKafka, ReasonShutdown, ReasonPanic, ReasonPaused}
}

func reasonOf(err error) string {
	switch {
	case errors.Is(err, ErrFull):
		return ReasonBufferFull
	case errors.Is(err, ErrTooLarge):
		return ReasonTooLarge
	}
	return ReasonKafka
}
