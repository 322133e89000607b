package replayer

import (
	"context"
	"errors"
	"io"
	"sync"

	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// What is held ready so that reading never delays sending. Beyond either bound
// the reader waits for the sender.
const (
	maxAhead      = 4096
	maxAheadBytes = 64 << 20
)

// recorded is an exchange that will be sent or skipped, and its place in the
// memory of names; nil if there is none.
type recorded struct {
	*understudyv1.Exchange
	known *substitute.Exchange
}

// readAhead reads a source ahead of its use.
type readAhead struct {
	exchanges chan recorded
	err       error // once exchanges is closed

	mu   sync.Mutex
	room sync.Cond
	held int64 // bytes
}

// readFrom starts reading and registers what it reads; it ends with the source
// or with ctx, when exchanges is closed. exchanges must be read until then.
func readFrom(ctx context.Context, source Source, register func(*understudyv1.Exchange) *substitute.Exchange) *readAhead {
	a := &readAhead{exchanges: make(chan recorded, maxAhead)}
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
			a.exchanges <- recorded{e, register(e)}
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
func (a *readAhead) used(e recorded) {
	a.mu.Lock()
	a.held -= weight(e.Exchange)
	a.mu.Unlock()
	a.room.Signal()
}
