package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"understudy.dev/exchange/access"
	"understudy.dev/exchange/kill"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/token"
	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/gateway"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door makes a gateway of a migration m whose sessions are in X-Session.
func door(t testing.TB, dir string, change func(*gateway.Config)) *gateway.Gateway {
	t.Helper()
	cfg := gateway.DefaultConfig()
	cfg.Migration, cfg.StateDir, cfg.Candidate.URL = "m", dir, "http://127.0.0.1:1"
	if change != nil {
		change(&cfg)
	}
	keys, err := token.Parse("0123456789abcdef0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.New([]string{"header:X-Session"}, keys.Current())
	if err != nil {
		t.Fatal(err)
	}
	routes, err := route.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(cfg, sessions, routes, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return g
}

// steps plays orders and returns the steps.
func steps(t testing.TB, orders ...stage.Order) []*understudyv1.Stage {
	t.Helper()
	var s *stage.State
	var out []*understudyv1.Stage
	for _, o := range orders {
		o.Migration = "m"
		step, err := s.Step(o)
		if err != nil {
			t.Fatal(err)
		}
		if s, err = s.Next(step); err != nil {
			t.Fatal(err)
		}
		out = append(out, step)
	}
	return out
}

func order(action, to string) stage.Order {
	o := stage.Order{Action: action, Reason: "r"}
	if to != "" {
		at, err := stage.Parse(to)
		if err != nil {
			panic(err)
		}
		o.To = &at
	}
	return o
}

func feed(g *gateway.Gateway, all []*understudyv1.Stage) {
	for _, s := range all {
		g.Step(s)
	}
	g.Current(time.Now())
}

// enter asks by both ways, which must say the same.
func enter(t *testing.T, g *gateway.Gateway, method, target string, header ...string) *visit.Visit {
	t.Helper()
	in := httptest.NewRequest(method, target, nil)
	text := method + " " + target + " HTTP/1.1\r\nHost: example.com\r\n"
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		in.Header.Add(name, value)
		text += h + "\r\n"
	}
	q := new(wire.Request)
	q.Reset()
	q.Limit = 1 << 16
	if n, err := q.Parse([]byte(text + "\r\n")); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	one, other := g.EnterHTTP(in), g.Enter(q, in.RemoteAddr)
	if *one != *other {
		t.Errorf("%s %s: as net/http has it %+v, raw %+v", method, target, one, other)
	}
	return one
}

// TestWhoServes in which order it is decided, and what it is called.
func TestWhoServes(t *testing.T) {
	dir := t.TempDir()
	g := door(t, dir, func(c *gateway.Config) {
		c.Rules = []gateway.Rule{
			{Side: "candidate", Header: "x-tester"},
			{Side: "candidate", Cookie: "plan", Values: []string{"beta"}},
			{Side: "baseline", Header: "X-Customer", Values: []string{"acme"}},
		}
	})
	f := func(want string, header ...string) {
		t.Helper()
		v := enter(t, g, "GET", "/orders/17?a=1", header...)
		if got := strings.Join([]string{understudyv1.Label(v.Side), v.Stage, v.Decision}, " "); got != want || v.Attempts != 1 {
			t.Errorf("%v: got %q, want %q", header, got, want)
		}
	}
	f("baseline  unknown")
	f("baseline  unknown", "X-Tester: 1")
	all := steps(t, order("create", ""), order("promote", "shadow"), order("promote", "canary:0.01%"), order("promote", "live"))
	feed(g, all[:1])
	f("baseline off stage", "X-Tester: 1")
	g.Step(all[1])
	f("baseline shadow stage")
	f("candidate shadow rule", "X-Tester: 1")
	f("candidate shadow rule", "Cookie: a=b; plan=beta")
	f("baseline shadow stage", "Cookie: plan=gold")
	f("baseline shadow rule", "X-Tester: 1", "X-Customer: acme") // who must not be moved
	g.Step(all[2])
	f("baseline canary:0.01% no_session")
	f("baseline canary:0.01% bucket", "X-Session: alice")
	g.Step(all[3])
	f("candidate live stage")
	f("baseline live rule", "X-Customer: acme")
	f("baseline live control", "Understudy-Control: run/e1")
	if err := g.Kill().Set(true, "x"); err != nil {
		t.Fatal(err)
	}
	f("baseline live killed", "X-Tester: 1")
	if err := g.Kill().Set(false, ""); err != nil {
		t.Fatal(err)
	}
	f("candidate live stage")
	back := steps(t, order("create", ""), order("promote", "shadow"), order("promote", "canary:0.01%"), order("promote", "live"), order("rollback", ""))
	g.Step(back[4])
	f("baseline live rolled_back", "X-Tester: 1")

	v := &visit.Visit{Side: understudyv1.Side_SIDE_CANDIDATE, Stage: "live", Decision: "stage", Attempts: 1}
	if !g.Unreached(v) || v.Side != understudyv1.Side_SIDE_BASELINE || v.Decision != "unreached" || v.Attempts != 2 {
		t.Errorf("%+v", v)
	}
	if v := (&visit.Visit{Side: understudyv1.Side_SIDE_CANDIDATE, Stage: "complete", Attempts: 1}); g.Unreached(v) || v.Side != understudyv1.Side_SIDE_CANDIDATE {
		t.Errorf("%+v", v)
	}
}

// TestARoutesOwnStage, and that a rollback of everything is one of the route too.
// TestTheStageIsTheOneThatDecided: steps come between two looks at the state.
func TestTheStageIsTheOneThatDecided(t *testing.T) {
	g := door(t, t.TempDir(), nil)
	orders := []stage.Order{order("create", "live")}
	for range 400 {
		orders = append(orders, order("rollback", ""), order("resume", "live"))
	}
	all := steps(t, orders...)
	g.Step(all[0])
	g.Current(time.Now())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for _, step := range all[1:] {
			g.Step(step)
		}
	}()
	for i := 0; ; i++ {
		in := httptest.NewRequest(http.MethodGet, "/", nil)
		in.Header.Set("X-Session", fmt.Sprint(i))
		v := g.EnterHTTP(in)
		at, err := stage.Parse(v.Stage)
		want := at.Side("m", v.Session)
		if v.Decision == "rolled_back" {
			want = understudyv1.Side_SIDE_BASELINE
		}
		if err != nil || v.Side != want {
			t.Errorf("served by %s at %s, %s: %v", v.Side, v.Stage, v.Decision, err)
		}
		select {
		case <-over:
			return
		default:
		}
	}
}

