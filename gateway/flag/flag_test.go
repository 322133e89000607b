package flag_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
	"go.uber.org/goleak"

	"understudy.dev/gateway/flag"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func flags(t *testing.T, p openfeature.FeatureProvider, timeout time.Duration) *flag.Flags {
	t.Helper()
	f, err := flag.New(t.Context(), flag.Provider{FeatureProvider: p, Timeout: timeout}, "checkout")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(context.Background()) })
	return f
}

// TestAProviderOfSomebodyElse decides just as well: here OpenFeature's own, in
// memory.
func TestAProviderOfSomebodyElse(t *testing.T) {
	evaluator := func(this memprovider.InMemoryFlag, about openfeature.FlattenedContext) (any, openfeature.ProviderResolutionDetail) {
		if about["country"] == "nz" && about["route"] == "GET /x" && about[openfeature.TargetingKey] == "s1" {
			return this.Variants["new"], openfeature.ProviderResolutionDetail{Variant: "new", Reason: openfeature.TargetingMatchReason}
		}
		return this.Variants["old"], openfeature.ProviderResolutionDetail{Variant: "old", Reason: openfeature.DefaultReason}
	}
	mem := memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{"checkout": {
		State: memprovider.Enabled, DefaultVariant: "old", Variants: map[string]any{"new": "candidate", "old": "baseline"},
		ContextEvaluator: &evaluator,
	}})
	f := flags(t, mem, time.Second)
	about := map[string]any{"route": "GET /x", "country": "nz"}
	if a := f.Ask("s1", about); a.Side != understudyv1.Side_SIDE_CANDIDATE || a.Decision != flag.DecisionFlag {
		t.Errorf("%+v", a)
	}
	if a := f.Ask("s2", about); a.Side != understudyv1.Side_SIDE_BASELINE || a.Decision != flag.DecisionFlag {
		t.Errorf("%+v", a)
	}
}

// odd is a provider that does as it likes.
type odd struct {
	openfeature.NoopProvider
	say func() string
}

func (*odd) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: "odd"} }
func (o *odd) StringEvaluation(context.Context, string, string, openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	return openfeature.StringResolutionDetail{Value: o.say()}
}

// TestAProviderThatFails costs a request nothing but its chance.
func TestAProviderThatFails(t *testing.T) {
	f := func(say func() string, want string) {
		t.Helper()
		a := flags(t, &odd{say: say}, time.Minute).Ask("s", nil)
		if a.Side != understudyv1.Side_SIDE_BASELINE || a.Decision != want {
			t.Errorf("got %+v, want %s", a, want)
		}
	}
	f(func() string { return "the new one" }, flag.DecisionError)
	f(func() string { panic("no") }, flag.DecisionError)

	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		slow, err := flag.New(t.Context(), flag.Provider{FeatureProvider: &odd{say: func() string { <-hang; return "candidate" }}, Timeout: time.Second}, "checkout")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			want := flag.DecisionTimeout
			if i >= 256 {
				want = flag.DecisionBusy // so many hang that nobody else is asked
			}
			if a := slow.Ask("s", nil); a.Side != understudyv1.Side_SIDE_BASELINE || a.Decision != want {
				t.Fatalf("%d: got %+v, want %s", i, a, want)
			}
		}
		close(hang)
		synctest.Wait()
		if a := slow.Ask("s", nil); a.Side != understudyv1.Side_SIDE_CANDIDATE {
			t.Errorf("it answers again, and got %+v", a)
		}
		if err := slow.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestSteps(t *testing.T) {
	var s *stage.State
	f := flags(t, flag.NewSteps(func() *stage.State { return s }), 0)
	ask := func(session, side, decision, at string) {
		t.Helper()
		a := f.Ask(session, map[string]any{flag.AttributeRoute: "GET /x"})
		if understudyv1.Label(a.Side) != side || a.Decision != decision || a.Stage != at {
			t.Errorf("got %+v, want %s, %s, %s", a, side, decision, at)
		}
	}
	step := func(action, to string) {
		t.Helper()
		o := stage.Order{Migration: "checkout", Action: action, Reason: "r"}
		if to != "" {
			at, err := stage.Parse(to)
			if err != nil {
				t.Fatal(err)
			}
			o.To = &at
		}
		next, err := s.Step(o)
		if err != nil {
			t.Fatal(err)
		}
		if s, err = s.Next(next); err != nil {
			t.Fatal(err)
		}
	}
	ask("alice", "baseline", flag.DecisionUnknown, "")
	step(stage.ActionCreate, "")
	ask("alice", "baseline", flag.DecisionStage, "off")
	step(stage.ActionPromote, "canary:40%") // bob has bucket 1397, alice 4869
	ask("bob", "candidate", flag.DecisionBucket, "canary:40%")
	ask("alice", "baseline", flag.DecisionBucket, "canary:40%")
	ask("", "baseline", flag.DecisionNoSession, "canary:40%")
	step(stage.ActionPromote, "live")
	ask("", "candidate", flag.DecisionStage, "live")
	step(stage.ActionRollback, "")
	ask("alice", "baseline", flag.DecisionRolledBack, "live")
}

