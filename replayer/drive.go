package replayer

import (
	"context"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/replayer/substitute"
	"understudy.dev/replayer/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// maxSubstitutions bounds what a replay says about renamed values.
const maxSubstitutions = 64

// drive sends one exchange, waits for its end and closes its replay.
func (r *Replayer) drive(ctx context.Context, replay *understudyv1.Replay, due time.Time) {
	if ctx.Err() != nil {
		r.skip(ctx, replay, skipCanceled, true)
		return
	}
	e := replay.GetExchange()
	pairs := r.known(e)
	replacer := substitute.NewReplacer(pairs)
	turn := r.order.Begin(e.GetSession(), e.GetId(), e.GetStartUnixNano(), e.GetStartUnixNano()+e.GetDurationNano())
	defer turn.Forget()
	q, body := r.build(e, replacer)
	var promise *understudyv1.Response
	observation, ok := r.client.Do(ctx, target.Request{
		HTTP: q, Body: body, Route: e.GetRoute(), Recorded: e.GetResponse(), Scheduled: due, Turn: turn,
		Sent: func(at time.Time) {
			replay.SentUnixNano = at.UnixNano()
			r.books.sent(due, at)
			r.metrics.sent.Inc()
			r.metrics.lag.Observe(at.Sub(due).Seconds())
		},
		Acked: func(ack *understudyv1.Response) { promise = ack },
		Final: func(answer *understudyv1.Response) { r.learn(e, promise, answer) },
	})
	if !ok {
		r.skip(ctx, replay, skipInterrupted, true)
		return
	}
	replay.Candidate = observation
	if d := observation.GetCompletion(); d.GetChannel() > understudyv1.Channel_CHANNEL_IMMEDIATE && d.GetSeen() > 0 {
		d.Overtook = turn.Overtook(r.stop)
	}
	replay.Substitutions = substitutions(e, pairs, replacer.Uses(), r.known(e))
	r.close(ctx, replay, true)
}

// skip closes a replay that does not count as sent.
func (r *Replayer) skip(ctx context.Context, replay *understudyv1.Replay, reason string, admitted bool) {
	replay.Skipped, replay.ScheduledUnixNano, replay.SentUnixNano = reason, 0, 0
	r.close(ctx, replay, admitted)
}

// learn remembers which of the candidate's values stand for recorded ones.
// What the answers say comes before where the promise or they point.
func (r *Replayer) learn(e *understudyv1.Exchange, promise, answer *understudyv1.Response) {
	recorded := e.GetResponse()
	if r.cfg.KeepValues || recorded.GetStatus() >= 400 || answer.GetStatus() >= 400 {
		return
	}
	sent := [][]byte{e.GetRequest().GetTarget(), e.GetRequest().GetBody().GetContent()}
	var pairs []substitute.Pair
	if !recorded.GetBody().GetTruncated() && !answer.GetBody().GetTruncated() {
		pairs = substitute.Learn(plain(recorded), plain(answer), sent...)
	}
	if to := message.First(recorded.GetHeaders(), "Location"); to != "" {
		for _, said := range []*understudyv1.Response{answer, promise} {
			pairs = append(pairs, substitute.LearnLocation(to, message.First(said.GetHeaders(), "Location"), sent...)...)
		}
	}
	for i := range pairs {
		pairs[i].From = e.GetId()
	}
	r.memory.Learn(e.GetSession(), pairs)
}

// maxPlain bounds what a body is unpacked to, in bytes.
const maxPlain = 1 << 20

// plain is a body without its content codings; nothing if it cannot be had
// within bounds.
func plain(r *understudyv1.Response) []byte {
	body, err := message.Decode(r.GetBody().GetContent(), message.Joined(r.GetHeaders(), "Content-Encoding"), maxPlain)
	if err != nil {
		return nil
	}
	return body
}

// known are the pairs of the session as it is now.
func (r *Replayer) known(e *understudyv1.Exchange) []substitute.Pair {
	if r.cfg.KeepValues {
		return nil
	}
	return r.memory.Pairs(e.GetSession())
}

// substitutions lists the pairs that were used in the request or occur in the
// recorded response, without what this exchange itself taught: a value must not
// vouch for itself.
func substitutions(e *understudyv1.Exchange, sent []substitute.Pair, uses map[string]uint32, known []substitute.Pair) []*understudyv1.Substitution {
	var out []*understudyv1.Substitution
	seen := map[string]bool{}
	add := func(p substitute.Pair, n uint32) {
		if seen[p.Recorded] || len(out) >= maxSubstitutions {
			return
		}
		seen[p.Recorded] = true
		out = append(out, &understudyv1.Substitution{Recorded: p.Recorded, Candidate: p.Candidate, LearnedFrom: p.From, Uses: n})
	}
	for _, p := range sent {
		if n := uses[p.Recorded]; n > 0 {
			add(p, n)
		}
	}
	for _, p := range substitute.Occurring(plain(e.GetResponse()), known) {
		if p.From != e.GetId() {
			add(p, 0)
		}
	}
	return out
}

// close writes a replay; admitted says that it had a place in flight.
func (r *Replayer) close(ctx context.Context, replay *understudyv1.Replay, admitted bool) {
	replay.ClosedUnixNano = time.Now().UnixNano()
	if replay.Skipped != "" {
		r.metrics.skipped.WithLabelValues(replay.Skipped).Inc()
	}
	r.books.finished(replay, admitted)
	r.sink.Replay(context.WithoutCancel(ctx), replay, r.books.written)
}

// orphan writes a completion that belongs to no request.
func (r *Replayer) orphan(o *understudyv1.Orphan) {
	r.books.orphan()
	r.sink.Replay(context.Background(), &understudyv1.Replay{
		Run: r.cfg.Run, Attempt: 1, Orphan: o, ClosedUnixNano: time.Now().UnixNano(), Speed: r.cfg.Speed,
	}, r.books.written)
}
