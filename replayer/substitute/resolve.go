package substitute

import (
	"context"
	"fmt"
	"slices"
	"time"

	"understudy.dev/exchange/names"
)

// Unresolved says why a request cannot be sent as its user would have sent it.
type Unresolved struct {
	// Kind and Name are those of the name that it needs, From the exchange that
	// made it, if the recording shows it.
	Kind, Name, From string
	Why              string
}

// maxShown is how much of a name is shown, in bytes.
const maxShown = 64

func (u *Unresolved) String() string {
	kind := u.Kind
	if kind == "" {
		kind = "name"
	}
	name := u.Name
	if len(name) > maxShown {
		name = name[:maxShown] + "…"
	}
	text := fmt.Sprintf("%s %q", kind, name)
	if u.From != "" {
		text += " of exchange " + u.From
	}
	return text + ": " + u.Why
}

// Why a name cannot be sent.
const (
	whyUnfinished = "that exchange is not finished in time"
	whyLost       = "the candidate did not do that exchange"
	whyNowhere    = "the candidate's answers do not hold it, and no pair is known"
	whyBroken     = "the answers contradict each other about what the candidate calls it"
	whyAmbiguous  = "several things are called so, and the candidate calls them otherwise"
	whyForeign    = "the candidate calls another thing so"
	whyUnclear    = "it may be what that exchange made, which the candidate calls otherwise"
	whyFixed      = "it is spelled, or stands, where it is not replaced"
	whyUnseen     = "the request holds more than is looked at"
	whyForgotten  = "it may be what was made in an answer that is not whole or cannot be read, or is no longer remembered"
	whyElsewhere  = "the candidate gave it to another worker of the run, and the records do not hold it"
	whyRedacted   = "it was redacted where it was recorded, and the candidate's own is not known"
)

// Wait waits until every exchange that makes what this one needs has its answer,
// and until those have left that waited for the same answers and come before,
// for as long as limit says; then Leave must be called. due is when the request
// is due; intended is when it is to be sent, never before. ctx's end and limit
// make the request unresolved.
func (x *Exchange) Wait(ctx context.Context, limit time.Duration, due time.Time) (intended time.Time, u *Unresolved) {
	if x == nil {
		return due, nil
	}
	x.Join(due)
	answered, u := x.await(ctx, limit)
	if u != nil {
		if due.After(answered) {
			return due, u
		}
		return answered, u
	}
	if intended = x.turn(ctx, limit, answered); intended.Before(due) {
		intended = due
	}
	return intended, nil
}

// await waits for answers; answered is when the last came, zero if there is none.
func (x *Exchange) await(ctx context.Context, limit time.Duration) (answered time.Time, u *Unresolved) {
	var timer *time.Timer
	wait := func(o *origin) bool {
		select {
		case <-o.done:
		default:
			if timer == nil {
				timer = time.NewTimer(limit)
			}
			select {
			case <-o.done:
			case <-timer.C:
				return false
			case <-ctx.Done():
				return false
			}
		}
		if o.at.After(answered) {
			answered = o.at
		}
		return true
	}
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	for _, n := range slices.Concat(x.needs, x.behind) {
		for _, e := range n.made {
			if !wait(e.by) {
				return time.Now(), x.session.because(n, whyUnfinished, e.by.exchange)
			}
		}
	}
	for _, v := range x.tags {
		if !wait(v.by) {
			return time.Now(), &Unresolved{"version", v.recorded, v.by.exchange, whyUnfinished}
		}
	}
	for _, v := range x.shows {
		if !wait(v.by) {
			break // a client without it goes on
		}
	}
	return answered, nil
}

