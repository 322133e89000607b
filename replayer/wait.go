package replayer

import (
	"context"
	"sync"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// place takes a place in flight for a request that is due, and says why there is
// none. An open run does not wait for one; another one does, and the request is
// intended for when it came.
func (r *Replayer) place(x *one, size int64) (reason string) {
	if !r.cfg.Waits() {
		if reason = r.books.admit(size, r.cfg.InFlight, r.cfg.InFlightBytes); reason == "" {
			x.size = size
		}
		return reason
	}
	ctx, cancel := r.untilOver()
	defer cancel()
	waited := false
	if r.crowd != nil {
		var ok bool
		if waited, ok = r.crowd.take(ctx); !ok {
			return r.whyNot()
		}
		x.leave = sync.OnceFunc(r.crowd.give)
	}
	for ; ; waited = true {
		freed := r.books.awaitFree()
		if r.books.admit(size, r.cfg.InFlight, r.cfg.InFlightBytes) == "" {
			break
		}
		select {
		case <-freed:
		case <-ctx.Done():
			x.goes()
			return r.whyNot()
		}
	}
	x.size = size
	if !r.clock.pass(ctx) {
		x.goes()
		return r.whyNot()
	}
	switch now := time.Now(); {
	case r.cfg.Max:
		x.due, x.ScheduledUnixNano = now, now.UnixNano()
	case waited && now.After(x.due): // else the schedule is late, which is a lag
		x.holdUntil(now)
	}
	x.Moments = ownMoment(x.GetExchange(), x.due)
	return ""
}

// whyNot is why a request that waited for a place was not sent.
func (r *Replayer) whyNot() string {
	if r.clock.parent.Err() != nil {
		return skipCanceled
	}
	return skipOver
}

// untilOver ends when nothing more is to be sent: the time of sending is over, or
// the run is interrupted.
func (r *Replayer) untilOver() (context.Context, context.CancelFunc) {
	if r.cfg.For == 0 {
		return context.WithCancel(r.clock.parent)
	}
	return context.WithDeadline(r.clock.parent, r.clock.after(r.cfg.For))
}

// after is when the run has been sending for so long, as far as is known: a pause
// that comes makes it later.
func (c *clock) after(d time.Duration) time.Time {
	epoch, pauses, open, _ := c.now()
	at := time.Unix(0, epoch.GetStartUnixNano()).Add(d)
	for _, p := range pauses {
		if !at.Before(p.From) {
			at = at.Add(p.To.Sub(p.From))
		}
	}
	if !open.IsZero() && !at.Before(open) {
		at = at.Add(max(0, time.Since(open)))
	}
	return at
}

// ownMoment ties an exchange to when it leaves, where time does not run evenly:
// what was recorded before it has no moment in the replay.
func ownMoment(e *understudyv1.Exchange, due time.Time) []*understudyv1.Moment {
	return []*understudyv1.Moment{{RecordedUnixNano: e.GetStartUnixNano(), ReplayedUnixNano: due.UnixNano()}}
}
