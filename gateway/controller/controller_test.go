package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"understudy.dev/gateway/plan"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// fake is a world in memory.
type fake struct {
	acts    bool
	steps   []*understudyv1.Stage
	rivals  []string
	verdict plan.Verdict
	asked   int
	fault   error                    // of Write and Audit
	between func()                   // after the gate was asked
	tables  map[uint64]bool          // steps that are there
	rested  []*understudyv1.Evidence // of each step that was written
	lines   strings.Builder          // the log
}

func (f *fake) order(t *testing.T, text string) {
	t.Helper()
	action, to, _ := strings.Cut(text, " ")
	o := stage.Order{Migration: "m", Action: action, Reason: "by hand"}
	if to != "" {
		at, err := stage.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		o.To = &at
	}
	if err := f.write(o); err != nil {
		t.Fatal(err)
	}
}

func (f *fake) write(o stage.Order) error {
	now, _ := stage.Fold(f.steps)
	step, err := now.Step(o)
	if err != nil {
		return err
	}
	step.TimeUnixNano = time.Now().UnixNano()
	f.steps = append(f.steps, step)
	return nil
}

func (f *fake) world() World {
	return World{
		Acts:   func() bool { return f.acts },
		Steps:  func(context.Context) ([]*understudyv1.Stage, error) { return f.steps, nil },
		Rivals: func(context.Context) ([]string, error) { return f.rivals, nil },
		Ask: func(_ context.Context, policy string, _ []*understudyv1.Stage) (plan.Verdict, *understudyv1.Evidence) {
			f.asked++
			if f.between != nil {
				f.between()
			}
			return f.verdict, &understudyv1.Evidence{Decision: policy}
		},
		Write: func(_ context.Context, o stage.Order, e *understudyv1.Evidence, check func([]*understudyv1.Stage) error) (*understudyv1.Stage, error) {
			if f.fault != nil {
				return nil, f.fault
			}
			if err := check(f.steps); err != nil {
				return nil, err
			}
			if err := f.write(o); err != nil {
				return nil, err
			}
			f.rested = append(f.rested, e)
			return f.steps[len(f.steps)-1], nil
		},
		Audit: func(_ context.Context, steps []*understudyv1.Stage) error {
			if f.fault != nil {
				return f.fault
			}
			for _, s := range steps {
				f.tables[s.GetVersion()] = true
			}
			return nil
		},
	}
}

