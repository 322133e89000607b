package replayer

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"understudy.dev/exchange/pace"
	"understudy.dev/replayer/schedule"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// send schedules everything that the source gives. inner is the context of the
// requests, which outlives ctx by the drain time.
func (r *Replayer) send(ctx, inner context.Context) error {
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	ahead := readFrom(reading, r.laps, r.register)
	pacer := pace.Early() // the client sends when it is time
	var plan *schedule.Plan
	var moments moments
	last, isOver := uint64(0), false
	for e := range ahead.exchanges {
		ahead.used(e)
		if isOver {
			e.known.Settle()
			e.control.Settle()
			continue
		}
		if r.team != nil && ctx.Err() != nil {
			continue // it is left to others
		}
		start := e.start
		if plan == nil {
			if plan = r.plan(ctx, start); plan == nil {
				continue
			}
		}
		due := plan.At(start)
		if isOver = r.isOver(plan); isOver {
			stopReading()
			e.known.Settle()
			e.control.Settle()
			continue
		}
		last = e.ordinal
		if r.team != nil && (r.team.ledger.isDone(e.ordinal) || !r.team.reach(ctx, due)) {
			continue
		}
		if r.cfg.Follow {
			due = start.Add(r.cfg.Delay)
		}
		if pause := time.Until(due); pause > longPause {
			r.log.Warn("the next request is due after a long pause of the recording; --max-gap cuts pauses", "pause", pause.Round(time.Second), "due", due.UTC())
		}
		var interrupted error
		if r.cfg.Follow {
			interrupted = pacer.Until(ctx, due)
		} else {
			due, interrupted = r.clock.until(ctx, pacer, plan)
		}
		if r.team != nil {
			if interrupted == nil {
				r.deal(ctx, e, due, r.moments(&moments, plan, e, due))
			}
			continue
		}
		one := r.newOne(e, due, r.moments(&moments, plan, e, due))
		r.books.selected()
		if interrupted != nil {
			r.skipAt(one, skipCanceled)
			continue
		}
		r.launch(inner, one, nil)
	}
	if r.team != nil && ctx.Err() == nil {
		r.team.ledger.close(last)
		r.team.arrive()
	}
	if err := ctx.Err(); !r.cfg.Follow || err == nil { // being told to is the way in which shadow mode ends
		if isOver {
			return err
		}
		return cmp.Or(err, ahead.err)
	}
	return nil
}

// longPause is how long a run may wait without saying what for.
const longPause = 10 * time.Minute

// leadIn lets the first requests be prepared before they are due.
const leadIn = 20 * time.Millisecond

// plan is the schedule of the run, whose first exchange began at start; nil if
// ctx ends before it is known. A worker of a team waits until it is said.
func (r *Replayer) plan(ctx context.Context, start time.Time) *schedule.Plan {
	begin := time.Now().Add(leadIn)
	switch {
	case r.cfg.Follow:
		begin = start.Add(r.cfg.Delay)
	case r.team != nil:
		epoch := r.team.known(ctx, start)
		if epoch == nil || ctx.Err() != nil {
			return nil
		}
		if epoch.GetRecordedUnixNano() != start.UnixNano() {
			r.failing.stop(fmt.Errorf("the run began with an exchange of %s, and the first one now is of %s: the recording is another", clockTime(epoch.GetRecordedUnixNano()), clockTime(start.UnixNano())))
			return nil
		}
		begin = time.Unix(0, epoch.GetStartUnixNano())
	default:
		r.clock.set(&understudyv1.Epoch{RecordedUnixNano: start.UnixNano(), StartUnixNano: begin.UnixNano()})
	}
	if rate, _ := r.cfg.PerSecond(); rate > 0 || r.cfg.Max {
		return schedule.NewRate(begin, rate)
	}
	return schedule.New(begin, r.cfg.Speed, r.cfg.MaxGap)
}

// isOver says that what the plan gave last is not to be sent any more, because it
// would leave after the time of sending.
func (r *Replayer) isOver(plan *schedule.Plan) bool {
	if r.cfg.For == 0 {
		return false
	}
	return plan.Elapsed() >= r.cfg.For || r.cfg.Waits() && !time.Now().Before(r.clock.after(r.cfg.For))
}

// moments are those by which times in the answers of an exchange are read.
func (r *Replayer) moments(m *moments, plan *schedule.Plan, e recorded, due time.Time) []*understudyv1.Moment {
	if r.cfg.IsScaled() {
		return m.of(plan, e.shift)
	}
	return ownMoment(e.Exchange, due)
}

func clockTime(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format(time.RFC3339Nano) }

// newOne begins the replay of an exchange.
func (r *Replayer) newOne(e recorded, due time.Time, moments []*understudyv1.Moment) *one {
	x := &one{known: e.known, control: e.control, due: due, Replay: &understudyv1.Replay{
		Run: r.cfg.Run, Ordinal: e.ordinal, Attempt: 1, Exchange: e.Exchange, ScheduledUnixNano: due.UnixNano(), Moments: moments,
	}}
	if r.cfg.IsScaled() {
		x.Speed = r.cfg.Speed
	}
	if r.cfg.Loop != 1 || r.cfg.Multiply != 1 {
		x.Lap, x.Clone = e.lap, e.clone
	}
	return x
}
