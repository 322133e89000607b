package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/gateway/plan"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting/source"
)

func read(text string) (plan.Plan, error) {
	p, origins := plan.Default(), source.Origins{}
	mistakes := source.Read([]byte(text), "plan.yaml", &p, origins)
	return p, source.Of(mistakes).With(origins, p.Validate()).Err()
}

func TestMistakes(t *testing.T) {
	const head = "migration: m\ngate: gate.yaml\n"
	f := func(text string, want ...string) {
		t.Helper()
		_, err := read(text)
		if err == nil {
			t.Errorf("%s\nis taken", text)
			return
		}
		if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
	const steps = "steps: [{stage: shadow}]\n"
	f("migration: m\n"+steps, "gate: the file of a policy is needed: a plan without a gate moves users without evidence")
	f("migration: -m\ngate: g\n"+steps, `plan.yaml:1:12: migration: "-m" is no name of a migration: want 1 to 100 letters, digits, '.', '_' or '-', the first a letter, a digit or '_'`)
	f(head+"stepz: []\n"+steps, "plan.yaml:3:1: stepz: unknown key; did you mean steps?")
	f(head, "steps: at least one stage is needed")
	f(head+"steps:\n  - stage: beta\n  - stage: canary\n  - stage: canary:101%\n",
		`plan.yaml:4:12: steps[0].stage: "beta" is not one of off, shadow, canary:SHARE%, live, complete`,
		`plan.yaml:5:12: steps[1].stage: "canary": a canary needs its share, such as canary:1%`,
		`plan.yaml:6:12: steps[2].stage: "canary:101%": share "101%" is not a percentage from 0% to 100% with at most two decimals`)
	f(head+"steps:\n  - stage: canary:10%\n  - {stage: canary:10%, for: -1s, enter: me}\n",
		`plan.yaml:5:13: steps[1].stage: "canary:10%" is not beyond canary:10%, the stage before it`,
		"plan.yaml:5:30: steps[1].for: -1s is negative", `plan.yaml:5:42: steps[1].enter: "me" is not one of automatic, by_hand`)
	f(head+"every: 10ms\nzone: Local\nagain: never\n"+steps, "plan.yaml:3:8: every: 10ms is not within 1s and 1h",
		`plan.yaml:4:7: zone: "Local" is not a time zone, as "Europe/Berlin" is`, `plan.yaml:5:8: again: "never" is not one of automatic, by_hand`)
	f(head+"windows:\n  - {days: [monday], from: 9, until: \"25:00\"}\n  - {from: \"22:00\", until: \"06:00\"}\n"+steps,
		`plan.yaml:4:13: windows[0].days[0]: "monday" is not one of sun, mon, tue, wed, thu, fri, sat`,
		`plan.yaml:4:28: windows[0].from: "9" is not a time of the day, as "09:00" is`,
		`plan.yaml:4:38: windows[0].until: "25:00" is not a time of the day, as "17:30" or "24:00" is`,
		`plan.yaml:5:28: windows[1].until: "06:00" is not after 22:00; a window over midnight is two`)
}

const full = `
migration: m
gate: gate.yaml
steps:
  - {stage: shadow, for: 1h, requests: 1000}
  - {stage: canary:1%, for: 30m, gate: strict.yaml}
  - {stage: canary:10%}
  - {stage: live}
  - {stage: complete, enter: by_hand}
`

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) // a Friday

// steps are those of orders, "promote canary:1%", one an hour, the last one at noon.
func steps(t *testing.T, orders ...string) []*understudyv1.Stage {
	t.Helper()
	var s *stage.State
	var out []*understudyv1.Stage
	for i, text := range orders {
		action, to, _ := strings.Cut(text, " ")
		o := stage.Order{Migration: "m", Action: action, Reason: "a reason"}
		if to != "" {
			at, err := stage.Parse(to)
			if err != nil {
				t.Fatal(err)
			}
			o.To = &at
		}
		step, err := s.Step(o)
		if err != nil {
			t.Fatal(err)
		}
		step.TimeUnixNano = noon.Add(time.Duration(i-len(orders)+1) * time.Hour).UnixNano()
		s, _ = s.Next(step)
		out = append(out, step)
	}
	return out
}

var (
	promote  = plan.Verdict{Promote: true, Requests: 5000, Why: "all is well"}
	few      = plan.Verdict{Promote: true, Requests: 10, Why: "all is well"}
	hold     = plan.Verdict{Requests: 5000, Why: "too few"}
	rollBack = plan.Verdict{RollBack: true, Requests: 10, Why: "it lies"}
)

