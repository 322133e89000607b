package replayer

import (
	"context"
	"net/http"
	"time"

	"understudy.dev/exchange/target"
	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/schedule"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// one is a replay that is under way.
type one struct {
	*understudyv1.Replay
	known   *substitute.Exchange // nil where names are not translated
	control *substitute.Exchange // likewise, of the control
	due     time.Time
	// isControlled: it is in the control sample; unasked is why the control is not
	// asked all the same, and asked is set once it is.
	isControlled bool
	unasked      string
	asked        *asked
	size         int64  // of its place in flight
	part         *part  // of a team; nil without one
	free         func() // lets the next request of its session go; nil if none waits
	leave        func() // gives its place among the users back; nil if there is none
}

// holdUntil says that the request was held back beyond its time until now: that
// is when it is intended to be sent, and the wait is neither the candidate's
// latency nor a lag of the schedule.
func (x *one) holdUntil(now time.Time) {
	// By the clock on the wall, as the record has it: that and the monotonic one
	// may have gone apart.
	if held := now.UnixNano() - x.due.UnixNano(); held > 0 {
		x.due = now
		x.HeldNano += held
		x.ScheduledUnixNano = now.UnixNano()
	}
}

// release lets the next request of the session go, if one waits.
func (x *one) release() {
	if x.free != nil {
		x.free()
	}
}

// goes lets another user come in its place.
func (x *one) goes() {
	if x.leave != nil {
		x.leave()
	}
}

// register enters an exchange into the memories of names. Those of a run are
// registered in their order, also what is not selected: nobody sends that, and so
// nothing is known that it made on the candidate.
func (r *Replayer) register(ctx context.Context, x timed) (out recorded, isSelected bool) {
	r.watchBaseline(x.Exchange)
	out = recorded{timed: x}
	if (copyOf{x.lap, x.clone}).isFirst() {
		out.control = r.controls.register(x.Exchange)
	}
	if !r.cfg.KeepValues {
		out.known = r.memoryOf(x).Register(x.Exchange)
	}
	if reason := r.selector.leaves(x.Exchange); reason != "" {
		r.books.unselected(reason)
		out.known.Settle()
		out.control.Settle()
		return out, false
	}
	if x.isSpread {
		r.books.spread()
	}
	r.registered++
	out.ordinal = r.registered
	if r.team != nil {
		if before := r.team.ledger.enter(ctx, out); before != nil {
			recall(out, before, r.cfg.Redactor != nil)
		}
	}
	return out, true
}

// abandons says whether a replay is left to another worker: its part was lost, or
// this worker leaves, before its end was known.
func (r *Replayer) abandons(ctx context.Context, x *one) bool {
	if r.team == nil || ctx.Err() == nil {
		return false
	}
	r.team.mu.Lock()
	defer r.team.mu.Unlock()
	return !r.team.writes
}

// again is an exchange as it was before it was sent.
func (r *Replayer) again(x *one) *one {
	e := recorded{timed: timed{Exchange: x.GetExchange(), lap: x.GetLap(), clone: x.GetClone()}, ordinal: x.GetOrdinal(), known: x.known, control: x.control}
	due := x.due.Add(-time.Duration(x.GetHeldNano()))
	out := r.newOne(e, due, x.GetMoments())
	out.part = x.part
	return out
}

// drive sends one exchange, waits for its end and closes its replay.
func (r *Replayer) drive(ctx context.Context, replay *one) {
	if r.abandons(ctx, replay) {
		r.giveBack(replay)
		return
	}
	if ctx.Err() != nil {
		r.skip(ctx, replay, skipCanceled)
		return
	}
	intended, unresolved := r.awaitNames(ctx, replay)
	defer replay.known.Leave() // if it is not sent
	e, as := replay.GetExchange(), copyIn(replay.Replay)
	id := as.name(e.GetId())
	var q *http.Request
	var body []byte
	var request *substitute.Request
	if unresolved == nil {
		request, unresolved = replay.known.Translate(func(names *substitute.Request) { q, body = r.to.build(e, id, names) })
	}
	switch {
	case r.abandons(ctx, replay):
		r.giveBack(replay)
		return
	case ctx.Err() != nil, r.isKilled():
		r.skip(ctx, replay, skipCanceled)
		return
	case unresolved != nil:
		replay.SkippedDetail = unresolved.String()
		r.skip(ctx, replay, skipUnresolved)
		return
	}
	body, err := r.rewrite(replay.Replay, q, body)
	if err != nil {
		replay.Candidate, replay.ScheduledUnixNano = notRewritten(err), 0
		if replay.isControlled {
			r.controls.miss(controlUnsent)
		}
		r.close(ctx, replay)
		return
	}
	replay.CandidateAuthority, replay.CandidateScheme = q.Host, q.URL.Scheme
	if holdsTokens(e, q, body) {
		r.books.redacted()
		r.tokens.Do(func() {
			r.log.Warn("a request is sent with tokens in the place of secrets that redaction took away; a candidate that knows the secrets refuses it, one that was filled by this run takes it; "+
				"record.redact.rules with the action keep record what the candidate needs", "exchange", e.GetId(), "route", e.GetRoute())
		})
	}
	turn := r.order.Begin(as.name(e.GetSession()), e.GetId(), e.GetStartUnixNano(), e.GetStartUnixNano()+e.GetDurationNano())
	defer turn.Forget()
	var promise, final *understudyv1.Response
	observation, ok := r.client.Do(ctx, target.Request{
		ID: id, Session: as.name(e.GetSession()), HTTP: q, Body: body, Route: e.GetRoute(), Recorded: e.GetResponse(), Scheduled: intended, Turn: turn,
		Sent: func(at time.Time) {
			replay.known.Leave()
			replay.SentUnixNano = at.UnixNano()
			r.books.sent(intended, at)
			r.metrics.sent.Inc()
			r.metrics.lag.Observe(at.Sub(intended).Seconds())
			switch {
			case replay.isControlled && replay.unasked != "":
				r.controls.miss(replay.unasked)
			case replay.isControlled:
				replay.asked = r.controls.ask(ctx, replay.control, replay.Replay, at)
			}
		},
		Acked: func(ack *understudyv1.Response) {
			if promise = ack; r.cfg.Order == OrderAcknowledged {
				replay.release()
			}
		},
		Final: func(answer *understudyv1.Response) {
			final = answer
			replay.known.Learn(promise, answer, timestamp.FrameOf(replay.Replay, time.Since(time.Unix(0, replay.SentUnixNano))))
			replay.release() // what comes after the first end is nobody's wait
			replay.goes()
		},
	})
	if !ok && r.abandons(ctx, replay) {
		replay.asked.answered()
		r.giveBack(replay)
		return
	}
	replay.known.Settle() // if no final answer came
	replay.goes()
	r.crowd.saw(time.Now(), observation, e)
	if !ok {
		if replay.asked.answered() {
			r.controls.miss(controlInterrupted)
		}
		// It counts as skipped, because nobody saw its end; that it was sent, and
		// what was seen, stands in the record all the same.
		replay.Skipped, replay.Candidate = skipInterrupted, observation
		r.close(ctx, replay)
		return
	}
	replay.Candidate = observation
	r.watchErrors(observation)
	if d := observation.GetCompletion(); d.GetChannel() > understudyv1.Channel_CHANNEL_IMMEDIATE && d.GetSeen() > 0 {
		d.Overtook = turn.Overtook(r.stop)
	}
	replay.Substitutions, replay.SubstitutionsDropped = replay.known.Record(request, final, observation.GetAck())
	replay.release()
	replay.asked.into(replay.Replay)
	r.close(ctx, replay)
}

// awaitNames waits for the answers that the request needs names from. The
// request is intended for when the last of them came, if that is after it was
// due, and behind those who waited for it before: the wait is neither the
// candidate's latency nor a lag of the schedule.
func (r *Replayer) awaitNames(ctx context.Context, replay *one) (intended time.Time, unresolved *substitute.Unresolved) {
	intended, unresolved = replay.known.Wait(ctx, r.patience, replay.due)
	if intended.After(replay.due) {
		if unresolved == nil {
			sleepUntil(ctx, intended)
		}
		replay.holdUntil(intended)
	}
	return intended, unresolved
}

func sleepUntil(ctx context.Context, at time.Time) {
	left := time.Until(at)
	if left <= 0 {
		return
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// skip closes a replay that does not count as sent.
func (r *Replayer) skip(ctx context.Context, replay *one, reason string) {
	replay.Skipped, replay.ScheduledUnixNano, replay.SentUnixNano = reason, 0, 0
	r.close(ctx, replay)
}

// close writes a replay and frees its place in flight, if it has one, when the
// sink has taken it.
func (r *Replayer) close(ctx context.Context, replay *one) {
	if r.team != nil && !r.team.ledger.own(replay.GetOrdinal()) {
		r.leave(replay) // another worker was faster
		return
	}
	replay.known.Settle()
	if replay.asked == nil {
		replay.control.Settle()
	}
	replay.ClosedUnixNano = time.Now().UnixNano()
	if replay.Skipped != "" {
		r.metrics.skipped.WithLabelValues(replay.Skipped).Inc()
	}
	r.books.ended(replay.Replay)
	hand := func() { r.sink.Replay(context.WithoutCancel(ctx), replay.Replay, r.books.written) }
	if replay.size > 0 {
		r.books.hand(replay.size, hand)
	} else {
		hand()
	}
}

// giveBack leaves an exchange to whoever holds its part.
func (r *Replayer) giveBack(x *one) {
	x.known.Leave()
	r.team.back(x.part, x)
	r.leave(x)
}

// leave frees the place in flight of what is not written.
func (r *Replayer) leave(x *one) {
	if x.size > 0 {
		r.books.hand(x.size, func() {})
	}
}

// orphan writes a completion that belongs to no request. In a team it is counted
// when it is read again, once by each worker.
func (r *Replayer) orphan(o *understudyv1.Orphan) {
	written := r.books.written
	if r.team == nil {
		r.books.orphan()
	} else {
		written = func(err error) {
			if err != nil {
				r.books.written(err)
			}
		}
	}
	r.sink.Replay(context.Background(), &understudyv1.Replay{
		Run: r.cfg.Run, Attempt: 1, Orphan: o, ClosedUnixNano: time.Now().UnixNano(), Speed: r.cfg.Speed,
	}, written)
}

// moments are those of a plan as a record holds them, made anew only when the
// plan has others.
type moments struct {
	latest schedule.Moment
	lists  map[time.Duration][]*understudyv1.Moment // by how much later its copy is
}

func (m *moments) of(p *schedule.Plan, shift time.Duration) []*understudyv1.Moment {
	all := p.Moments()
	if latest := all[len(all)-1]; m.lists == nil || latest != m.latest || len(m.lists) > MaxMultiply {
		m.latest, m.lists = latest, map[time.Duration][]*understudyv1.Moment{}
	}
	list, known := m.lists[shift]
	if !known {
		for _, x := range all {
			list = append(list, &understudyv1.Moment{RecordedUnixNano: x.Recorded.Add(-shift).UnixNano(), ReplayedUnixNano: x.Replayed.UnixNano()})
		}
		m.lists[shift] = list
	}
	return list
}
