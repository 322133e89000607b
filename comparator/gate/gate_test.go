package gate_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator/gate"
)

// decide decides under a policy text; counts are those of the routes.
func decide(t *testing.T, policy string, e gate.Evidence) gate.Result {
	t.Helper()
	p, err := read(policy)
	if err != nil {
		t.Fatal(err)
	}
	e.Run, e.Judgement, e.Thresholds = "r", "j", p.Thresholds()
	return gate.Decide(p, e)
}

// route has so many requests with these findings, "mismatch", 3, …
func route(name string, requests uint64, findings ...any) gate.Counts {
	c := gate.Counts{Route: name, First: 1, Requests: requests, Findings: map[string]uint64{}}
	for i := 0; i < len(findings); i += 2 {
		c.Findings[findings[i].(string)] = uint64(findings[i+1].(int))
	}
	return c
}

// said is the decision with the names of its reasons, and those of the routes.
func said(r gate.Result) string {
	var b strings.Builder
	b.WriteString(string(r.Decision))
	for _, x := range r.Reasons {
		if x.Name != gate.Exceeded { // which the decisions of the routes say
			fmt.Fprintf(&b, " %s", x.Name)
		}
	}
	routes := slices.Clone(r.Routes)
	slices.SortFunc(routes, func(a, b gate.Unit) int { return strings.Compare(a.Route, b.Route) })
	for _, u := range routes {
		fmt.Fprintf(&b, "; %s %s", u.Route, u.Decision)
	}
	return b.String()
}

// only limits mismatches alone.
const only = "limits: {mismatch: 1%, rejected: 100%, lost: 100%, error: 100%, contradictory: 100%, duplicate: 100%, late: 100%, out_of_order: 100%}\n"

// TestReasons: those that are told first decide.
func TestReasons(t *testing.T) {
	r := decide(t, "", gate.Evidence{
		Routes:  []gate.Counts{route("a", 1000, "late", 5), route("b", 1000, "mismatch", 100)},
		Spoiled: []gate.Reason{{Name: gate.Stale, What: "why"}}, Doubts: []gate.Reason{{Name: gate.Failed, What: "how"}},
	})
	var got []string
	for _, x := range r.Reasons {
		got = append(got, x.Name+" "+x.Route+" "+x.What)
	}
	for i, want := range []string{
		"stale  why", "exceeded  mismatch: 100 of 2000 requests; the rate is within 3.13% and 7.04%, the limit is 0.1%",
		"exceeded b mismatch: 100 of 1000 requests; the rate is within 6.1% and 13.8%, the limit is 0.1%", "failed  how",
		"too_few  2000 requests cannot show that the limits of rejected, lost, error, contradictory, duplicate, out_of_order are kept; it takes 8062 without one",
	} {
		if i >= len(got) || got[i] != want {
			t.Errorf("%d: got %q, want%q", i, got, want)
		}
	}
}

