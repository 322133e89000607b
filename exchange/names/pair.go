package names

import (
	"slices"
)

// Proof is what shows that two names stand for one thing.
type Proof uint8

const (
	// Created says that both sides made it in answer to one request.
	Created Proof = iota + 1
	// Aligned says that both stand at one place of two answers that are otherwise alike.
	// That is enough to send the candidate's name, not to call a difference of
	// names harmless.
	Aligned
)

// Value is a name as it stands in a document.
type Value struct {
	Text string
	// Number: it is a JSON number.
	Number bool
}

// Pair ties the baseline's name of a thing to the candidate's.
type Pair struct {
	// Kind is what it names, see Place; empty if unknown.
	Kind string
	// Scope is the name of what it belongs to, see Place; empty if unknown.
	Scope               string
	Baseline, Candidate Value
	// From is the exchange that taught it.
	From  string
	Proof Proof
	// BrokenBy is the exchange that contradicted it; empty while it holds.
	BrokenBy string
}

// Holds says whether nothing contradicted the pair.
func (p Pair) Holds() bool { return p.BrokenBy == "" }

// Renames says whether the two names differ.
func (p Pair) Renames() bool { return p.Baseline != p.Candidate }

// suits says whether a value at a place can be what the pair names. A name that
// nothing else is called by accident may stand anywhere; a number or a word
// only where its kind stands, and where that is called an identifier: "page": 2
// is a number of something.
func (p *Pair) suits(at Place) bool {
	foreign := ofOtherParents(p.Scope, at.Scope, p.Baseline.Text)
	switch {
	case !foreign && (IsUnmistakable(p.Baseline.Text) || p.Kind == Redacted.Kind):
		return true
	case ArePersons(p.Kind, at.Kind) && at.Named && len(p.Baseline.Text) >= longPerson && (p.Kind == at.Kind || !IsDigits(p.Baseline.Text)):
		return true // a user who logs in is the customer who orders, unless both are counted
	case foreign:
		return false
	case !at.Named && IsDigits(p.Baseline.Text) && len(p.Baseline.Text) < longNumber:
		return false
	}
	return at.Kind != "" && agree(p.Kind, at.Kind) || at.Kind == "" && at.Named && p.Kind == ""
}

// ofOtherParents says whether a name under two parents is that of two things:
// they may be numbered per parent, unless the name is unique in itself.
func ofOtherParents(a, b, name string) bool {
	return a != "" && b != "" && a != b && !IsUnique(name) && !looksRandom(name)
}

// longNumber is from how many digits on a number is a name where only its kind
// is said: "order": 10234.
const longNumber = 5

// longPerson is from which length on a name is that of a person under whichever
// kind that is kept.
const longPerson = 4

// IsUnmistakable says whether no other value is this one by chance: it is a
// UUID, a ULID, a random token, or letters with digits, joined (ord_1001, n-52)
// or long.
func IsUnmistakable(s string) bool {
	c := classOf(s)
	switch {
	case c&aDigit == 0:
		return IsUUID(s) // of letters alone
	case IsUnique(s) || looksRandom(s):
		return true
	case c&aLetter == 0 || c&aBlank != 0:
		return false
	}
	return (c&aJoint != 0 && len(s) >= selfEvident || len(s) >= longMixed) && !isDecimal(s) && !IsVersion(s) && !IsDate(s)
}

// longMixed is from which length on letters and digits without anything
// between them are no colour, size or table.
const longMixed = 8

// Pairs are the names of two systems for the same things. A pair that is
// contradicted is broken. The zero value is empty and ready for use; it belongs
// to one goroutine.
type Pairs struct {
	list []Pair
	// The latest pair of a name, and of each pair the one before it of the same
	// name, -1 if there is none.
	byBaseline, byCandidate map[string]int32
	before                  []link
	// renames are the pairs whose names differ, but for those of times.
	renames int
	// lengths are those of the names of either side, longer than 63 bytes as 63:
	// most values of a document are told from names by them.
	lengths uint64
}

type link struct{ baseline, candidate int32 }

