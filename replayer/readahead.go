package replayer

import (
	"context"
	"iter"

	"understudy.dev/replayer/substitute"
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
	timed
	ordinal        uint64 // position in the run, from 1
	known, control *substitute.Exchange
}

// readAhead reads a source ahead of its use.
type readAhead struct {
	exchanges chan recorded
	err       error // once exchanges is closed
	room      *room
}

// readFrom starts reading and registers what it reads; it ends with what it reads
// or with ctx, when exchanges is closed. exchanges must be read until then.
func readFrom(ctx context.Context, from func(ctx context.Context, fail func(error)) iter.Seq[timed], register func(context.Context, timed) (recorded, bool)) *readAhead {
	a := &readAhead{exchanges: make(chan recorded, maxAhead), room: newRoom(maxAheadBytes)}
	go func() {
		defer close(a.exchanges)
		for e := range from(ctx, func(err error) { a.err = err }) {
			a.room.take(weight(e.Exchange))
			if x, isSelected := register(ctx, e); isSelected {
				a.exchanges <- x
			} else {
				a.room.give(weight(e.Exchange))
			}
		}
	}()
	return a
}

// used gives back the room of an exchange that was taken from exchanges.
func (a *readAhead) used(e recorded) { a.room.give(weight(e.Exchange)) }