// fractional is a file that gives the candidate weight of 10,000.
func fractional(weight int) string {
	return fmt.Sprintf(`{"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": {"checkout": {"state": "ENABLED",
  "variants": {"new": "candidate", "old": "baseline"}, "defaultVariant": "old",
  "targeting": {"fractional": [["new", %d], ["old", %d]]}, "metadata": {"stage": "canary"}}, "other": {"state": 17}}}`, weight, 10000-weight)
}

// TestFileBucketsAsStagesDo: the same sessions are with the candidate whether
// the steps say so or flagd's operator.
func TestFileBucketsAsStagesDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(path, []byte(fractional(1234)), 0o600); err != nil {
		t.Fatal(err)
	}
	f := flags(t, flag.NewFile(path, path+".kept", "checkout", slog.New(slog.DiscardHandler)), 0)
	moved := 0
	for i := range 2000 {
		session := fmt.Sprint("session ", i)
		want := stage.Stage{Name: understudyv1.Stage_NAME_CANARY, Weight: 1234}.Side("checkout", session)
		if a := f.Ask(session, nil); a.Side != want || a.Decision != flag.DecisionFlag || a.Stage != "canary" {
			t.Fatalf("%s: %+v, want %s", session, a, want)
		}
		if want == understudyv1.Side_SIDE_CANDIDATE {
			moved++
		}
	}
	if moved < 180 || moved > 320 {
		t.Errorf("%d of 2000 have moved", moved)
	}
	if a := f.Ask("", nil); a.Side != understudyv1.Side_SIDE_BASELINE {
		t.Errorf("no session: %+v", a)
	}
}

func TestFileRules(t *testing.T) {
	f := func(targeting string, about map[string]any, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "flags.json")
		text := `{"$evaluators": {"testers": {"ends_with": [{"var": "email"}, "@example.com"]}}, "flags": {"checkout": {"state": "ENABLED",
			"variants": {"new": "candidate", "old": "baseline"}, "defaultVariant": "old", "targeting": ` + targeting + `}}}`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		a := flags(t, flag.NewFile(path, path+".kept", "checkout", slog.New(slog.NewTextHandler(&said, nil))), 0).Ask("s1", about)
		if got := understudyv1.Label(a.Side) + " " + a.Decision; got != want {
			t.Errorf("%s: got %s, want %s\n%s", targeting, got, want, said.String())
		}
	}
	tester := map[string]any{"email": "ann@example.com", "route": "POST /orders"}
	f(`{"if": [{"$ref": "testers"}, "new", "old"]}`, tester, "candidate flag")
	f(`{"if": [{"$ref": "testers"}, "new", null]}`, nil, "baseline flag")
	f(`{"if": [{"starts_with": [{"var": "route"}, "POST "]}, "new"]}`, tester, "candidate flag")
	f(`{"if": [{"==": [{"var": "$flagd.flagKey"}, "checkout"]}, "new"]}`, nil, "candidate flag")
	f(`{"if": [{"==": [{"var": "targetingKey"}, "s1"]}, "new"]}`, nil, "candidate flag")
	f(`{"if": [true, "nobody knows it"]}`, nil, "baseline flag_error")
	f(`{"fractional": [["new", 1.5]]}`, nil, "baseline flag") // flagd: the default variant
	f(`{"sem_ver": [{"var": "v"}, ">", "1.0.0"]}`, nil, "baseline unknown")
	f(`{"$ref": "nobody"}`, nil, "baseline unknown")
}