func TestARoutesOwnStage(t *testing.T) {
	g := door(t, t.TempDir(), nil)
	own := order("promote", "live")
	own.Route = "POST /orders"
	all := steps(t, order("create", ""), own, order("rollback", ""), order("resume", ""))
	f := func(method, want string) {
		t.Helper()
		if v := enter(t, g, method, "/orders"); fmt.Sprint(understudyv1.Label(v.Side), " ", v.Stage, " ", v.Migration, " ", v.Step) != want {
			t.Errorf("%s: %+v, want %s", method, v, want)
		}
	}
	feed(g, all[:2])
	f("POST", "candidate live m 2")
	f("GET", "baseline off m 1")
	g.Step(all[2])
	f("POST", "baseline off m 3")
	g.Step(all[3])
	f("POST", "baseline shadow m 4")
}

// TestWhatIsKnownOutlivesARestart, and the history is not gone through again.
func TestWhatIsKnownOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	g := door(t, dir, nil)
	all := steps(t, order("create", ""), order("promote", "live"), order("rollback", ""), order("resume", "canary:100%"))
	feed(g, all)
	at := func(g *gateway.Gateway) string { return stage.Describe(g.State().At("")) }
	if at(g) != "canary:100%" {
		t.Fatal(at(g))
	}
	again := door(t, dir, nil)
	if at(again) != "canary:100%" || enter(t, again, "GET", "/", "X-Session: a").Side != understudyv1.Side_SIDE_CANDIDATE {
		t.Errorf("after a restart it is at %s", at(again))
	}
	for _, s := range all { // as the topic has them
		again.Step(s)
		if at(again) != "canary:100%" {
			t.Errorf("step %d is gone through again: %s", s.GetVersion(), at(again))
		}
	}
	again.Current(time.Now())
	if again.State().Version() != 4 {
		t.Errorf("version %d", again.State().Version())
	}
	// A topic that has lost everything changes nothing.
	empty := door(t, dir, nil)
	empty.Current(time.Now())
	if at(empty) != "canary:100%" {
		t.Errorf("without a step in Kafka it is at %s", at(empty))
	}
	// Of two steps of one number the first counts, whatever comes again.
	late := proto.Clone(all[3]).(*understudyv1.Stage)
	late.Id, late.Name, late.Weight = "late", understudyv1.Stage_NAME_COMPLETE, 0
	g.Step(late)
	if at(g) != "canary:100%" {
		t.Errorf("a late step counts: %s", at(g))
	}
	// A damaged file is the baseline until Kafka says more.
	if err := os.WriteFile(filepath.Join(dir, "m", "stages"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if g := door(t, dir, nil); enter(t, g, "GET", "/").Decision != "unknown" {
		t.Errorf("damaged: at %s", at(g))
	}
}

// TestAFlagFileDecides instead of the steps; a rollback wins over it.
func TestAFlagFileDecides(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	text := `{"flags": {"m": {"state": "ENABLED", "variants": {"on": "candidate", "off": "baseline"}, "defaultVariant": "off",
		"targeting": {"if": [{"and": [{"==": [{"var": "method"}, "GET"]}, {"==": [{"var": "x-country"}, "nz"]}]}, "on"]}, "metadata": {"stage": "canary"}}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g := door(t, dir, func(c *gateway.Config) { c.FlagFile, c.Headers = file, []string{"X-Country"} })
	f := func(method, country, want string) {
		t.Helper()
		v := enter(t, g, method, "/", "X-Country: "+country)
		if got := understudyv1.Label(v.Side) + " " + v.Stage + " " + v.Decision; got != want {
			t.Errorf("%s %s: got %q, want %q", method, country, got, want)
		}
	}
	f("GET", "nz", "candidate canary flag")
	f("GET", "au", "baseline canary flag")
	f("POST", "nz", "baseline canary flag")
	feed(g, steps(t, order("create", ""), order("rollback", "")))
	f("GET", "nz", "baseline off rolled_back")
}

func TestConfigFaults(t *testing.T) {
	cfg := gateway.DefaultConfig()
	cfg.Migration, cfg.Headers = "a b", []string{"x y"}
	cfg.Rules = []gateway.Rule{{Side: "blue", Header: "x", Cookie: "y"}, {Side: "baseline"}, {Side: "baseline", Sessions: []string{"s"}, Values: []string{"v"}}}
	err := cfg.Validate()
	for _, want := range []string{`migration: "a b" is no name`, "state_dir: a folder is needed", `headers[0]: "x y" is not the name of a header`,
		`rules[0].side: "blue" is not one of baseline, candidate`, "rules[0]: a rule names one of", "rules[1]: a rule names one of", "rules[2].values: values are those"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in\n%v", want, err)
		}
	}
}

// BenchmarkEnter is what a gateway adds to a request before it is sent: session,
// route, rules and flag. p99-ns is of single requests.
func BenchmarkEnter(b *testing.B) {
	dir := b.TempDir()
	file := filepath.Join(dir, "flags.json")
	text := `{"flags": {"m": {"state": "ENABLED", "variants": {"on": "candidate", "off": "baseline"}, "defaultVariant": "off", "targeting": {"fractional": [["on", 1000], ["off", 9000]]}}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, with := range []string{"steps", "file"} {
		b.Run(with, func(b *testing.B) {
			g := door(b, b.TempDir(), func(c *gateway.Config) {
				c.Rules = []gateway.Rule{{Side: "candidate", Header: "X-Tester"}}
				if with == "file" {
					c.FlagFile = file
				}
			})
			feed(g, steps(b, order("create", ""), order("promote", "canary:10%")))
			q := new(wire.Request)
			q.Reset()
			q.Limit = 1 << 16
			head := "GET /orders/17 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: curl/8\r\nAccept: */*\r\nCookie: a=b; c=d\r\nX-Session: %s\r\n\r\n"
			if _, err := q.Parse(fmt.Appendf(nil, head, "alice")); err != nil {
				b.Fatal(err)
			}
			took := make([]time.Duration, 0, 1<<20)
			for b.Loop() {
				start := time.Now()
				if g.Enter(q, "192.0.2.1:7") == nil {
					b.Fatal("no visit")
				}
				if len(took) < cap(took) {
					took = append(took, time.Since(start))
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
		})
	}
}

// TestTheHandlerOfTheSwitch turns it for this machine only, with a reason.
func TestTheHandlerOfTheSwitch(t *testing.T) {
	g := door(t, t.TempDir(), nil)
	guard, err := access.New(access.Config{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	h := g.Kill().Handler(guard)
	var done []kill.Act
	g.Kill().OnAct(func(a kill.Act) { done = append(done, a) })
	f := func(method, remote, host, reason string, status int, on bool) {
		t.Helper()
		r := httptest.NewRequest(method, "/gateway/kill", nil)
		r.RemoteAddr, r.Host = remote, host
		if reason != "" {
			r.Header.Set("Understudy-Reason", reason)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || g.Kill().On() != on {
			t.Errorf("%s from %s to %s: %d %q, on %t", method, remote, host, w.Code, w.Body.String(), g.Kill().On())
		}
	}
	here, local := "127.0.0.1:5", "localhost:9090"
	f(http.MethodPost, "192.0.2.1:5", local, "r", http.StatusForbidden, false)
	f(http.MethodPost, here, "evil.example:9090", "r", http.StatusForbidden, false) // DNS rebinding
	f(http.MethodPost, here, local, " ", http.StatusBadRequest, false)              // what a form of another site could send
	f(http.MethodPatch, here, local, "r", http.StatusMethodNotAllowed, false)
	f(http.MethodPost, here, local, "it lies", http.StatusOK, true)
	f(http.MethodGet, here, local, "", http.StatusOK, true)
	f(http.MethodGet, "192.0.2.1:5", "gateway:9090", "", http.StatusForbidden, true)
	f(http.MethodDelete, "192.0.2.1:5", local, "r", http.StatusForbidden, true)
	f(http.MethodDelete, "[::1]:5", "[::1]:9090", "mended", http.StatusOK, false)
	if len(done) != 2 || !done[0].On || done[1].On || done[0].Who != "somebody on this machine" || done[1].Reason != `"mended"` {
		t.Errorf("what was told of it: %+v", done)
	}
}
