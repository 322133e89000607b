package substitute

import (
	"context"
	"fmt"
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
	whyForgotten  = "more names were made than are remembered"
)

// Wait waits until every exchange that makes what this one needs has its
// answer, for as long as limit says. answered is when the last came, zero if
// there is none; ctx's end and limit make the request unresolved.
func (x *Exchange) Wait(ctx context.Context, limit time.Duration) (answered time.Time, u *Unresolved) {
	if x == nil {
		return time.Time{}, nil
	}
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
	for _, n := range x.needs {
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
		if u := s.resolve(n); u != nil {
			return nil, u
		}
	}
	if u := x.unmet(); u != nil {
		return nil, u
	}
	r := &Request{x: x, t: names.NewTranslator(s.pairs, string(x.recorded.GetRequest().GetTarget()))}
	build(r)
	for _, p := range r.t.Broken() {
		return nil, &Unresolved{p.Kind, p.Baseline.Text, p.From, whyBroken}
	}
	return r, nil
}

// resolve says whether a name can be sent: translated, or as it is.
func (s *session) resolve(n need) *Unresolved {
	switch p, certain := s.pairs.Of(n.at, n.name); {
	case certain && p.Holds():
		return nil
	case certain:
		return s.because(n, whyBroken, p.From)
	case p.Baseline.Text != "":
		return s.because(n, whyAmbiguous, p.From)
	}
	if !n.at.Named && len(n.made) == 0 && !names.IsUnmistakable(n.name) {
		return nil // what is only called like a kind may be something else
	}
	if p, _ := s.pairs.For(n.at, n.name); p.Holds() && p.Candidate.Text == n.name && n.at.Fits(p.Kind, n.name) {
		return s.because(n, whyForeign, p.From)
	}
	if len(n.made) == 0 {
		if n.unknown {
			return s.because(n, whyForgotten, "")
		}
		return nil
	}
	stood := s.stood.find(n.at, n.name)
	for _, e := range n.made {
		switch {
		case !e.by.answered:
			return s.because(n, whyLost, e.by.exchange)
		case e.created && !contains(stood, e.by), len(stood) == 0:
			return s.because(n, whyNowhere, e.by.exchange)
		}
	}
	return nil
}

// because tells which name could not be had; a credential is not shown.
func (s *session) because(n need, why, from string) *Unresolved {
	name := n.name
	if s.memory.isSecret(names.Pair{Kind: n.at.Kind, Baseline: names.Value{Text: name}}) {
		name = "(a credential)"
	}
	return &Unresolved{n.at.Kind, name, from, why}
}