// TestFileFaults say where.
func TestFileFaults(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		dir := t.TempDir()
		path := filepath.Join(dir, "flags.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		file := flag.NewFile(path, filepath.Join(dir, "kept"), "checkout", slog.New(slog.NewTextHandler(&said, nil)))
		if file.Good() || !strings.Contains(said.String(), strings.ReplaceAll(want, `"`, `\"`)) {
			t.Errorf("good %t: %s, want %s", file.Good(), said.String(), want)
		}
	}
	f("{\"flags\": {\n  \"checkout\": nonsense}}", "flags.json:2:16: invalid character")
	f(`{"flags": {"Checkout": {}}}`, `there is no flag "checkout", the migration's name; there are Checkout`)
	f("{\"flags\": {\"checkout\":\n {\"state\": 17}}}", "flags.json:2:13: json: cannot unmarshal number")
	f(`{"flags": {"checkout": {"state": "ON"}}}`, `flags.checkout.state: "ON" is not one of ENABLED, DISABLED`)
	f(`{"flags": {"checkout": {"state": "ENABLED", "variants": {"a": "blue"}}}}`, `flags.checkout.variants.a: "blue" is not one of baseline, candidate`)
	f(`{"flags": {"checkout": {"state": "ENABLED", "variants": {"a": "baseline"}, "defaultVariant": "b"}}}`, `flags.checkout.defaultVariant: "b" is not one of the variants`)
	f(strings.Repeat(" ", 1<<20)+"{}", "is larger than 1048576 bytes")
	f(`{"$evaluators": {"a": {"$ref": "a"}}, "flags": {"checkout": {"state": "ENABLED", "targeting": {"$ref": "a"}}}}`, "refers to itself")
}

// TestTheLastGoodFileHolds while the file has mistakes, while it is gone, and
// after a restart.
func TestTheLastGoodFileHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	log := slog.New(slog.DiscardHandler)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(fractional(10000))
	synctest.Test(t, func(t *testing.T) {
		file := flag.NewFile(path, path+".kept", "checkout", log)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); file.Run(ctx) }()
		f, err := flag.New(ctx, flag.Provider{FeatureProvider: file}, "checkout")
		if err != nil {
			t.Fatal(err)
		}
		see := func(what string, side understudyv1.Side, good bool) {
			t.Helper()
			time.Sleep(300 * time.Millisecond)
			synctest.Wait()
			if a := f.Ask("s", nil); a.Side != side || file.Good() != good {
				t.Errorf("%s: %+v, good %t", what, a, file.Good())
			}
		}
		see("read", understudyv1.Side_SIDE_CANDIDATE, true)
		write("{")
		see("malformed", understudyv1.Side_SIDE_CANDIDATE, false)
		write(fractional(0))
		see("changed", understudyv1.Side_SIDE_BASELINE, true)
		write(fractional(10000))
		see("changed back", understudyv1.Side_SIDE_CANDIDATE, true)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		see("gone", understudyv1.Side_SIDE_CANDIDATE, false)
		write(fractional(10000))
		see("there again", understudyv1.Side_SIDE_CANDIDATE, true)
		cancel()
		<-done
		_ = f.Close(context.Background())
	})
	write("{")
	again := flag.NewFile(path, path+".kept", "checkout", log)
	if a := flags(t, again, 0).Ask("s", nil); a.Side != understudyv1.Side_SIDE_CANDIDATE || again.Good() {
		t.Errorf("after a restart: %+v, good %t", a, again.Good())
	}
}
