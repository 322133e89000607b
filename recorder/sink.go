package recorder

import (
	"context"
	"errors"

	"understudy.dev/recorder/books"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Errors by which a Sink says what became of an exchange; any other error
// counts as kafka_error.
var (
	// ErrFull: the sink's buffer is at its bound.
	ErrFull = errors.New("sink is full")
	// ErrTooLarge: the exchange is larger than the sink can ever take.
	ErrTooLarge = errors.New("exchange is too large for the sink")
	// ErrSpooled: it is not lost but safe on disk, and will be written.
	ErrSpooled = errors.New("exchange is on disk")
	// ErrSpoolFull: it should have gone to disk, where there is no room.
	ErrSpoolFull = errors.New("spool is full")
	// ErrSpoolFailed: it should have gone to disk, which fails.
	ErrSpoolFailed = errors.New("spool fails")
	// ErrInternal: this program failed at it.
	ErrInternal = errors.New("internal fault")
)

// Sink takes what was recorded. Its methods are called by one goroutine.
type Sink interface {
	// Exchange hands one exchange over and returns at once. When it returns
	// nil, done must be called exactly once, from any goroutine, when the
	// exchange is safe (nil or ErrSpooled) or lost.
	Exchange(e *understudyv1.Exchange, done func(error)) error
	// Tally hands a tally over under the same terms.
	Tally(t *understudyv1.Tally, done func(error)) error
	// Flush returns when everything handed over is done or ctx has ended.
	Flush(ctx context.Context) error
}

// Refuser is a Sink that knows beforehand that it would not take an exchange:
// none is hashed, redacted and encoded in vain.
type Refuser interface {
	// Refuses is the error that Exchange would give now, nil if it would take
	// one.
	Refuses() error
}

// Reason returns the reason of package books for an error of a Sink.
func Reason(err error) string {
	for _, r := range []struct {
		err    error
		reason string
	}{
		{ErrFull, books.ReasonBufferFull}, {ErrTooLarge, books.ReasonTooLarge}, {ErrInternal, books.ReasonInternal},
		{ErrSpoolFull, books.ReasonSpoolFull}, {ErrSpoolFailed, books.ReasonSpoolError},
	} {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return books.ReasonKafka
}