func TestDecide(t *testing.T) {
	f := func(want, policy string, e gate.Evidence) {
		t.Helper()
		if got := said(decide(t, policy, e)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	of := func(routes ...gate.Counts) gate.Evidence { return gate.Evidence{Routes: routes} }
	f("hold no_data", only, of())
	f("promote; a promote", only, of(route("a", 700)))
	f("hold too_few; a together", only, of(route("a", 600)))
	f("promote; a promote", "", of(route("a", 8100)))
	f("roll_back; a roll_back", only, of(route("a", 1000, "mismatch", 100)))
	f("hold close close; a hold", only, of(route("a", 1000, "mismatch", 9)))
	// What is not limited is not looked at.
	f("promote; a promote", only, of(route("a", 1000, "lost", 500)))
	f("roll_back; a roll_back", "", of(route("a", 10000, "lost", 500)))
	// A route with little traffic stands in no way, unless it is shown to be over its
	// limit, or a minimum is asked for.
	f("promote; a promote; b together", only, of(route("a", 1000), route("b", 5, "mismatch", 1)))
	f("roll_back close; a promote; b roll_back", only, of(route("a", 1000), route("b", 9, "mismatch", 9)))
	f("hold too_few; a promote; b hold", "minimum: 6\n"+only, of(route("a", 1000), route("b", 5)))
	f("hold too_few; a promote; b hold", only+"routes: [{route: b, minimum: 6}]", of(route("a", 1000), route("b", 5)))
	f("promote; a promote; b together", "minimum: 6\n"+only+"routes: [{route: b, minimum: 0}]", of(route("a", 1000), route("b", 5)))
	// One bad route among many good ones; together they are within the limit.
	f("roll_back; a promote; b roll_back", only, of(route("a", 100000), route("b", 1000, "mismatch", 100)))
	// Limits of a route, which takes the others from all.
	f("promote; a promote; b promote", only+"routes: [{route: b, limits: {mismatch: 20%}}]", of(route("a", 100000), route("b", 1000, "mismatch", 100)))
	f("roll_back; a promote; b roll_back", only+"routes: [{route: b, limits: {late: 20%}}]", of(route("a", 100000), route("b", 1000, "mismatch", 100)))
	f("promote; a promote", only+"routes: [{route: b, exempt: not moved}]", of(route("a", 1000), route("b", 1000, "mismatch", 100)))
	f("hold no_data", only+"routes: [{route: '*', exempt: not moved}]", of(route("b", 1000, "mismatch", 100)))
}

// TestUnknown: what is not known keeps from promoting, and does not roll back.
func TestUnknown(t *testing.T) {
	with := func(change func(*gate.Counts), findings ...any) gate.Evidence {
		c := route("a", 1000, findings...)
		change(&c)
		return gate.Evidence{Routes: []gate.Counts{c}}
	}
	f := func(want, what string, e gate.Evidence) {
		t.Helper()
		r := decide(t, only, e)
		if got := said(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if what != "" && !strings.Contains(r.Reasons[0].What, what) {
			t.Errorf("got %q, want %q", r.Reasons[0].What, what)
		}
	}
	f("hold unknown unknown; a hold", "of 900 requests it is not known (presumed 900)", with(func(c *gate.Counts) { c.Presumed, c.Unsure = 900, 900 }))
	f("hold unknown unknown; a hold", "(incomplete 20)", with(func(c *gate.Counts) { c.Incomplete, c.Unsure = 20, 20 }))
	f("hold unknown unknown; a hold", "(skipped 1000)", with(func(c *gate.Counts) { c.Skipped = 1000 }))
	f("hold unknown unknown; a hold", "(not answered by the baseline 30)", with(func(c *gate.Counts) { c.Unanswered = 30 }))
	f("promote; a promote", "", with(func(c *gate.Counts) { c.Presumed, c.Unsure = 1, 1; c.Requests = 2000 }))
	// A mismatch that has presumed places too is a mismatch, whatever those are.
	f("roll_back; a roll_back", "", with(func(c *gate.Counts) { c.Presumed = 100 }, "mismatch", 100))
	f("hold close close; a hold", "", with(func(c *gate.Counts) { c.Presumed, c.Unsure = 900, 900 }, "mismatch", 12))
}

// TestWhatSpoils: spoiled evidence holds even where it would roll back; a doubt
// only keeps from promoting. Each is said.
func TestWhatSpoils(t *testing.T) {
	bad, good := []gate.Counts{route("a", 1000, "mismatch", 100)}, []gate.Counts{route("a", 1000)}
	f := func(want string, e gate.Evidence) {
		t.Helper()
		if got := said(decide(t, only, e)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, name := range []string{gate.Stale, gate.Unbalanced, gate.ExpiredRule} {
		reasons := []gate.Reason{{Name: name}}
		f("hold "+name+"; a promote", gate.Evidence{Routes: good, Spoiled: reasons})
		f("hold "+name+"; a roll_back", gate.Evidence{Routes: bad, Spoiled: reasons})
	}
	failed := []gate.Reason{{Name: gate.Failed}}
	f("hold failed; a promote", gate.Evidence{Routes: good, Doubts: failed})
	f("roll_back failed; a roll_back", gate.Evidence{Routes: bad, Doubts: failed})
	good[0].Different = 2
	f("hold different; a hold", gate.Evidence{Routes: good})
}

func TestAudit(t *testing.T) {
	f := func(want, what string, a *gate.Audited) {
		t.Helper()
		r := decide(t, only+"audit: {recall: 99%}", gate.Evidence{Routes: []gate.Counts{route("a", 1000)}, Audit: a})
		if got := string(r.Decision); got != want || what != "" && (len(r.Reasons) != 1 || r.Reasons[0].Name != gate.NoAudit || !strings.Contains(r.Reasons[0].What, what)) {
			t.Errorf("got %s because of %v, want %s because of %q", got, r.Reasons, want, what)
		}
	}
	f("hold", "understudy audit r -o json makes one", nil)
	f("hold", `of run "s"`, &gate.Audited{Run: "s", Judgement: "j", Found: 9999, Counted: 9999})
	f("hold", "of judgement k", &gate.Audited{Run: "r", Judgement: "k", Found: 9999, Counted: 9999})
	f("hold", "found 100 of 100 planted faults", &gate.Audited{Run: "r", Judgement: "j", Found: 100, Counted: 100})
	f("hold", "the policy demands 99%", &gate.Audited{Run: "r", Judgement: "j", Found: 9800, Counted: 9999})
	f("hold", "found 0 of 0", &gate.Audited{Run: "r", Judgement: "j"})
	f("promote", "", &gate.Audited{Run: "r", Judgement: "j", Found: 9998, Counted: 9999})
}

// TestTimes: shares over a latency, and beside the baseline's.
func TestTimes(t *testing.T) {
	const policy = only + "routes: [{route: '*', limits: {mismatch: 100%, latency: [{over: 2s, share: 1%}], slower: [{ratio: 1.5, share: 50%}]}}]"
	f := func(want string, over, slower gate.Over) {
		t.Helper()
		c := route("a", 1000)
		c.Over = []gate.Over{over, slower}
		if got := said(decide(t, policy, gate.Evidence{Routes: []gate.Counts{c}})); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("promote; a promote", gate.Over{}, gate.Over{Over: 400})
	f("roll_back; a roll_back", gate.Over{Over: 50}, gate.Over{Over: 400})
	f("roll_back; a roll_back", gate.Over{}, gate.Over{Over: 600})
	f("hold close; a hold", gate.Over{}, gate.Over{Over: 500})
	f("hold unknown; a hold", gate.Over{}, gate.Over{Over: 400, Unknown: 300})
	if got := said(decide(t, policy, gate.Evidence{Routes: []gate.Counts{route("a", 1000)}})); got != "hold unknown unknown; a hold" {
		t.Errorf("nobody has looked at the times: %s", got)
	}
}

// TestWarnings: an entry that holds for nothing is told with the nearest route.
func TestWarnings(t *testing.T) {
	r := decide(t, only+`routes:
  - {route: POST /order, minimum: 1}
  - {route: GET /*, minimum: 1}
  - {route: GET /carts, minimum: 1}
  - {route: PATCH /nothing/like/it/at/all, minimum: 1}
`, gate.Evidence{Routes: []gate.Counts{route("POST /orders", 1000), route("GET /carts", 1000)}})
	want := []gate.Warning{
		{Path: "routes[0].route", What: `"POST /order" matches no route of the run; did you mean "POST /orders"?`},
		{Path: "routes[2].route", What: `"GET /carts" holds for no route, because entries before it match all of its routes`},
		{Path: "routes[3].route", What: `"PATCH /nothing/like/it/at/all" matches no route of the run`},
	}
	if !slices.Equal(r.Warnings, want) {
		t.Errorf("got %v", r.Warnings)
	}
}

// TestErrorIsSpentOnce: what all lower bounds may be wrong by is not more than
// alpha, and does not depend on the order in which routes are listed.
func TestErrorIsSpentOnce(t *testing.T) {
	var routes []gate.Counts
	for i := range 300 {
		c := route(fmt.Sprintf("r%03d", i), 1000, "mismatch", 30)
		c.First = uint64(i*7 + 1)
		routes = append(routes, c)
	}
	first := decide(t, only, gate.Evidence{Routes: routes})
	slices.Reverse(routes)
	second := decide(t, only, gate.Evidence{Routes: routes})
	for i, u := range first.Routes {
		j := slices.IndexFunc(second.Routes, func(v gate.Unit) bool { return v.Route == u.Route })
		if a, b := u.Measures[0].Lower, second.Routes[j].Measures[0].Lower; a != b {
			t.Fatalf("%d: %s is bounded by %g and %g", i, u.Route, a, b)
		}
	}
	lower := func(route string) float64 {
		i := slices.IndexFunc(first.Routes, func(u gate.Unit) bool { return u.Route == route })
		return first.Routes[i].Measures[0].Lower
	}
	if !(lower("r000") > lower("r001") && lower("r001") > lower("r299")) {
		t.Errorf("later routes have wider bounds: %g, %g, %g", lower("r000"), lower("r001"), lower("r299"))
	}
	if up := first.Routes[0].Measures[0].Upper; math.Abs(up-first.Routes[299].Measures[0].Upper) > 0 {
		t.Errorf("upper bounds are all at alpha")
	}
}

// BenchmarkDecide: a thousand routes.
func BenchmarkDecide(b *testing.B) {
	var routes []gate.Counts
	for i := range 1000 {
		c := route(fmt.Sprint("r", i), uint64(1000+i), "mismatch", i%7)
		c.First = uint64(i)
		routes = append(routes, c)
	}
	p := gate.DefaultPolicy()
	p.Limits.Latency = []gate.Latency{{Over: time.Second, Share: "1%"}}
	for b.Loop() {
		gate.Decide(p, gate.Evidence{Routes: routes, Thresholds: p.Thresholds()})
	}
}

// TestWhy names what a decision rests on, and no more than a line has room for.
func TestWhy(t *testing.T) {
	f := func(want string, e gate.Evidence) {
		t.Helper()
		if got := decide(t, "", e).Why(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f("no_data: nothing is judged", gate.Evidence{})
	f("20000 requests, mismatch of at most 0.0426%, the limit is 0.1%", gate.Evidence{Routes: []gate.Counts{route("a", 20000)}})
	f("exceeded: mismatch: 100 of 1000 requests; the rate is within 6.38% and 13.8%, the limit is 0.1%; exceeded, a: mismatch: 100 of 1000 requests; the rate is within 6.21% and 13.8%, the limit is 0.1%",
		gate.Evidence{Routes: []gate.Counts{route("a", 1000, "mismatch", 100)}, Doubts: []gate.Reason{{Name: gate.Failed, What: "it has"}}})
	var broken []gate.Reason
	for i := range 9 {
		broken = append(broken, gate.Reason{Name: gate.Stale, What: fmt.Sprint(i)})
	}
	f("stale: 0; stale: 1; stale: 2; and 7 more", gate.Evidence{Spoiled: broken})
}