func TestOrder(t *testing.T) {
	f := func(text, want string, verdict plan.Verdict, later time.Duration, orders ...string) {
		t.Helper()
		p, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		v := p.Look(steps(t, orders...), noon.Add(later))
		o, why := v.Order(verdict)
		got := "wait: " + why
		if o != nil {
			got = strings.TrimSpace(fmt.Sprint(o.Action, " ", map[bool]any{true: "", false: o.To}[o.To == nil], ": ", o.Reason))
		}
		if !strings.HasPrefix(got, want) || o != nil && o.Migration != "m" {
			t.Errorf("%v, %+v, %s later: got %q, want %q", orders, verdict, later, got, want)
		}
	}
	shadow, one, ten := []string{"create", "promote shadow"}, []string{"create", "promote canary:1%"}, []string{"create", "promote canary:10%"}
	f(full, "wait: there is no migration m; understudy migration create m makes it", promote, 0)
	f(full, "promote shadow: plan: nobody is moved", plan.Verdict{}, 0, "create")
	f(full, "promote canary:1%: gate: all is well", promote, time.Hour, shadow...)
	f(full, "wait: it lasts 1h0m0s, which is for another 1m0s", promote, 59*time.Minute, shadow...)
	f(full, "wait: 10 of 1000 requests are judged", few, time.Hour, shadow...)
	f(full, "wait: the gate holds: too few", hold, time.Hour, shadow...)
	f(full, "rollback : gate: it lies", rollBack, 0, shadow...)
	f(full, "rollback : gate: it lies", rollBack, 0, one...)
	f(full, "promote canary:10%: gate: all is well", few, 30*time.Minute, one...)
	f(full, "promote live: gate: all is well", few, 0, ten...)
	// A stage that the plan does not name goes on to the next that it does.
	f(full, "promote canary:10%: gate", promote, 30*time.Minute, "create", "promote canary:5%")
	// A hold stays, but does not keep from rolling back.
	f(full, "wait: it is held: a reason", promote, time.Hour, append(ten[:2:2], "hold")...)
	f(full, "rollback : gate: it lies", rollBack, time.Hour, append(ten[:2:2], "hold")...)
	// A hold and its end do not begin the time of the stage anew.
	f(full, "promote canary:10%", promote, 0, append(one[:2:2], "hold", "resume")...)
	f(full, "wait: a person goes on: understudy migration promote m complete", promote, 0, "create", "promote live")
	f(full, "rollback : gate", rollBack, 0, "create", "promote live")
	f(full, "wait: the plan ends here", rollBack, 0, "create", "promote complete")
	// What is rolled back is left alone, whatever the gate says.
	f(full, "wait: it is rolled back from canary:10%: a reason; only understudy migration resume m ends that", promote, 99*time.Hour, append(ten[:2:2], "rollback")...)
	f(full, "wait: it is rolled back", rollBack, 0, append(ten[:2:2], "rollback")...)
	// What failed is remembered: up to there it goes on by itself.
	back := append(ten[:2:2], "rollback", "resume")
	f(full, "promote canary:1%", promote, time.Hour, back...)
	f(full, "wait: it was rolled back from canary:10%: a reason; a person goes on to there: understudy migration promote m canary:10%", promote, time.Hour, append(back[:4:4], "promote canary:1%")...)
	f("again: automatic"+full, "promote canary:10%", promote, time.Hour, append(back[:4:4], "promote canary:1%")...)
	f(full, "promote live", promote, time.Hour, append(back[:4:4], "promote canary:1%", "promote canary:10%")...)
	// Nothing moves users without a gate.
	const jump = "migration: m\ngate: g\nsteps: [{stage: canary:50%}, {stage: live}]\n"
	f(jump, "wait: the gate holds: too few", hold, 0, "create")
	f(jump, "promote canary:50%", promote, 0, "create")
	// A freeze and windows stop promotions, and nothing else.
	f("freeze: it is Christmas"+full, "wait: the plan is frozen: it is Christmas", promote, time.Hour, ten...)
	f("freeze: it is Christmas"+full, "rollback", rollBack, time.Hour, ten...)
	f("freeze: it is Christmas"+full, "wait: the plan is frozen: it is Christmas", promote, 0, "create")
	windows := "zone: Europe/Berlin\nwindows: [{days: [fri], from: \"13:00\", until: \"14:00\"}, {days: [sat], from: \"00:00\", until: \"24:00\"}]" + full
	f(windows, "promote live", promote, 0, ten...) // 13:00 in Berlin
	f(windows, "wait: no window of the plan is open", promote, -time.Minute, ten...)
	f(windows, "wait: no window of the plan is open", promote, time.Hour, ten...)
	f(windows, "rollback", rollBack, time.Hour, ten...)
	f(windows, "promote live", promote, 34*time.Hour+59*time.Minute, ten...)
	f(windows, "wait: no window", promote, 35*time.Hour, ten...)
}

// TestGateOfAStep: which policy is asked, and when none is.
func TestGateOfAStep(t *testing.T) {
	p, err := read(full)
	if err != nil {
		t.Fatal(err)
	}
	for order, want := range map[string]string{"off": "", "shadow": "gate.yaml", "canary:1%": "strict.yaml", "canary:2%": "strict.yaml", "live": "gate.yaml", "complete": ""} {
		if v := p.Look(steps(t, "create "+order), noon); v.Gate != want {
			t.Errorf("at %s: %q, want %q", order, v.Gate, want)
		}
	}
}