func walk(t *testing.T, orders ...string) (*fake, *Controller) {
	t.Helper()
	f := &fake{acts: true, tables: map[uint64]bool{}}
	for _, o := range orders {
		f.order(t, o)
	}
	p := plan.Default()
	p.Migration, p.Gate = "m", "gate.yaml"
	for _, s := range []string{"shadow", "canary:1%", "canary:10%", "live"} {
		p.Steps = append(p.Steps, plan.Step{Stage: s})
	}
	c, err := New(p, f.world(), slog.New(slog.NewTextHandler(&f.lines, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return f, c
}

// at is where the migration is, and after how many steps.
func (f *fake) at() string {
	now, _ := stage.Fold(f.steps)
	return fmt.Sprint(stage.Describe(now.At("")), " ", now.Version())
}

func (f *fake) want(t *testing.T, want string) {
	t.Helper()
	if got := f.at(); got != want {
		t.Errorf("at %s, want %s\n%s", got, want, f.lines.String())
	}
}

var (
	good = plan.Verdict{Promote: true, Why: "well"}
	bad  = plan.Verdict{RollBack: true, Why: "it lies"}
)

func TestItWalks(t *testing.T) {
	f, c := walk(t, "create")
	c.look(t.Context())
	f.want(t, "shadow 2")
	c.look(t.Context())
	f.want(t, "shadow 2") // the gate says nothing
	f.verdict = good
	c.look(t.Context())
	c.look(t.Context())
	f.want(t, "canary:10% 4")
	f.verdict = bad
	c.look(t.Context())
	f.want(t, "rolled back from canary:10% 5")
	asked := f.asked
	for _, f.verdict = range []plan.Verdict{bad, good} {
		c.look(t.Context())
		f.want(t, "rolled back from canary:10% 5")
	}
	if f.asked != asked {
		t.Error("the gate is asked about what is rolled back")
	}
	if len(f.tables) != 5 || f.rested[0] != nil || f.rested[3].GetDecision() != "gate.yaml" {
		t.Errorf("audited %v, rested on %v", f.tables, f.rested)
	}
	if n := testutil.ToFloat64(c.metrics.steps.WithLabelValues("rollback")); n != 1 {
		t.Errorf("%v rollbacks are counted", n)
	}
	// The gate was quiet once while the reason stayed: it is said once.
	if n := strings.Count(f.lines.String(), "it stays"); n != 2 {
		t.Errorf("said %d times that it stays:\n%s", n, f.lines.String())
	}
}

// TestOneThatDoesNotAct looks at nothing but its rivals.
func TestOneThatDoesNotAct(t *testing.T) {
	f, c := walk(t, "create live")
	f.acts, f.verdict, f.rivals = false, bad, []string{"x at y"}
	c.look(t.Context())
	f.want(t, "live 1")
	if f.asked > 0 || len(f.tables) > 0 || testutil.ToFloat64(c.metrics.rivals) != 1 || testutil.ToFloat64(c.metrics.acting) != 0 {
		t.Errorf("asked %d times, audited %v", f.asked, f.tables)
	}
	f.acts = true
	c.look(t.Context())
	f.want(t, "rolled back from live 2")
}

// TestAnotherPlan holds promotions, and no rollback.
func TestAnotherPlan(t *testing.T) {
	f, c := walk(t, "create canary:1%")
	f.verdict, f.rivals = good, []string{"x at y"}
	c.look(t.Context())
	c.look(t.Context())
	f.want(t, "canary:1% 1")
	if n := strings.Count(f.lines.String(), "level=ERROR"); n != 1 || !strings.Contains(f.lines.String(), "x at y") {
		t.Errorf("said %d times:\n%s", n, f.lines.String())
	}
	f.verdict = bad
	c.look(t.Context())
	f.want(t, "rolled back from canary:1% 2")
	f.rivals = nil
	c.look(t.Context())
	if !strings.Contains(f.lines.String(), "over: another controller") {
		t.Errorf("its end is not said:\n%s", f.lines.String())
	}
}

// TestSomebodyElseWasFaster: what was decided about a stage is not done to another.
func TestSomebodyElseWasFaster(t *testing.T) {
	f, c := walk(t, "create canary:1%")
	once := func(text string) func() {
		return func() { f.between = nil; f.order(t, text) }
	}
	f.verdict, f.between = good, once("hold")
	if c.look(t.Context()) {
		t.Error("not to be tried again")
	}
	f.want(t, "canary:1%, held 2")
	f.verdict, f.between = bad, once("resume")
	c.look(t.Context()) // the stage is the same: it lies there
	f.want(t, "rolled back from canary:1% 4")
	f.order(t, "resume canary:1%")
	f.between = once("promote canary:2%")
	c.look(t.Context())
	f.want(t, "canary:2% 6")
}

// TestFaults: what fails is tried again, and said once.
func TestFaults(t *testing.T) {
	f, c := walk(t, "create canary:1%")
	f.verdict, f.fault = bad, errors.New("it is away")
	for range 3 {
		if c.look(t.Context()) {
			t.Error("a rollback that failed waits")
		}
	}
	f.want(t, "canary:1% 1")
	if n := strings.Count(f.lines.String(), "level=ERROR"); n != 2 || testutil.ToFloat64(c.metrics.unaudited) != 1 {
		t.Errorf("said %d times, for the step and its audit:\n%s", n, f.lines.String())
	}
	f.fault = nil
	c.look(t.Context())
	f.want(t, "rolled back from canary:1% 2")
	if len(f.tables) != 2 || testutil.ToFloat64(c.metrics.unaudited) != 0 {
		t.Errorf("audited %v", f.tables)
	}
}

// TestAnyMomentIsAGoodOneToBeKilled: another controller, which knows nothing, goes
// on after each look as the one before would have.
func TestAnyMomentIsAGoodOneToBeKilled(t *testing.T) {
	f, _ := walk(t, "create")
	f.verdict = good
	for _, want := range []string{"shadow 2", "canary:1% 3", "canary:10% 4", "live 5", "live 5"} {
		c, err := New(func() plan.Plan { _, c := walk(t); return c.plan }(), f.world(), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		c.look(t.Context())
		f.want(t, want)
	}
	if len(f.tables) != 5 {
		t.Errorf("audited %v", f.tables)
	}
}
