package gate

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"understudy.dev/exchange/route"
	"understudy.dev/setting"
)

// Policy is what a gate asks for. Shares are texts such as "0.1%"; a limit of
// "100%" is none.
type Policy struct {
	// Confidence is how sure the gate is, above 0 % and below 100 %; default 95%.
	// The rest is the probability, for all looks together, of a promotion though a
	// rate is over its limit, and that of a rollback though none is.
	Confidence string `yaml:"confidence"`
	// Minimum is how many requests each route must have, 0 or more; default 0.
	Minimum uint64 `yaml:"minimum"`
	// Limits hold for every route, and for all routes together.
	Limits Limits `yaml:"limits"`
	// Routes change that for some.
	Routes []Route `yaml:"routes"`
	// Audit is what an audit of the verdict must have found.
	Audit Audit `yaml:"audit"`
}

// Route says what else holds for some routes. The first whose pattern matches a
// route holds for it, alone.
type Route struct {
	// Route is a pattern of routes, "POST /orders/*".
	Route string `yaml:"route"`
	// Minimum replaces Policy.Minimum.
	Minimum *uint64 `yaml:"minimum"`
	// Limits replace those of Policy that they name.
	Limits Limits `yaml:"limits"`
	// Exempt says why these routes are not asked about; empty asks. They are not
	// among all routes together either.
	Exempt string `yaml:"exempt"`
}

// Limits of the shares of all requests.
type Limits struct {
	Mismatch      string `yaml:"mismatch"`
	Rejected      string `yaml:"rejected"`
	Lost          string `yaml:"lost"`
	Error         string `yaml:"error"`
	Contradictory string `yaml:"contradictory"`
	Duplicate     string `yaml:"duplicate"`
	Late          string `yaml:"late"`
	OutOfOrder    string `yaml:"out_of_order"`
	// Latency limits the shares of requests for which the candidate takes longer
	// than so much.
	Latency []Latency `yaml:"latency"`
	// Slower limits the shares of requests for which it takes longer than the
	// baseline took for the same request.
	Slower []Slower `yaml:"slower"`
}

// Latency is a limit for the share of requests that take longer than Over, from
// the intended send time to the completion. One that never completes takes longer.
type Latency struct {
	Over  time.Duration `yaml:"over"`
	Share string        `yaml:"share"`
}

// Slower is a limit for the share of requests for which the candidate takes longer
// than Ratio times what the baseline took for the same request, and Plus. At 50%
// it is the median of the ratio that is held to Ratio, at 1% its 99th percentile.
type Slower struct {
	Ratio float64       `yaml:"ratio"`
	Plus  time.Duration `yaml:"plus"`
	Share string        `yaml:"share"`
}

// Audit is what understudy audit must have found of the faults that it planted.
type Audit struct {
	// Recall is the share that it must have found at least; empty asks for no audit.
	Recall string `yaml:"recall"`
}

// DefaultPolicy holds the documented defaults.
func DefaultPolicy() Policy {
	return Policy{Confidence: "95%", Limits: Limits{
		Mismatch: "0.1%", Rejected: "0.1%", Lost: "0.1%", Error: "0.1%", Contradictory: "0.1%", Duplicate: "0.1%", Late: "1%", OutOfOrder: "0.1%",
	}}
}

// named is a limit of what a judgement finds, by the name of the finding, which is
// its key too.
type named struct {
	name  string
	share *string
}

func (l *Limits) findings() []named {
	return []named{
		{"mismatch", &l.Mismatch}, {"rejected", &l.Rejected}, {"lost", &l.Lost}, {"error", &l.Error},
		{"contradictory", &l.Contradictory}, {"duplicate", &l.Duplicate}, {"late", &l.Late}, {"out_of_order", &l.OutOfOrder},
	}
}

// maxRoutes and maxThresholds bound a policy: its entries, and the latencies that
// one entry may name of each kind.
const (
	maxRoutes     = 1000
	maxThresholds = 10
)

// Validate reports every mistake in the policy.
func (p Policy) Validate() error {
	var ps setting.Problems
	confidence, ok := parseShare(p.Confidence)
	ps.Require(ok && confidence > 0 && confidence < 1, "confidence", p.Confidence, "is not above 0% and below 100%, as 95% is")
	ps.Under("limits", p.Limits.problems(true))
	ps.Require(len(ps) > 0 || len(p.Limits.ready()) > 0, "limits", nil, "limit nothing, so that everything would pass")
	ps.Require(len(p.Routes) <= maxRoutes, "routes", len(p.Routes), fmt.Sprintf("are more than %d", maxRoutes))
	seen := map[string]bool{}
	for i, r := range p.Routes {
		at := setting.Index("routes", i)
		_, err := route.ParsePattern(r.Route)
		ps.Require(r.Route != "", at+".route", nil, "is needed; limits of every route stand under limits")
		ps.Require(err == nil, at+".route", r.Route, "is not a pattern")
		ps.Require(r.Route == "" || !seen[r.Route], at+".route", r.Route, "is used twice; the first holds")
		seen[r.Route] = true
		ps.Under(at+".limits", r.Limits.problems(false))
		ps.Require(r.Exempt == "" || r.Minimum == nil && r.Limits.empty(), at+".exempt", nil, "asks for nothing; remove the limits and the minimum")
	}
	if p.Audit.Recall != "" {
		recall, ok := parseShare(p.Audit.Recall)
		ps.Require(ok && recall > 0 && recall < 1, "audit.recall", p.Audit.Recall, "is not above 0% and below 100%, as 99% is: no sample shows that all would be found")
	}
	return ps.Err()
}

