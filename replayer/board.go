package replayer

import (
	"context"
	"slices"
	"sync"
	"time"

	"understudy.dev/exchange/pace"
	"understudy.dev/replayer/schedule"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Board is what is known of the run beside this process.
type Board interface {
	// Look returns the last record of the run, the last wish and the last share of
	// each worker; nil is none. changed is closed when there is something new.
	Look() (run *understudyv1.Run, wish *understudyv1.RunControl, shares []*understudyv1.RunShare, changed <-chan struct{})
}

// clock is when requests leave: the epoch of the run and its pauses. It is safe
// for concurrent use.
type clock struct {
	mu     sync.Mutex
	parent context.Context
	epoch  *understudyv1.Epoch // nil until it is known
	pauses []schedule.Pause    // those that are over
	open   time.Time           // since when one lasts; zero if none does
	// current ends when one of these changes.
	current context.Context
	change  context.CancelFunc
}

func newClock(ctx context.Context, epoch *understudyv1.Epoch) *clock {
	c := &clock{parent: ctx}
	c.current, c.change = context.WithCancel(ctx)
	c.set(epoch)
	return c
}

// set takes an epoch; one that is as before changes nothing.
func (c *clock) set(epoch *understudyv1.Epoch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch == nil || same(c.epoch, epoch) {
		return
	}
	c.epoch, c.pauses, c.open = epoch, nil, time.Time{}
	for _, p := range epoch.GetPauses() {
		from := time.Unix(0, p.GetFromUnixNano())
		if p.GetToUnixNano() == 0 {
			c.open = from
			break
		}
		c.pauses = append(c.pauses, schedule.Pause{From: from, To: time.Unix(0, p.GetToUnixNano())})
	}
	c.change()
	c.current, c.change = context.WithCancel(c.parent)
}

// same says whether two epochs are one and nothing has happened in between.
func same(a, b *understudyv1.Epoch) bool {
	if a == nil || a.GetStartUnixNano() != b.GetStartUnixNano() || len(a.GetPauses()) != len(b.GetPauses()) {
		return false
	}
	for i, p := range b.GetPauses() {
		if a.GetPauses()[i].GetToUnixNano() != p.GetToUnixNano() {
			return false
		}
	}
	return true
}

func (c *clock) now() (epoch *understudyv1.Epoch, pauses []schedule.Pause, open time.Time, current context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch, c.pauses, c.open, c.current
}

// begin waits until it is known when requests leave; nil if ctx ends before.
func (c *clock) begin(ctx context.Context) *understudyv1.Epoch {
	for {
		epoch, _, _, current := c.now()
		if epoch != nil || ctx.Err() != nil {
			return epoch
		}
		<-current.Done()
	}
}

// until waits until the last request of a plan is due, and returns when that is.
func (c *clock) until(ctx context.Context, pacer *pace.Pacer, plan *schedule.Plan) (time.Time, error) {
	for {
		_, pauses, open, current := c.now()
		due := plan.Pause(pauses)
		if !open.IsZero() && !due.Before(open) {
			<-current.Done() // paused
		} else if pacer.Until(current, due) == nil {
			return due, nil
		}
		if ctx.Err() != nil {
			return due, ctx.Err()
		}
	}
}

// pause is an epoch that pauses from now on; resume one that goes on at a time.
func paused(e *understudyv1.Epoch, at time.Time) *understudyv1.Epoch {
	return withPauses(e, append(e.GetPauses()[:len(e.GetPauses()):len(e.GetPauses())], &understudyv1.Pause{FromUnixNano: at.UnixNano()}))
}

func resumed(e *understudyv1.Epoch, at time.Time) *understudyv1.Epoch {
	all := append([]*understudyv1.Pause(nil), e.GetPauses()...)
	if n := len(all) - 1; n >= 0 && all[n].GetToUnixNano() == 0 {
		all[n] = &understudyv1.Pause{FromUnixNano: all[n].GetFromUnixNano(), ToUnixNano: at.UnixNano(), Dead: all[n].GetDead()}
	}
	return withPauses(e, all)
}

func withPauses(e *understudyv1.Epoch, all []*understudyv1.Pause) *understudyv1.Epoch {
	return &understudyv1.Epoch{RecordedUnixNano: e.GetRecordedUnixNano(), StartUnixNano: e.GetStartUnixNano(), Pauses: all}
}

func isPaused(e *understudyv1.Epoch) bool {
	n := len(e.GetPauses())
	return n > 0 && e.GetPauses()[n-1].GetToUnixNano() == 0
}

// pass waits while the run is paused; false if ctx ends before.
func (c *clock) pass(ctx context.Context) bool {
	for ctx.Err() == nil && c.parent.Err() == nil {
		_, _, open, current := c.now()
		if open.IsZero() || time.Now().Before(open) {
			return true
		}
		select {
		case <-current.Done():
		case <-ctx.Done():
		}
	}
	return false
}

// look takes what others have written: another epoch, the end of the run, or
// that another process goes on with it.
func (r *Replayer) look() {
	run, wish, _, _ := r.board.Look()
	if run != nil && run.GetWriter() != r.books.writer() {
		switch {
		case run.GetState().Ended():
			r.failing.stop(errEnded)
		case r.team == nil:
			r.failing.stop(ErrTakenOver)
		case run.GetVersion() > r.team.stale:
			if epoch, _, _, _ := r.clock.now(); epoch == nil || !r.team.holds(0) {
				r.clock.set(run.GetEpoch())
			}
		}
	}
	if wish.GetWish() == understudyv1.RunControl_WISH_STOP {
		r.failing.stop(errStopped)
	}
}

// obey does what is wished of the run's time; only who keeps its books does.
func (r *Replayer) obey() {
	_, wish, _, _ := r.board.Look()
	epoch, _, _, _ := r.clock.now()
	switch wish.GetWish() {
	case understudyv1.RunControl_WISH_PAUSE:
		if epoch != nil && !isPaused(epoch) {
			r.clock.set(paused(epoch, time.Now().Add(sayIn)))
		}
	case understudyv1.RunControl_WISH_RESUME:
		if isPaused(epoch) {
			r.clock.set(resumed(epoch, time.Now().Add(sayIn)))
		}
	}
}

// write writes the state of the run.
func (r *Replayer) write(ctx context.Context) {
	if err := r.sink.Run(ctx, r.record()); err != nil && ctx.Err() == nil {
		r.log.Warn("the state of the run could not be written", "error", err)
	}
}

// record is the run's next record, with the shares of its workers.
func (r *Replayer) record() *understudyv1.Run {
	epoch, _, _, _ := r.clock.now()
	if r.team == nil {
		next := r.books.record(time.Now(), epoch, 0)
		next.Users, next.Backoffs = r.crowd.state()
		return next
	}
	run, _, shares, _ := r.board.Look()
	next := r.books.record(time.Now(), epoch, run.GetVersion())
	for _, s := range shares {
		if s.GetWorker() != r.team.name {
			next.Redacted += s.GetRedacted()
			next.Routes = addRoutes(next.GetRoutes(), s.GetRoutes())
		}
	}
	return next
}

// addRoutes adds what the answers of routes were taken for.
func addRoutes(a, b []*understudyv1.RouteCompletion) []*understudyv1.RouteCompletion {
	at := map[string]*understudyv1.RouteCompletion{}
	var out []*understudyv1.RouteCompletion
	for _, x := range slices.Concat(a, b) {
		sum := at[x.GetRoute()]
		if sum == nil {
			sum = &understudyv1.RouteCompletion{Route: x.GetRoute(), Taken: map[string]uint64{}, Doubts: map[string]uint64{}}
			at[x.GetRoute()] = sum
			out = append(out, sum)
		}
		for what, n := range x.GetTaken() {
			sum.Taken[what] += n
		}
		for what, n := range x.GetDoubts() {
			sum.Doubts[what] += n
		}
	}
	return out
}