// Grow makes room for n more pairs.
func (s *Pairs) Grow(n int) {
	if s.byBaseline == nil {
		s.byBaseline, s.byCandidate = make(map[string]int32, n), make(map[string]int32, n)
	}
	s.list, s.before = slices.Grow(s.list, n), slices.Grow(s.before, n)
}

// Reset takes all pairs out and keeps the room for others.
func (s *Pairs) Reset() {
	clear(s.list) // not the documents around the names
	clear(s.byBaseline)
	clear(s.byCandidate)
	s.list, s.before, s.renames, s.lengths = s.list[:0], s.before[:0], 0, 0
}

// side says whose name of a pair.
type side bool

const (
	ofBaseline  side = false
	ofCandidate side = true
)

// latest is the number of the latest pair of a name, earlier that of the one
// before it; -1 if there is none.
func (s *Pairs) latest(of side, name string) int32 {
	if s.lengths&lengthOf(name) == 0 {
		return -1
	}
	at := s.byBaseline
	if of == ofCandidate {
		at = s.byCandidate
	}
	if i, ok := at[name]; ok {
		return i
	}
	return -1
}

func lengthOf(name string) uint64 { return 1 << min(len(name), 63) }

func (s *Pairs) earlier(of side, i int32) int32 {
	if of == ofCandidate {
		return s.before[i].candidate
	}
	return s.before[i].baseline
}

// Add takes a pair. What contradicts a pair of the same kind breaks both, but a
// pair that was only aligned breaks no created one: then an answer is wrong,
// not the pair. changed says whether anything is known now that was not.
func (s *Pairs) Add(p Pair) (changed bool) {
	if s.byBaseline == nil {
		s.Grow(1)
	}
	before := s.links(&p)
	for _, of := range []side{ofBaseline, ofCandidate} {
		i := before.baseline
		if of == ofCandidate {
			i = before.candidate
		}
		for ; i >= 0; i = s.earlier(of, i) {
			more, stop := s.meet(&s.list[i], &p)
			if changed = changed || more; stop {
				return changed
			}
		}
	}
	s.enter(p, before)
	return true
}

// links are the latest pairs of the names of one that is to be entered.
func (s *Pairs) links(p *Pair) link {
	return link{s.latest(ofBaseline, p.Baseline.Text), s.latest(ofCandidate, p.Candidate.Text)}
}

// Forget takes out what a name of the baseline is paired with: the thing is gone,
// and another one is called so now.
func (s *Pairs) Forget(kind, baseline string) {
	gone := func(p Pair) bool { return p.Kind == kind && p.Baseline.Text == baseline }
	i := s.latest(ofBaseline, baseline)
	for i >= 0 && !gone(s.list[i]) {
		i = s.earlier(ofBaseline, i)
	}
	if i < 0 {
		return // the usual case, told without a walk of the list
	}
	kept := slices.DeleteFunc(s.list, gone)
	*s = Pairs{}
	s.Grow(len(kept))
	for _, p := range kept {
		s.enter(p, s.links(&p))
	}
}

// enter makes a pair findable; before are its links.
func (s *Pairs) enter(p Pair, before link) {
	i := int32(len(s.list))
	s.list, s.before = append(s.list, p), append(s.before, before)
	s.lengths |= lengthOf(p.Baseline.Text) | lengthOf(p.Candidate.Text)
	s.byBaseline[p.Baseline.Text], s.byCandidate[p.Candidate.Text] = i, i
	if p.Renames() && p.Kind != Moment.Kind {
		s.renames++
	}
}

