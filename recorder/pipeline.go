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

// Run hands exchanges to the sink and writes tallies, the first at once, until
// ctx ends, then drains what is pending and writes the final tally, both within
// the DrainTimeout. It may be called once. It returns an error if the sink did
// not return or did not take the final tally.
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
	grace := time.NewTimer(r.cfg.DrainTimeout + hangGrace)
	defer grace.Stop()
	select {
	case err := <-ended:
		return err
	case <-grace.C:
		r.books.Close()
		return fmt.Errorf("stop recorder: %w: the sink did not return; what it held is counted as dropped", ErrFinalTally)
	}
}

// hangGrace is how long beyond its time the sink may take to return.
const hangGrace = 500 * time.Millisecond

func (r *Recorder) work(ctx context.Context) error {
	tick := time.NewTicker(r.cfg.TallyInterval)
	defer tick.Stop()
	gather := time.NewTimer(gatherTime)
	defer gather.Stop()
	var before books.Tally
	tally := func() {
		before = r.report(before)
		r.tally(false, func(error) {})
	}
	r.tally(false, func(error) {}) // so that a life is known that is killed at once
	for ctx.Err() == nil {
		select {
		case t := <-r.pending:
			r.deliver(t)
			r.deliverWaiting(ctx, tick.C, tally)
			// Gathering for a moment costs the live path fewer wake-ups.
			gather.Reset(gatherTime)
			select {
			case <-gather.C:
			case <-ctx.Done():
			}
		case <-tick.C:
			tally()
		case <-ctx.Done():
		}
	}
	return r.drain(context.WithoutCancel(ctx))
}

// gatherTime is how long the queue fills between two rounds of delivery. At
// 100,000 requests a second that is 500 exchanges.
const gatherTime = 5 * time.Millisecond

// deliverWaiting delivers what is in the queue now, not what arrives meanwhile.
// Where that takes long, tallies come between, and the end of ctx ends it.
func (r *Recorder) deliverWaiting(ctx context.Context, due <-chan time.Time, tally func()) {
	for range len(r.pending) {
		select {
		case <-due:
			tally()
		case <-ctx.Done():
			return
		default:
		}
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

// deliver seals an exchange and hands it over, unless the sink would refuse it.
func (r *Recorder) deliver(t *tapWriter) {
	k := &ticket{books: r.books, entry: t.entry, bytes: t.held()}
	// One exchange that nobody thought of must not end the process that serves
	// the traffic.
	defer r.guard("an exchange could not be recorded", t.entry.Sequence, func() { k.done(ErrInternal) })
	if r.refuser != nil {
		if err := r.refuser.Refuses(); err != nil {
			k.done(err)
			return
		}
	}
	e := r.seal(t)
	t.entry.Hand()
	if err := r.sink.Exchange(e, k.done); err != nil {
		k.done(err)
	}
}

// guard is deferred: it turns a panic into a log line and a call of failed.
func (r *Recorder) guard(what string, sequence uint64, failed func()) {
	p := recover()
	if p == nil {
		return
	}
	failed()
	if time.Since(r.panicked) >= panicLogEvery {
		r.panicked = time.Now()
		r.log.Error(what+": panic", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()),
			"sequence", sequence, "recorder", r.instance, "at_most_every", panicLogEvery)
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
	switch {
	case err == nil:
		k.entry.Record()
	case errors.Is(err, ErrSpooled):
		k.entry.Spool()
	default:
		k.entry.Drop(Reason(err))
	}
}

// settlePause is how often drain checks whether handlers have returned.
const settlePause = 10 * time.Millisecond

func (r *Recorder) drain(ctx context.Context) error {
	over := time.Now().Add(r.cfg.DrainTimeout)
	// A quarter of the time is the final tally's.
	ctx, cancel := context.WithDeadline(ctx, over.Add(-r.cfg.DrainTimeout/4))
	defer cancel()
	again := time.NewTicker(settlePause)
	defer again.Stop()
	for waiting := true; waiting; {
		select {
		case t := <-r.pending:
			r.deliver(t)
			waiting = ctx.Err() == nil
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
	return r.finalTally(over, flushed)
}

// ErrFinalTally says that the sink did not take the final tally: nothing that
// is kept says what became of the exchanges that are missing.
var ErrFinalTally = errors.New("the final tally is not written")

func (r *Recorder) finalTally(over time.Time, flushed error) error {
	ctx, cancel := context.WithDeadline(context.Background(), over)
	defer cancel()
	written := make(chan error, 1)
	r.tally(true, func(err error) { written <- err })
	err := r.sink.Flush(ctx) // which may wait for exchanges too
	select {
	case err = <-written:
	default:
		select {
		case err = <-written:
		case <-ctx.Done():
			err = errors.Join(err, ctx.Err())
		}
	}
	if err != nil {
		return fmt.Errorf("stop recorder: %w: %w", ErrFinalTally, errors.Join(err, flushed))
	}
	return nil
}

func (r *Recorder) tally(final bool, done func(error)) {
	failed := func(err error) {
		r.metrics.tallyErrors.Inc()
		done(err)
	}
	defer r.guard("a tally could not be written", 0, func() { failed(ErrInternal) })
	r.audit()
	statement := r.books.Statement(time.Now(), final)
	statement.Baseline = r.cfg.Baseline
	err := r.sink.Tally(statement, func(err error) {
		if err != nil {
			failed(err)
			return
		}
		done(nil)
	})
	if err != nil {
		failed(err)
	}
}

// audit says when the books do not balance: what happens at one place does not
// fit what happens at another.
func (r *Recorder) audit() {
	t := r.books.Tally()
	if t.Excess() == r.excess {
		return
	}
	r.excess = t.Excess()
	r.metrics.violations.Inc()
	r.log.Error("the recorder's books do not balance, which is a fault of the recorder: served is not recorded + dropped + spooled + pending",
		"excess", r.excess, "served", t.Served, "recorded", t.Recorded, "dropped", t.Dropped, "spooled", t.Spooled,
		"under_way", t.UnderWay, "queued", t.Queued, "in_sink", t.InSink, "recorder", r.instance)
}
