package audit

import (
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Class is what a kind of fault is about.
type Class string

// The classes.
const (
	Outcomes   Class = "outcome"
	Structures Class = "structure"
	Values     Class = "value"
	Fields     Class = "field"
)

// kind is one kind of fault. find gives at most some faults of it for a replay,
// none where it does not fit.
type kind struct {
	name  string
	class Class
	find  func(s *subject, most int) []plant
}

// kinds lists all, in the order in which they are planted.
func kinds() []kind {
	return slices.Concat(outcomeKinds, jsonKinds, timeKinds, bodyKinds, fieldKinds)
}

// plant is one fault, ready to be put into a copy of its replay.
type plant struct {
	// place and path are where a difference is to be seen; finding must be among
	// the findings of a fault in the outcome.
	place   comparator.Place
	path    string
	finding comparator.Verdict
	put     func(copy *understudyv1.Replay)
	// anywhere: a difference in another place of the same part shows it as well.
	anywhere bool
	// unreal: it would not change what the answer means.
	unreal bool
}

// Audit plants faults into the replays of a sample and counts what becomes of
// them. It is safe for concurrent use.
type Audit struct {
	survey *Survey
	judge  *comparator.Judge
	others []alternative

	mu     sync.Mutex
	wanted map[string]bool
	tally  tally
}

// alternative is a judge without one setting that leaves no trace of what it
// hides.
type alternative struct {
	name  string
	judge *comparator.Judge
}

// keptDifferences is how many differences of a comparison are looked at: enough
// for an example of each place.
const keptDifferences = 1000

// statusByClass is the default by which the status of a completion that comes
// later is compared by success or failure.
const statusByClass = "exact_status: false"

// New makes an audit of the replays that a survey chose, under the
// configuration with which the run is judged.
func New(cfg comparator.Config, s *Survey) (*Audit, error) {
	cfg.MaxDifferences = max(cfg.MaxDifferences, keptDifferences)
	judge, err := comparator.NewJudge(cfg)
	if err != nil {
		return nil, err
	}
	a := &Audit{survey: s, judge: judge, wanted: map[string]bool{}, tally: newTally()}
	for _, g := range s.sample.groups {
		for _, c := range g.items {
			a.wanted[c.item] = true
		}
	}
	without := func(name string, change func(*comparator.Config)) error {
		other := cfg
		change(&other)
		judge, err := comparator.NewJudge(other)
		a.others = append(a.others, alternative{name, judge})
		return err
	}
	for i, r := range cfg.Rules {
		if r.Action != "keyed" && r.Action != "unordered" {
			continue // what it covers has its name
		}
		if err := without("rule:"+r.Name, func(c *comparator.Config) { c.Rules = slices.Delete(slices.Clone(c.Rules), i, i+1) }); err != nil {
			return nil, err
		}
	}
	if !cfg.ExactStatus {
		if err := without(statusByClass, func(c *comparator.Config) { c.ExactStatus = true }); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Wants says whether a replay is in the sample and was not audited yet; what is
// asked for counts as taken.
func (a *Audit) Wants(r *understudyv1.Replay) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := r.GetExchange().GetId()
	if r.GetSkipped() != "" || !a.wanted[id] {
		return false
	}
	delete(a.wanted, id)
	return true
}

// Replay plants faults into copies of a replay that Wants has taken, and judges
// each.
func (a *Audit) Replay(r *understudyv1.Replay) {
	base := a.judge.Judge(r)
	if base.Verdict != comparator.Match && base.Verdict != comparator.Presumed {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.tally.unplantable[string(base.Verdict)]++
		return
	}
	s, why := newSubject(a.survey, r, base)
	most := a.survey.perKind(r.GetExchange().GetRoute())
	var all []fate
	for _, k := range kinds() {
		for _, p := range k.find(s, most) {
			if p.unreal {
				continue
			}
			f := fate{kind: k, path: p.path, route: r.GetExchange().GetRoute(), ordinal: r.GetOrdinal()}
			f.outcome, f.by = a.verdict(s, p)
			all = append(all, f)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tally.replays++
	if why != "" {
		a.tally.bodies[why]++
	}
	for _, f := range all {
		a.tally.add(f)
	}
}

// Outcome is what became of a planted fault.
type Outcome string

// The outcomes.
const (
	// Found: reported at its place, or among the findings.
	Found Outcome = "found"
	// Presumed: seen, and taken for harmless without proof, or not comparable. It
	// is no match, and nothing is reported.
	Presumed Outcome = "presumed"
	// Hidden: the replay stayed a match, or the fault was taken for noise.
	Hidden Outcome = "hidden"
	// Default: in a place that is not compared by default, as is documented.
	Default Outcome = "default"
)

// fate is a planted fault and what became of it; by says what kept it from
// being found.
type fate struct {
	kind        kind
	route, path string
	ordinal     uint64
	outcome     Outcome
	by          string
}

// verdict plants a fault and says what became of it, and why if it was not
// found.
func (a *Audit) verdict(s *subject, p plant) (Outcome, string) {
	r := proto.CloneOf(s.replay)
	p.put(r)
	got := a.judge.Judge(r)
	if p.found(got) {
		return Found, ""
	}
	by := p.cover(s.base, got)
	if by == "" && got.Verdict == comparator.Incomplete {
		return Presumed, "incomplete: " + got.Incomplete
	}
	if by == "" {
		for _, other := range a.others {
			if p.found(other.judge.Judge(r)) {
				by = other.name
				break
			}
		}
	}
	switch {
	case comparator.Difference{Noise: by}.Presumed():
		return Presumed, by
	case strings.HasPrefix(by, "default:") || by == statusByClass:
		return Default, by
	case by == "":
		by = Unexplained
	}
	return Hidden, by
}

// Unexplained is Place.By of faults that leave no trace, though no setting says
// so: a mistake of the judge.
const Unexplained = "unexplained"

// found says whether a judgement reports the fault.
func (p plant) found(c comparator.Comparison) bool {
	if p.finding != "" {
		return slices.Contains(c.Findings, p.finding)
	}
	return slices.ContainsFunc(c.Differences, func(d comparator.Difference) bool {
		return d.Counts() && (p.about(d) || p.anywhere && d.Place == p.place)
	})
}

// cover is the class under which a judgement has the fault, "" if it has no
// trace of it: that of a difference which the fault has made, or else of one
// that was at its place already.
func (p plant) cover(before, after comparator.Comparison) string {
	class, old := "", ""
	for _, d := range after.Differences {
		switch {
		case !p.about(d) || d.Counts():
		case slices.Contains(before.Differences, d):
			old = d.Noise
		case class == "" || !d.Presumed():
			class = d.Noise
		}
	}
	if class != "" || p.finding != "" {
		return class
	}
	// A fault where something differed already may happen to mend that.
	for _, d := range before.Differences {
		if old == "" && p.about(d) {
			old = d.Noise
		}
	}
	return old
}

// about says whether a difference lies at the planted place, around it, or in
// it.
func (p plant) about(d comparator.Difference) bool {
	return d.Place == p.place && (d.Path == p.path || within(d.Path, p.path) || within(p.path, d.Path))
}

// within says that a path leads to what lies in another one.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && rest != "" && strings.IndexByte(".[(:;", rest[0]) >= 0
}