// impossible goes on after a share that no traffic could keep to.
const impossible = "is not a share above 0% and up to 100%, as 0.1% is; no traffic shows that something never happens"

func (l Limits) problems(all bool) error {
	var ps setting.Problems
	for _, s := range l.findings() {
		v, ok := parseShare(*s.share)
		ps.Require(ok && v > 0 || *s.share == "" && !all, s.name, *s.share, impossible)
	}
	ps.Require(len(l.Latency) <= maxThresholds, "latency", len(l.Latency), fmt.Sprintf("limits are more than %d", maxThresholds))
	for i, x := range l.Latency {
		at := setting.Index("latency", i)
		v, ok := parseShare(x.Share)
		ps.Require(ok && v > 0, at+".share", x.Share, impossible)
		ps.Require(x.Over > 0, at+".over", x.Over, "is not a time, as 500ms is")
	}
	ps.Require(len(l.Slower) <= maxThresholds, "slower", len(l.Slower), fmt.Sprintf("limits are more than %d", maxThresholds))
	for i, x := range l.Slower {
		at := setting.Index("slower", i)
		v, ok := parseShare(x.Share)
		ps.Require(ok && v > 0, at+".share", x.Share, impossible)
		ps.Require(x.Ratio > 0 && x.Ratio <= 1e6, at+".ratio", x.Ratio, "is not a ratio above 0, as 1.5 is")
		ps.Require(x.Plus >= 0, at+".plus", x.Plus, "is negative")
	}
	return ps.Err()
}

func (l Limits) empty() bool {
	return l.Latency == nil && l.Slower == nil && !slices.ContainsFunc(l.findings(), func(s named) bool { return *s.share != "" })
}

var shareText = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,9})?%$`)

// parseShare reads "0.1%" as 0.001; it is false for what is no share of 0 to 1.
func parseShare(s string) (float64, bool) {
	if !shareText.MatchString(s) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(strings.TrimSuffix(s, "%"))
	if !ok || r.Cmp(big.NewRat(100, 1)) > 0 {
		return 0, false
	}
	v, _ := r.Quo(r, big.NewRat(100, 1)).Float64()
	return v, true
}

// terms are what is asked of one route, or of all together.
type terms struct {
	limits  []limit
	minimum uint64
	exempt  string
}

// limit is a share and what it is the share of.
type limit struct {
	name  string // mismatch; latency over 2s; slower than 1.5x
	share float64
	// at is what the time of the candidate is held against; nil for a finding.
	at *Threshold
}

// Threshold is what the candidate's time for a request is held against: Ratio
// times the baseline's for the same request, and Plus.
type Threshold struct {
	Ratio float64
	Plus  time.Duration
}

func (p Policy) overall() terms { return terms{limits: p.Limits.ready(), minimum: p.Minimum} }

// compiled is a policy made ready.
type compiled struct {
	alpha    float64
	overall  terms
	routes   []terms
	patterns []route.Pattern
	recall   float64 // 0 asks for no audit
}

// compile makes ready a policy that is valid.
func (p Policy) compile() compiled {
	confidence, _ := parseShare(p.Confidence)
	c := compiled{alpha: 1 - confidence, overall: p.overall()}
	c.recall, _ = parseShare(p.Audit.Recall)
	for _, r := range p.Routes {
		pattern, _ := route.ParsePattern(r.Route)
		t := terms{limits: p.Limits.with(r.Limits).ready(), minimum: p.Minimum, exempt: r.Exempt}
		if r.Minimum != nil {
			t.minimum = *r.Minimum
		}
		c.routes, c.patterns = append(c.routes, t), append(c.patterns, pattern)
	}
	return c
}

// of is what is asked of a route, and by which entry; -1 is by none.
func (c compiled) of(name string) (terms, int) {
	for i, p := range c.patterns {
		if p.Match(name) {
			return c.routes[i], i
		}
	}
	return c.overall, -1
}

// with replaces the limits that own names.
func (l Limits) with(own Limits) Limits {
	from := own.findings()
	for i, to := range l.findings() {
		if *from[i].share != "" {
			*to.share = *from[i].share
		}
	}
	if own.Latency != nil {
		l.Latency = own.Latency
	}
	if own.Slower != nil {
		l.Slower = own.Slower
	}
	return l
}

// ready lists the limits that limit something.
func (l Limits) ready() []limit {
	var out []limit
	add := func(name, share string, at *Threshold) {
		if v, ok := parseShare(share); ok && v < 1 {
			out = append(out, limit{name, v, at})
		}
	}
	for _, s := range l.findings() {
		add(s.name, *s.share, nil)
	}
	for _, x := range l.Latency {
		add(fmt.Sprintf("latency over %s", x.Over), x.Share, &Threshold{Plus: x.Over})
	}
	for _, x := range l.Slower {
		name := fmt.Sprintf("slower than %gx", x.Ratio)
		if x.Plus > 0 {
			name += " + " + x.Plus.String()
		}
		add(name, x.Share, &Threshold{x.Ratio, x.Plus})
	}
	return out
}

// Thresholds are all that the policy holds times against, each once.
func (p Policy) Thresholds() []Threshold {
	var out []Threshold
	c := p.compile()
	for _, t := range append([]terms{c.overall}, c.routes...) {
		for _, l := range t.limits {
			if l.at != nil && !slices.Contains(out, *l.at) {
				out = append(out, *l.at)
			}
		}
	}
	return out
}
