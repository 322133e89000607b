package gate

import (
	"fmt"
	"strings"
)

// Decision is what a gate comes to.
type Decision string

// The decisions.
const (
	Promote  Decision = "promote"
	Hold     Decision = "hold"
	RollBack Decision = "roll_back"
	// Together is said of a route, or of one of its measures, with too little traffic
	// to be judged alone: it is judged with all others, and stands in no way.
	Together Decision = "together"
)

// The reasons of a hold, and of a rollback: Exceeded.
const (
	Exceeded    = "exceeded"     // a rate is over its limit
	NoData      = "no_data"      // nothing is judged
	TooFew      = "too_few"      // too little traffic
	Close       = "close"        // the limit lies within the bounds
	Unknown     = "unknown"      // presumed, incomplete, skipped: the bounds are too wide by them
	Different   = "different"    // the control says that places differ
	NoAudit     = "audit"        // no audit, or not of this, or it found too little
	Unbalanced  = "unbalanced"   // the books of the run do not balance
	Stale       = "stale"        // judged under other rules
	ExpiredRule = "expired_rule" // a rule has expired
	Failed      = "failed"       // the run has failed
)

// Reason says why a gate does not promote.
type Reason struct {
	Name string `json:"name"`
	// Route is the one that it is about; empty is about all.
	Route string `json:"route,omitempty"`
	What  string `json:"what"`
}

// Result is a decision and all that it rests on.
type Result struct {
	Run string `json:"run"`
	// Scope is the stage that it is about; nil is the whole run.
	Scope     *Scope   `json:"scope,omitempty"`
	Judgement string   `json:"judgement"`
	Decision  Decision `json:"decision"`
	// Alpha is the probability of a wrong promotion, and of a wrong rollback, for
	// all looks together.
	Alpha float64 `json:"alpha"`
	// Reasons are all that stands in the way of a promotion: what makes the counts no
	// evidence, which rates are over their limits, what else.
	Reasons []Reason `json:"reasons"`
	// Warnings are about the policy.
	Warnings []Warning `json:"warnings"`
	// Total is of all routes together, Routes of each, those first that stand most
	// in the way, then those with most requests.
	Total  Unit   `json:"total"`
	Routes []Unit `json:"routes"`
	// Exempt are the routes that are not asked about.
	Exempt []Exempt `json:"exempt"`
}

// Warning is about an entry of the policy, at a path of it.
type Warning struct {
	Path string `json:"path"`
	What string `json:"what"`
}

// Unit is a route, or all of them together.
type Unit struct {
	// Route is empty for all together.
	Route    string    `json:"route,omitempty"`
	Decision Decision  `json:"decision"`
	Requests uint64    `json:"requests"`
	Measures []Measure `json:"measures"`

	reasons []Reason
}

// Measure is the rate of one thing, its bounds and its limit, as shares.
type Measure struct {
	Name     string   `json:"name"`
	Decision Decision `json:"decision"`
	Limit    float64  `json:"limit"`
	// Hits were seen; of Unknown requests it is not known. Upper takes them all for
	// hits, and Lower none.
	Hits    uint64  `json:"hits"`
	Unknown uint64  `json:"unknown"`
	Lower   float64 `json:"lower"`
	Upper   float64 `json:"upper"`
	// Needed is how many requests show, without a hit, that the limit is kept.
	Needed uint64 `json:"needed"`
}

// Exempt is a route that is not asked about, and why.
type Exempt struct {
	Route    string `json:"route"`
	Requests uint64 `json:"requests"`
	Why      string `json:"why"`
}

// maxWhy bounds the reasons that Why names.
const maxWhy = 3

// Why says in a few words what a decision rests on: of a promotion the rate that is
// nearest to its limit, of a rollback what is exceeded, of a hold what holds.
func (r Result) Why() string {
	if r.Decision == Promote {
		text := fmt.Sprintf("%d requests", r.Total.Requests)
		if m, ok := nearest(r.Total.Measures); ok {
			text += fmt.Sprintf(", %s of at most %s, the limit is %s", m.Name, Percent(m.Upper), Percent(m.Limit))
		}
		return text
	}
	var said []string
	rest := 0
	for _, x := range r.Reasons {
		switch {
		case r.Decision == RollBack && x.Name != Exceeded:
		case len(said) == maxWhy:
			rest++
		case x.Route != "":
			said = append(said, fmt.Sprintf("%s, %s: %s", x.Name, x.Route, x.What))
		default:
			said = append(said, x.Name+": "+x.What)
		}
	}
	if rest > 0 {
		said = append(said, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(said, "; ")
}

// nearest is the measure whose upper bound is nearest to its limit.
func nearest(all []Measure) (m Measure, ok bool) {
	for i, x := range all {
		if i == 0 || x.Upper/x.Limit > m.Upper/m.Limit {
			m, ok = x, true
		}
	}
	return m, ok
}
