package audit

import (
	"cmp"
	"maps"
	"slices"
)

// Score counts planted faults by what became of them.
type Score struct {
	Planted  uint64 `json:"planted"` // the sum of the others
	Found    uint64 `json:"found"`
	Presumed uint64 `json:"presumed"`
	Hidden   uint64 `json:"hidden"`
	Default  uint64 `json:"default"`
	// Recall is the share found of those that are compared by default, 0 to
	// 1; null if there are none.
	Recall *float64 `json:"recall"`
}

func (s *Score) add(o Outcome) {
	s.Planted++
	switch o {
	case Found:
		s.Found++
	case Presumed:
		s.Presumed++
	case Hidden:
		s.Hidden++
	case Default:
		s.Default++
	}
}

// Counted are the faults that Recall is the share of.
func (s Score) Counted() uint64 { return s.Planted - s.Default }

func (s Score) settled() Score {
	if n := s.Counted(); n > 0 {
		recall := float64(s.Found) / float64(n)
		s.Recall = &recall
	}
	return s
}

// NamedScore is the score of a kind or of a route.
type NamedScore struct {
	Name  string `json:"name"`
	Class Class  `json:"class,omitempty"`
	Score
}

// Place is where something keeps a fault from being found.
type Place struct {
	Route string `json:"route"`
	Path  string `json:"path"`
	// By is the noise class that covers it, or the setting; Source is where that
	// stands in the configuration, if it does.
	By     string `json:"by"`
	Source string `json:"source,omitempty"`
	// Lost is how many faults By kept from being found there, of which Kinds;
	// Planted and Found are all at the place, whatever became of them.
	Lost    uint64   `json:"lost"`
	Planted uint64   `json:"planted"`
	Found   uint64   `json:"found"`
	Kinds   []string `json:"kinds"`
	// Example is the ordinal of a replay in whose copy one was planted.
	Example uint64 `json:"example"`
	// Outcome is that of those that were lost.
	Outcome Outcome `json:"outcome"`
}

// Result is what an audit has found out, the worst first.
type Result struct {
	Run string `json:"run"`
	// Judgement is the one whose rules were tested, as the tables name it.
	Judgement string `json:"judgement"`
	Seed      uint64 `json:"seed"`
	// Replays of the run, those of the sample, and those of it into which faults
	// were planted.
	Replays uint64 `json:"replays"`
	Sampled uint64 `json:"sampled"`
	Audited uint64 `json:"audited"`
	// Unplantable counts the replays that got no faults, by reason; those that
	// were not sampled aside. Bodies counts those that got none in the body.
	Unplantable map[string]uint64 `json:"unplantable"`
	Bodies      map[string]uint64 `json:"bodies"`
	Total       Score             `json:"total"`
	Kinds       []NamedScore      `json:"kinds"`
	Routes      []NamedScore      `json:"routes"`
	Places      []Place           `json:"places"`
	// PlacesDropped are faults not found at places beyond the first 20,000.
	PlacesDropped uint64 `json:"places_dropped"`
}

// maxPlaces bounds the places that are told apart.
const maxPlaces = 20_000

type at struct{ route, path string }

type coverage struct {
	at
	by string
}

// tally sums fates; their order does not matter.
type tally struct {
	replays             uint64
	unplantable, bodies map[string]uint64
	total               Score
	kinds, routes       map[string]*NamedScore
	places              map[at]*Score
	covered             map[coverage]*Place
	dropped             uint64
}

func newTally() tally {
	return tally{
		unplantable: map[string]uint64{}, bodies: map[string]uint64{}, kinds: map[string]*NamedScore{}, routes: map[string]*NamedScore{},
		places: map[at]*Score{}, covered: map[coverage]*Place{},
	}
}

func (t *tally) add(f fate) {
	t.total.add(f.outcome)
	of(t.kinds, f.kind.name, f.kind.class).add(f.outcome)
	of(t.routes, f.route, "").add(f.outcome)
	key := at{f.route, f.path}
	if t.places[key] == nil {
		if len(t.places) >= maxPlaces {
			if f.outcome != Found {
				t.dropped++
			}
			return
		}
		t.places[key] = &Score{}
	}
	t.places[key].add(f.outcome)
	if f.outcome == Found {
		return
	}
	c := coverage{key, f.by}
	p := t.covered[c]
	if p == nil {
		p = &Place{Route: f.route, Path: f.path, By: f.by, Example: f.ordinal, Outcome: f.outcome}
		t.covered[c] = p
	}
	p.Lost++
	p.Example = min(p.Example, f.ordinal)
	if i, known := slices.BinarySearch(p.Kinds, f.kind.name); !known {
		p.Kinds = slices.Insert(p.Kinds, i, f.kind.name)
	}
}

func of(m map[string]*NamedScore, name string, class Class) *NamedScore {
	if m[name] == nil {
		m[name] = &NamedScore{Name: name, Class: class}
	}
	return m[name]
}

// Result is what was counted so far.
func (a *Audit) Result() Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, s := a.tally, a.survey
	out := Result{
		Seed: s.seed, Replays: s.replays, Sampled: uint64(s.sample.kept), Audited: t.replays,
		Unplantable: maps.Clone(t.unplantable), Bodies: maps.Clone(t.bodies),
		Total: t.total.settled(), Kinds: sorted(t.kinds), Routes: sorted(t.routes), Places: []Place{}, PlacesDropped: t.dropped,
	}
	for why, n := range s.skipped {
		out.Unplantable[why] += n
	}
	for c, p := range t.covered {
		p := *p
		p.Kinds = slices.Clone(p.Kinds)
		p.Planted, p.Found = t.places[c.at].Planted, t.places[c.at].Found
		out.Places = append(out.Places, p)
	}
	slices.SortFunc(out.Places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Path, b.Path), cmp.Compare(a.By, b.By))
	})
	return out
}

func (p Place) rank() int {
	return slices.Index([]Outcome{Hidden, Presumed, Default}, p.Outcome)
}

// sorted gives the scores with the lowest recall first.
func sorted(m map[string]*NamedScore) []NamedScore {
	out := []NamedScore{}
	for _, s := range m {
		c := *s
		c.Score = c.settled()
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b NamedScore) int {
		return cmp.Or(cmp.Compare(a.order(), b.order()), cmp.Compare(b.Planted, a.Planted), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// order of a score: what has no recall comes last.
func (s Score) order() float64 {
	if s.Recall == nil {
		return 2
	}
	return *s.Recall
}
