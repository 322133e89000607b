package replayer

import (
	"context"
	"errors"
	"io"

	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// What is held ready so that reading never delays sending. Beyond either bound
// the reader waits for the sender.
const (
	maxAhead      = 4096
	maxAheadBytes = 64 << 20
)

// recorded is an exchange that will be sent or skipped, and its places in the
// memories of the candidate's and the control's names; nil if there is none.
type recorded struct {
	*understudyv1.Exchange
	ordinal        uint64 // position in the run, from 1
	known, control *substitute.Exchange
}

// readAhead reads a source ahead of its use.
type readAhead struct {
	exchanges chan recorded
	err       error // once exchanges is closed
	room      *room
}

// readFrom starts reading and registers what it reads; it ends with the source
// or with ctx, when exchanges is closed. exchanges must be read until then.
func readFrom(ctx context.Context, source Source, register func(context.Context, *understudyv1.Exchange) (recorded, bool)) *readAhead {
	a := &readAhead{exchanges: make(chan recorded, maxAhead), room: newRoom(maxAheadBytes)}
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
			direct(e.GetRequest())
			a.room.take(weight(e))
			if x, isSelected := register(ctx, e); isSelected {
				a.exchanges <- x
			} else {
				a.room.give(weight(e))
			}
		}
	}()
	return a
}

// used gives back the room of an exchange that was taken from exchanges.
func (a *readAhead) used(e recorded) { a.room.give(weight(e.Exchange)) }