// Translate calls build with a translator of what is known now, unless the
// request needs what is not known. Nothing is sent by build: the session is
// locked.
func (x *Exchange) Translate(build func(*Request)) (*Request, *Unresolved) {
	if x == nil {
		build(nil)
		return nil, nil
	}
	s := x.session
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range x.needs {
		s.borrow(n.at, n.name)
		if u := s.resolve(n); u != nil && !x.has(n) && !x.hands(n) {
			return nil, u
		}
	}
	if x.unseen {
		return nil, &Unresolved{Why: whyUnseen}
	}
	if u := x.unmet(); u != nil {
		return nil, u
	}
	if u := x.withheld(); u != nil {
		return nil, u
	}
	if u := x.unhanded(); u != nil {
		return nil, u
	}
	q := x.recorded.GetRequest()
	r := &Request{x: x, t: names.NewTranslator(s.pairs, string(q.GetTarget())).Of(sameHosts(q)).As(x.as)}
	build(r)
	if r.refused != nil {
		return nil, r.refused
	}
	if u := x.left(r.sent); u != nil {
		return nil, u
	}
	if u := x.leftCode(r); u != nil {
		return nil, u
	}
	for _, p := range r.t.Broken() {
		return nil, &Unresolved{p.Kind, s.memory.shown(p.Kind, p.Baseline.Text), p.From, whyBroken}
	}
	r.uses = r.t.Uses()
	for use := range r.uses {
		if p, contradicted := s.memory.created.contradicts(names.Place{Kind: use.Kind, Named: true}, use); contradicted {
			return nil, &Unresolved{use.Kind, s.memory.shown(use.Kind, use.Baseline), p.From, whyBroken}
		}
	}
	return r, nil
}

// resolve says whether a name can be sent: translated, or as it is.
func (s *session) resolve(n need) *Unresolved {
	switch p, certain := s.pairs.Of(n.at, n.name); {
	case certain && p.Holds() && n.fixed && p.Renames():
		return s.because(n, whyFixed, p.From)
	case certain && p.Holds():
		return s.another(n, p)
	case certain:
		return s.because(n, whyBroken, p.From)
	case p.Baseline.Text != "":
		return s.because(n, whyAmbiguous, p.From)
	}
	if n.concealed != nil {
		return s.resolveConcealed(n)
	}
	if n.anywhere {
		return s.resolveAnywhere(n)
	}
	if !n.at.Named && len(n.made) == 0 && !names.IsUnmistakable(n.name) {
		return nil // what is only called like a kind may be something else
	}
	if p, _ := s.pairs.For(n.at, n.name); p.Holds() && p.Candidate.Text == n.name && n.at.Fits(p.Kind, n.name) {
		return s.because(n, whyForeign, p.From)
	}
	for _, e := range n.listed {
		select {
		case <-e.by.done:
			if e.by.answered && !s.memory.created.shows(n.at, n.name) && len(s.stood.find(n.at, n.name)) == 0 {
				return s.because(n, whyNowhere, e.by.exchange)
			}
		default: // nothing says that the candidate calls it otherwise
		}
	}
	if len(n.made) == 0 {
		if n.unknown {
			return s.because(n, whyForgotten, "")
		}
		return nil
	}
	stood := s.stood.find(n.at, n.name)
	if n.unclear {
		stood = s.stood.all(n.name)
	}
	for _, e := range n.made {
		switch {
		case !e.by.answered:
			return s.because(n, whyLost, e.by.exchange)
		case n.unclear && !contains(stood, e.by):
			return s.because(n, whyUnclear, e.by.exchange)
		case (e.created || e.written) && !contains(stood, e.by), len(stood) == 0:
			return s.because(n, whyNowhere, e.by.exchange)
		}
	}
	return nil
}

// another says whether a pair is that of a thing which was called so before or
// after the one that the request means, or is contradicted by what the rest of
// the run knows.
func (s *session) another(n need, p names.Pair) *Unresolved {
	if x, contradicted := s.memory.created.contradicts(n.at, names.Use{Baseline: n.name, Candidate: p.Candidate.Text}); contradicted {
		return s.because(n, whyBroken, x.From)
	}
	if p.Proof != names.Created || !s.memory.created.reused(n.at, n.name) {
		return nil
	}
	for _, e := range n.made {
		if e.by.exchange == p.From {
			return nil
		}
	}
	return s.because(n, whyAmbiguous, p.From)
}

// because tells which name could not be had; a secret is not shown.
func (s *session) because(n need, why, from string) *Unresolved {
	return &Unresolved{n.at.Kind, s.memory.shown(n.at.Kind, n.name), from, why}
}
