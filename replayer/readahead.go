package replayer

import (
	"context"
	"errors"
	"io"
	"sync"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// What is held ready so that reading never delays sending. Beyond either bound
// the reader waits for the sender.
const (
	maxAhead      = 4096
	maxAheadBytes = 64 << 20
)

// readAhead reads a source ahead of its use.
type readAhead struct {
	exchanges chan *understudyv1.Exchange
	err       error // once exchanges is closed

	mu   sync.Mutex
	room sync.Cond
	held int64 // bytes
}

// readFrom starts reading; it ends with the source or with ctx, when exchanges
// is closed. exchanges must be read until then.
func readFrom(ctx context.Context, source Source) *readAhead {
	a := &readAhead{exchanges: make(chan *understudyv1.Exchange, maxAhead)}
	a.room.L = &a.mu
	go func() {
		defer close(a.exchanges)
		for {
			e, err := source.Next(ctx)
			if err != nil {
				if !errors.Is(err, io.EOF) {
					a.err = err
				}
				return
			}
			a.take(weight(e))
			a.exchanges <- e
		}
	}()
	return a
}

// take waits for room; one exchange always has some.
func (a *readAhead) take(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.held > 0 && a.held+n > maxAheadBytes {
		a.room.Wait()
	}
	a.held += n
}

// used gives back the room of an exchange that was taken from exchanges.
func (a *readAhead) used(e *understudyv1.Exchange) {
	a.mu.Lock()
	a.held -= weight(e)
	a.mu.Unlock()
	a.room.Signal()
}