// meet holds a new pair against an old one with which it has a name in common.
// stop: it is not taken.
func (s *Pairs) meet(old, p *Pair) (changed, stop bool) {
	unmistakable := IsUnmistakable(p.Baseline.Text)
	switch {
	case ofOtherParents(old.Scope, p.Scope, p.Baseline.Text):
		return false, false
	case old.Kind != p.Kind && old.Kind != "" && p.Kind != "" && !(unmistakable && IsUnmistakable(p.Candidate.Text)):
		return false, false // another kind of thing
	case old.Baseline.Text == p.Baseline.Text && old.Candidate.Text == p.Candidate.Text:
		if p.Proof == Created && old.Proof != Created && old.Holds() {
			old.Proof, old.From = Created, p.From
			return true, true
		}
		return false, true
	case old.Proof == Created && p.Proof != Created:
		return false, true
	case old.Holds() && !old.Renames() && p.Proof != Created:
		return false, true // both had shown it under one name: an answer is wrong
	case old.Proof == Created || p.Proof != Created:
		p.BrokenBy = old.From
	}
	if old.Holds() {
		old.BrokenBy = p.From
		return true, false
	}
	return false, false
}

// Len is how many pairs there are, broken ones included.
func (s *Pairs) Len() int { return len(s.list) }

// All gives the pairs in the order in which they were learned; it must not be
// changed.
func (s *Pairs) All() []Pair { return s.list }

// Tie says whether both sides made two names, of whatever kind, for one thing.
func (s *Pairs) Tie(baseline, candidate string) bool {
	for i := s.latest(ofBaseline, baseline); i >= 0; i = s.earlier(ofBaseline, i) {
		if p := &s.list[i]; p.Candidate.Text == candidate && p.Proof == Created && p.Holds() {
			return true
		}
	}
	return false
}

// AppendNamed appends where in All the pairs are of which a value is either name.
func (s *Pairs) AppendNamed(out []int, value string) []int {
	for _, of := range []side{ofBaseline, ofCandidate} {
		for i := s.latest(of, value); i >= 0; i = s.earlier(of, i) {
			out = append(out, int(i))
		}
	}
	return out
}

// Mentions says whether a value is either name of a pair.
func (s *Pairs) Mentions(value string) bool {
	return s.latest(ofBaseline, value) >= 0 || s.latest(ofCandidate, value) >= 0
}

// Named are the pairs of what the baseline calls so, of whatever kind, times and
// tokens excepted; the latest first.
func (s *Pairs) Named(baseline string) (out []Pair) {
	for i := s.latest(ofBaseline, baseline); i >= 0; i = s.earlier(ofBaseline, i) {
		if p := s.list[i]; p.Kind != Moment.Kind && p.Kind != Redacted.Kind {
			out = append(out, p)
		}
	}
	return out
}

// Has says whether a value of the baseline is in a pair, of whatever kind.
func (s *Pairs) Has(baseline string) bool {
	return s.latest(ofBaseline, baseline) >= 0
}

// Of finds what the candidate calls a value of the baseline at a place. A pair
// that is broken is found only when none holds. Of several that suit, none is
// certain.
func (s *Pairs) Of(at Place, baseline string) (Pair, bool) {
	return s.found(ofBaseline, baseline, at)
}

// For finds which of the baseline's values a value of the candidate stands for
// at a place, as Of does.
func (s *Pairs) For(at Place, candidate string) (Pair, bool) {
	return s.found(ofCandidate, candidate, at)
}

func (s *Pairs) found(of side, name string, at Place) (Pair, bool) {
	i, certain := s.find(of, name, at, false)
	if i < 0 {
		return Pair{}, false
	}
	return s.list[i], certain
}

// find takes the pair that suits best, -1 if none does: one that holds before a
// broken one, one of the very kind before one of a kind that may be the same.
func (s *Pairs) find(of side, name string, place Place, proven bool) (best int32, certain bool) {
	best, rank := -1, 0
	for i := s.latest(of, name); i >= 0; i = s.earlier(of, i) {
		p := &s.list[i]
		if proven && (p.Proof != Created || !p.Holds()) || !p.suits(place) {
			continue
		}
		r := 1
		if p.Kind == place.Kind {
			r++
		}
		if p.Holds() {
			r += 2
		}
		switch {
		case r > rank:
			best, rank, certain = i, r, true
		case r == rank && p.Holds() && (p.Baseline.Text != s.list[best].Baseline.Text || p.Candidate.Text != s.list[best].Candidate.Text):
			certain = false // an order, or a customer
		}
	}
	return best, certain
}
