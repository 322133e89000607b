package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"understudy.dev/comparator/evidence"
	"understudy.dev/setting"
)

// Decide says what the evidence comes to under a policy that is valid.
//
// The error alpha is spent so that it holds for all routes, measures and looks
// together. A promotion needs every upper bound to be under its limit, so it is
// wrong only if the bound of a rate that is over its limit is wrong: each may be at
// alpha (an intersection-union test; Berger, "Multiparameter hypothesis testing and
// acceptance sampling", 1982). One lower bound over its limit suffices to roll back,
// so these share alpha: all routes together get a half, the j-th route in the order
// of the schedule 1/(j+1)(j+2), which however many routes there will be sums up to
// less than the other half; the measures of one share it evenly.
func Decide(p Policy, e Evidence) Result {
	d := decider{c: p.compile(), e: e, needed: map[float64]uint64{}}
	r := Result{
		Run: e.Run, Scope: e.Scope, Judgement: e.Judgement, Alpha: d.c.alpha, Reasons: slices.Clone(e.Spoiled), Warnings: p.unmatched(e.Routes),
		Routes: []Unit{}, Exempt: []Exempt{},
	}
	total := Counts{Findings: map[string]uint64{}}
	place := 1
	for _, c := range slices.SortedFunc(slices.Values(e.Routes), func(a, b Counts) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Route, b.Route))
	}) {
		t, _ := d.c.of(c.Route)
		if t.exempt != "" {
			r.Exempt = append(r.Exempt, Exempt{c.Route, c.Requests, t.exempt})
			continue
		}
		place++
		r.Routes = append(r.Routes, d.unit(c, t, place))
		total.add(c)
	}
	r.Total = d.unit(total, terms{limits: d.c.overall.limits}, 1)
	slices.SortStableFunc(r.Routes, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(a.Decision.rank(), b.Decision.rank()), cmp.Compare(b.Requests, a.Requests))
	})
	r.Reasons = append(append(r.Reasons, e.Doubts...), d.audit()...)
	r.Reasons = append(r.Reasons, r.Total.reasons...)
	worst := r.Total.Decision
	for _, u := range r.Routes {
		r.Reasons = append(r.Reasons, u.reasons...)
		if u.Decision.rank() < worst.rank() {
			worst = u.Decision
		}
	}
	switch {
	case len(e.Spoiled) > 0:
		r.Decision = Hold
	case worst == RollBack:
		r.Decision = RollBack
	case len(r.Reasons) > 0:
		r.Decision = Hold
	default:
		r.Decision = Promote
	}
	if r.Reasons == nil {
		r.Reasons = []Reason{}
	}
	slices.SortStableFunc(r.Reasons[len(e.Spoiled):], func(a, b Reason) int { return cmp.Compare(a.rank(), b.rank()) })
	return r
}

// rank orders decisions by how much they stand in the way of a promotion.
func (d Decision) rank() int { return slices.Index([]Decision{RollBack, Hold, Promote, Together}, d) }

// rank puts what is exceeded first.
func (r Reason) rank() int {
	if r.Name == Exceeded {
		return 0
	}
	return 1
}

type decider struct {
	c      compiled
	e      Evidence
	needed map[float64]uint64 // by limit
}

// unit judges what is in a place in the order of routes: all together in the first.
// What is not promoted has a reason.
func (d decider) unit(c Counts, t terms, place int) Unit {
	u := Unit{Route: c.Route, Requests: c.Requests, Measures: []Measure{}}
	hold := func(name, format string, args ...any) {
		u.reasons = append(u.reasons, Reason{name, c.Route, fmt.Sprintf(format, args...)})
	}
	if c.Route == "" && c.Requests == 0 {
		if d.e.Scope != nil {
			hold(NoData, "no exchange since step %d of migration %s is judged; understudy replay --follow rehearses what the gateway records, and understudy compare judges it", d.e.Scope.Since, d.e.Scope.Migration)
		} else {
			hold(NoData, "nothing is judged")
		}
	}
	if c.Requests < t.minimum {
		hold(TooFew, "%d requests, and the policy asks for a minimum of %d", c.Requests, t.minimum)
	}
	if c.Route != "" && c.Different > 0 {
		hold(Different, "the baseline, asked again, does not differ from itself as the candidate does at %d places; understudy report lists them", c.Different)
	}
	alpha := d.c.alpha / float64(place) / float64(place+1) / float64(len(t.limits))
	var few []string
	needed := uint64(0)
	for _, l := range t.limits {
		m := d.measure(c, l, alpha)
		switch {
		case m.Decision == RollBack:
			hold(Exceeded, "%s", m.bounds(c.Requests))
		case m.Decision == Hold:
			name, what := d.why(c, m)
			hold(name, "%s", what)
		case m.Decision == Together && c.Route == "":
			m.Decision = Hold
			few, needed = append(few, m.Name), max(needed, m.Needed)
		}
		u.Measures = append(u.Measures, m)
	}
	if len(few) > 0 && c.Requests > 0 {
		hold(TooFew, "%d requests cannot show that the limits of %s are kept; it takes %d without one", c.Requests, strings.Join(few, ", "), needed)
	}
	u.Decision = u.decide()
	return u
}

