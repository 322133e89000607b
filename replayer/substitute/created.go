package substitute

import (
	"slices"
	"sync"
	"time"

	"understudy.dev/exchange/names"
)

// created is what things were made anywhere in the run.
type created struct {
	mu         sync.Mutex
	made       index
	listed     index // what the baseline's answers hold, by who held it first
	shown      index // what the candidate's answers hold that made nothing
	young, old *names.Pairs
	ended      map[thing]uint64 // when the baseline deleted it
	over       map[thing]string // what the candidate had called what both sides deleted
}

// finish remembers that both sides deleted a thing: the candidate may call another
// one so now.
func (c *created) finish(what thing, candidate string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == nil || len(c.over) >= MaxCreated {
		c.over = map[thing]string{}
	}
	c.over[what] = candidate
}

// isOver says whether both sides deleted what a pair names.
func (c *created) isOver(p names.Pair) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	candidate, over := c.over[thing{p.Kind, p.Baseline.Text}]
	return over && candidate == p.Candidate.Text
}

// free forgets the pair of what both sides deleted if the candidate gave its name to
// something else, and says whether the name is free.
func (s *session) free(at names.Place, p names.Pair) bool {
	old, has := s.pairs.For(at, p.Candidate.Text)
	if !has || old.Baseline.Text == p.Baseline.Text {
		return !has
	}
	if p.Proof != names.Created || !s.memory.created.isOver(old) {
		return false
	}
	s.pairs.Forget(old.Kind, old.Baseline.Text)
	return true
}

// end remembers when the baseline deleted a thing.
func (c *created) end(what thing, at uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil || len(c.ended) >= MaxCreated {
		c.ended = map[thing]uint64{}
	}
	c.ended[what] = at
}

// isGone says whether everything that was called so was deleted since.
func (c *created) isGone(kind, name string, was []entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.ended[thing{kind, name}]
	return len(was) > 0 && !slices.ContainsFunc(was, func(e entry) bool { return e.since() > end })
}

// living leaves out those who made what was deleted before another thing got its
// name.
func (c *created) living(kind, name string, made []entry) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.ended[thing{kind, name}]
	if !slices.ContainsFunc(made, func(e entry) bool { return e.created && e.since() > end }) {
		return made
	}
	return slices.DeleteFunc(made, func(e entry) bool { return e.since() < end })
}

// show takes a name that the candidate knows.
func (c *created) show(name string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shown.has(names.Place{Kind: e.kind, Named: true}, name, func(before *entry) bool { return before.kind == e.kind }) {
		return // the first is enough
	}
	c.shown.add(name, e, MaxCreated)
}

// list takes a name that an answer of the baseline held.
func (c *created) list(name string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.listed.has(names.Place{Kind: e.kind, Named: true}, name, anyEntry) {
		c.listed.add(name, e, MaxCreated)
	}
}

// lists are who held what stands at a place.
func (c *created) lists(at names.Place, name string) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listed.find(at, name)
}

// shows says whether the candidate knows what stands at a place.
func (c *created) shows(at names.Place, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown.has(at, name, anyEntry)
}

// had says whether the candidate had shown a name before an exchange was sent.
func (c *created) had(at names.Place, name string, by *origin, sent time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.shown.find(at, name) {
		if e.kind != at.Kind || e.by.sequence >= by.sequence {
			continue
		}
		select {
		case <-e.by.done:
			if sent.IsZero() || e.by.at.Before(sent) {
				return true
			}
		default: // what was in the works at the same time may show it
		}
	}
	return false
}

// renew forgets what a name stood for before.
func (c *created) renew(kind, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pairs := range []*names.Pairs{c.old, c.young} {
		if pairs != nil {
			pairs.Forget(kind, name)
		}
	}
}

func (c *created) register(name string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made.add(name, e, MaxCreated)
}

// origins are the exchanges that made what stands at a place.
func (c *created) origins(at names.Place, name string) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made.find(at, name)
}

// named are the exchanges that made something of a name, of whatever kind.
func (c *created) named(name string) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made.all(name)
}

// holds says whether something of a name was made, of whatever kind.
func (c *created) holds(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made.holds(name)
}

// makes says whether an exchange made what stands at a place.
func (c *created) makes(at names.Place, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made.has(at, name, anyEntry)
}

// reused says whether several things were called so one after the other.
func (c *created) reused(at names.Place, name string) bool {
	return len(c.origins(at, name)) > 1
}

func (c *created) add(p names.Pair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || c.young.Len() >= MaxCreated/2 {
		c.old, c.young = c.young, &names.Pairs{}
	}
	c.young.Add(p)
}

// known finds pairs by the baseline's or by the candidate's name. What two
// generations say otherwise is broken.
func (c *created) known(at names.Place, name string, by func(*names.Pairs, names.Place, string) (names.Pair, bool)) (names.Pair, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best names.Pair
	found := false
	for _, pairs := range []*names.Pairs{c.old, c.young} {
		if pairs == nil {
			continue
		}
		p, ok := by(pairs, at, name)
		switch {
		case !ok:
		case found && (p.Baseline.Text != best.Baseline.Text || p.Candidate.Text != best.Candidate.Text):
			best.BrokenBy = p.From
		default:
			best, found = p, true
		}
	}
	return best, found
}

// pairsOf are the pairs of what the baseline calls so, of whatever kind.
func (c *created) pairsOf(baseline string) (out []names.Pair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pairs := range []*names.Pairs{c.old, c.young} {
		if pairs != nil {
			out = append(out, pairs.Named(baseline)...)
		}
	}
	return out
}

// isEmpty says whether nothing that was made is known by two names.
func (c *created) isEmpty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.young == nil
}

// mentions says whether a value is a name in any pair.
func (c *created) mentions(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.young != nil && c.young.Mentions(name) || c.old != nil && c.old.Mentions(name)
}

// contradicts finds a pair of something that was made which says otherwise than
// one that is to be used.
func (c *created) contradicts(at names.Place, use names.Use) (names.Pair, bool) {
	if p, ok := c.known(at, use.Baseline, (*names.Pairs).Of); ok && (!p.Holds() || p.Candidate.Text != use.Candidate) {
		return p, true
	}
	p, ok := c.known(at, use.Candidate, (*names.Pairs).For)
	return p, ok && (!p.Holds() || p.Baseline.Text != use.Baseline)
}

// borrow takes a pair that another session made, unless the session knows
// something else.
func (s *session) borrow(at names.Place, name string) {
	if !s.memory.created.mentions(name) {
		return
	}
	known, has := s.pairs.Of(at, name)
	p, ok := s.memory.created.known(at, name, (*names.Pairs).Of)
	switch {
	case ok && has && known.From != p.From && s.memory.created.reused(at, name):
		s.pairs.Forget(known.Kind, name) // that of the thing that was called so before
		s.take(p)
	case ok && !has:
		s.take(p)
	}
	if _, known := s.pairs.For(at, name); !known {
		if p, ok := s.memory.created.known(at, name, (*names.Pairs).For); ok {
			s.take(p)
		}
	}
}

func (s *session) take(p names.Pair) {
	if staysIn(p) {
		return
	}
	at := names.Place{Kind: p.Kind, Named: true, Scope: p.Scope}
	if _, has := s.pairs.Of(at, p.Baseline.Text); has {
		return
	}
	if s.free(at, p) {
		s.add(p)
	}
}

// thing is a name of one kind.
type thing struct{ kind, name string }
