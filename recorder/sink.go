package recorder

import (
	"context"
	"errors"

	"understudy.dev/recorder/books"
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

// errPanic is why an exchange is dropped at which this program fails.
var errPanic = errors.New("panic")

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

// Reason returns the reason of package books for an error of a Sink.
func Reason(err error) string {
	switch {
	case errors.Is(err, ErrFull):
		return books.ReasonBufferFull
	case errors.Is(err, ErrTooLarge):
		return books.ReasonTooLarge
	case errors.Is(err, errPanic):
		return books.ReasonPanic
	}
	return books.ReasonKafka
}