func (u Unit) decide() Decision {
	is := func(want Decision) bool {
		return slices.ContainsFunc(u.Measures, func(m Measure) bool { return m.Decision == want })
	}
	switch {
	case is(RollBack):
		return RollBack
	case len(u.reasons) > 0:
		return Hold
	case is(Promote):
		return Promote
	}
	return Together
}

func (d decider) measure(c Counts, l limit, alpha float64) Measure {
	s := c.see(l, d.e.Thresholds)
	m := Measure{
		Name: l.name, Limit: l.share, Hits: s.hits, Unknown: s.unknown, Needed: d.need(l.share),
		Lower: evidence.Rate(s.hits, c.Requests, alpha).Lower,
		Upper: evidence.Rate(min(s.hits+s.unknown, c.Requests), c.Requests, d.c.alpha).Upper,
	}
	switch {
	case m.Lower > m.Limit:
		m.Decision = RollBack
	case m.Upper < m.Limit:
		m.Decision = Promote
	case c.Requests < m.Needed:
		m.Decision = Together
	default:
		m.Decision = Hold
	}
	return m
}

func (d decider) need(limit float64) uint64 {
	n, ok := d.needed[limit]
	if !ok {
		n = evidence.Needed(limit, d.c.alpha)
		d.needed[limit] = n
	}
	return n
}

// why says what keeps a measure from being promoted: what is unknown, if it would
// be promoted without, and otherwise that it is too close to its limit.
func (d decider) why(c Counts, m Measure) (name, what string) {
	bounds := m.bounds(c.Requests)
	if evidence.Rate(m.Hits, c.Requests, d.c.alpha).Upper >= m.Limit {
		return Close, bounds
	}
	return Unknown, fmt.Sprintf("%s; of %d requests it is not known (%s), and they are counted as if they were", bounds, m.Unknown, c.unknowns(m))
}

// bounds are those of a measure in words.
func (m Measure) bounds(requests uint64) string {
	return fmt.Sprintf("%s: %d of %d requests; the rate is within %s and %s, the limit is %s", m.Name, m.Hits, requests, Percent(m.Lower), Percent(m.Upper), Percent(m.Limit))
}

// unknowns says what is not known of a measure, and why.
func (c Counts) unknowns(m Measure) string {
	var parts []string
	add := func(name string, n uint64) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", name, n))
		}
	}
	add("skipped", c.Skipped)
	add("not answered by the baseline", c.Unanswered)
	if m.Name == "mismatch" {
		add("presumed", c.Presumed)
		add("incomplete", c.Incomplete)
	} else if rest := m.Unknown - min(m.Unknown, c.Skipped+c.Unanswered); rest > 0 {
		add("sent late by the replayer, or without a time of the baseline", rest)
	}
	return strings.Join(parts, ", ")
}

// audit says what is wrong with the audit that the policy demands.
func (d decider) audit() []Reason {
	reason := func(format string, args ...any) []Reason {
		return []Reason{{Name: NoAudit, What: fmt.Sprintf(format, args...)}}
	}
	a := d.e.Audit
	switch {
	case d.c.recall == 0:
		return nil
	case a == nil:
		return reason("the policy demands an audit of the verdict; understudy audit %s -o json makes one", d.e.Run)
	case a.Run != d.e.Run:
		return reason("the audit is of run %q", a.Run)
	case a.Judgement != d.e.Judgement:
		return reason("the audit is of judgement %s", a.Judgement)
	}
	b := evidence.Rate(a.Found, a.Counted, d.c.alpha)
	if b.Lower < d.c.recall {
		return reason("the audit found %d of %d planted faults, which shows a share of %s at least; the policy demands %s", a.Found, a.Counted, Percent(b.Lower), Percent(d.c.recall))
	}
	return nil
}

// unmatched warns of entries of the policy that hold for no route, and of those
// that others come before.
func (p Policy) unmatched(routes []Counts) []Warning {
	c := p.compile()
	used := map[int]bool{}
	var names []string
	for _, r := range routes {
		_, i := c.of(r.Route)
		used[i] = true
		names = append(names, r.Route)
	}
	out := []Warning{}
	for i, r := range p.Routes {
		if used[i] || len(routes) == 0 {
			continue
		}
		what := "matches no route of the run"
		if slices.ContainsFunc(names, c.patterns[i].Match) {
			what = "holds for no route, because entries before it match all of its routes"
		} else if near := setting.Nearest(r.Route, names); near != "" {
			what += fmt.Sprintf("; did you mean %q?", near)
		}
		out = append(out, Warning{setting.Index("routes", i) + ".route", fmt.Sprintf("%q %s", r.Route, what)})
	}
	return out
}

// Percent writes a share as a policy does, with three digits that mean something.
func Percent(share float64) string {
	p, _ := strconv.ParseFloat(strconv.FormatFloat(100*share, 'g', 3, 64), 64)
	return strconv.FormatFloat(p, 'f', -1, 64) + "%"
}
