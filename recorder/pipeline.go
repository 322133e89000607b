package recorder

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"understudy.dev/recorder/books"
)

// Run hands exchanges to the sink and writes tallies until ctx ends, then
// drains what is pending within the DrainTimeout and writes the final tally. It
// may be called once. It returns an error if the sink did not return or did not
// take the final tally.
func (r *Recorder) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- r.work(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// A sink that honours its context returns at once; one that hangs must not
	// keep the process from ending.
	grace := time.NewTimer(2*r.cfg.DrainTimeout + time.Second)
	defer grace.Stop()
	select {
	case err := <-ended:
		return err
	case <-grace.C:
		r.books.Close()
		return fmt.Errorf("stop recorder: %w: the sink did not return; what it held is counted as dropped", ErrFinalTally)
	}
}

func (r *Recorder) work(ctx context.Context) error {
	tick := time.NewTicker(r.cfg.TallyInterval)
	defer tick.Stop()
	gather := time.NewTimer(gatherTime)
	defer gather.Stop()
	var before books.Tally
	for {
		select {
		case t := <-r.pending:
			r.deliver(t)
			r.deliverWaiting()
			// Gathering for a moment costs the live path fewer wake-ups.
			gather.Reset(gatherTime)
			select {
			case <-gather.C:
			case <-ctx.Done():
			}
		case <-tick.C:
			before = r.report(before)
			r.tally(false, func(error) {})
		case <-ctx.Done():
			return r.drain(context.WithoutCancel(ctx))
		}
	}
}

// gatherTime is how long the queue fills between two rounds of delivery. At
// 100,000 requests a second that is 500 exchanges.
const gatherTime = 5 * time.Millisecond

// deliverWaiting delivers what is in the queue now, not what arrives meanwhile,
// so that tallies are not starved.
func (r *Recorder) deliverWaiting() {
	for range len(r.pending) {
		r.deliver(<-r.pending)
	}
}

// report logs what was dropped since the last report, if anything.
func (r *Recorder) report(before books.Tally) books.Tally {
	now := r.books.Tally()
	for reason, n := range now.Dropped {
		if d := n - before.Dropped[reason]; d > 0 {
			r.log.Warn("exchanges not recorded", "reason", reason, "count", d, "recorder", r.instance)
		}
	}
	return now
}

// panicLogEvery is how often a stack is logged; the books count every panic.
const panicLogEvery = 10 * time.Second

func (r *Recorder) deliver(t *tapWriter) {
	k := &ticket{books: r.books, entry: t.entry, bytes: t.held()}
	defer func() {
		// One exchange that nobody thought of must not end the process that
		// serves the traffic.
		if p := recover(); p != nil {
			k.done(errPanic)
			if time.Since(r.panicked) >= panicLogEvery {
				r.panicked = time.Now()
				r.log.Error("an exchange could not be recorded: panic", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()),
					"sequence", t.entry.Sequence, "recorder", r.instance, "at_most_every", panicLogEvery)
			}
		}
	}()
	if err := r.sink.Exchange(r.seal(t), k.done); err != nil {
		k.done(err)
	}
}

// ticket settles one exchange that the sink has, once. Nothing else of the
// exchange waits for the sink: request and response can be freed.
type ticket struct {
	books *books.Books
	entry *books.Entry
	bytes int64
	used  atomic.Bool
}

func (k *ticket) done(err error) {
	if k.used.Swap(true) {
		return
	}
	k.books.Release(k.bytes)
	if err != nil {
		k.entry.Drop(Reason(err))
		return
	}
	k.entry.Record()
}

// settlePause is how often drain checks whether handlers have returned.
const settlePause = 10 * time.Millisecond

func (r *Recorder) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.DrainTimeout)
	defer cancel()
	again := time.NewTicker(settlePause)
	defer again.Stop()
	for waiting := true; waiting; {
		select {
		case t := <-r.pending:
			r.deliver(t)
			continue
		default:
		}
		if r.inFlight.Load() == 0 && len(r.pending) == 0 {
			break
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			waiting = false
		}
	}
	// Close counts what the sink cannot finish in the remaining time as dropped.
	flushed := r.sink.Flush(ctx)
	r.books.Close()
	return r.finalTally(flushed)
}

// ErrFinalTally says that the sink did not take the final tally: nothing that
// is kept says what became of the exchanges that are missing.
var ErrFinalTally = errors.New("the final tally is not written")

// lastTry bounds the wait for the final tally after a sink has not finished
// what it held within the DrainTimeout.
const lastTry = 2 * time.Second

func (r *Recorder) finalTally(flushed error) error {
	limit := r.cfg.DrainTimeout
	if flushed != nil {
		limit = min(limit, lastTry)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	written := make(chan error, 1)
	r.tally(true, func(err error) { written <- err })
	err := r.sink.Flush(ctx)
	select {
	case err = <-written:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("stop recorder: %w: %w", ErrFinalTally, errors.Join(err, flushed))
	}
	return nil
}

func (r *Recorder) tally(final bool, done func(error)) {
	if t := r.books.Tally(); t.Excess() != r.excess {
		r.excess = t.Excess()
		r.log.Error("the recorder's books do not balance, which is a fault of the recorder: served is not recorded + dropped + pending",
			"excess", r.excess, "served", t.Served, "recorded", t.Recorded, "dropped", t.Dropped, "pending", t.Pending, "recorder", r.instance)
	}
	err := r.sink.Tally(r.books.Statement(time.Now(), final), func(err error) {
		if err != nil {
			r.metrics.tallyErrors.Inc()
		}
		done(err)
	})
	if err != nil {
		r.metrics.tallyErrors.Inc()
		done(err)
	}
}
