package stage_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestParse(t *testing.T) {
	f := func(text, fault string) {
		t.Helper()
		s, err := stage.Parse(text)
		switch {
		case fault != "":
			if err == nil || !strings.Contains(err.Error(), fault) {
				t.Errorf("%q: error %v, want %q", text, err, fault)
			}
		case err != nil || s.String() != text:
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"off", "shadow", "live", "complete", "canary:0%", "canary:0.01%", "canary:33.33%", "canary:100%", "canary:28.97%"} {
		f(text, "")
	}
	f("canary", "needs its share")
	f("live:1%", "only a canary")
	f("beta", "is not one of off, shadow, canary:SHARE%, live, complete")
	for _, share := range []string{"", "1", "0.001%", "101%", "-1%", "1e1%", "NaN%", "Inf%", "+1%", "1_0%"} {
		f("canary:"+share, "is not a percentage")
	}
}

// TestWideningMovesNobodyBack: from nobody to everybody in the smallest steps, a
// session that has come to the candidate stays there, and on the way back the
// last that came is the first that goes.
func TestWideningMovesNobodyBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		migration := rapid.StringMatching(`[a-z0-9_.-]{1,20}`).Draw(t, "migration")
		sessions := rapid.SliceOfN(rapid.String(), 1, 20).Draw(t, "sessions")
		for _, session := range sessions {
			moved, at := 0, understudyv1.Side_SIDE_BASELINE
			for w := uint32(0); w <= stage.FullWeight; w++ {
				side := stage.Stage{Name: understudyv1.Stage_NAME_CANARY, Weight: w}.Side(migration, session)
				if side != at {
					at = side
					moved++
				}
			}
			want := 1
			if session == "" {
				want = 0 // nothing to be sticky by
			}
			if moved != want {
				t.Fatalf("session %q moved %d times", session, moved)
			}
		}
	})
}

// TestShares: of many sessions as many are with the candidate as the weight says,
// within 5 standard deviations of the binomial distribution.
func TestShares(t *testing.T) {
	const n = 200_000
	counts := make([]int, stage.FullWeight)
	for i := range n {
		counts[stage.Bucket("checkout", fmt.Sprintf("s.%x", i*7919))]++
	}
	below, w := 0, 0
	for _, weight := range []int{1, 10, 100, 500, 1000, 2500, 5000, 9000, 9999, 10000} {
		for ; w < weight; w++ {
			below += counts[w]
		}
		p := float64(weight) / stage.FullWeight
		if off, limit := math.Abs(float64(below)-n*p), 5*math.Sqrt(n*p*(1-p)); off > limit {
			t.Errorf("weight %d: %d of %d sessions, off by %.0f, more than %.0f", weight, below, n, off, limit)
		}
	}
}

// TestVectors: those that docs/gateway.md publishes.
func TestVectors(t *testing.T) {
	page, err := os.ReadFile("../../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]*)` \\| `([^`]*)` \\| (\\d+) \\|$").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 8 {
		t.Fatalf("found %d vectors", len(rows))
	}
	for _, r := range rows {
		if want, _ := strconv.Atoi(r[3]); stage.Bucket(r[1], r[2]) != uint32(want) {
			t.Errorf("%s, %s: bucket %d, published %d", r[1], r[2], stage.Bucket(r[1], r[2]), want)
		}
	}
}

// history plays orders and says where the migration is.
func play(t *testing.T, orders ...stage.Order) *stage.State {
	t.Helper()
	var s *stage.State
	for _, o := range orders {
		o.Migration = "m"
		step, err := s.Step(o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if s, err = s.Next(step); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func at(text string) *stage.Stage {
	s, err := stage.Parse(text)
	if err != nil {
		panic(err)
	}
	return &s
}

func TestSteps(t *testing.T) {
	create := stage.Order{Action: stage.ActionCreate}
	promote := func(to string) stage.Order { return stage.Order{Action: stage.ActionPromote, To: at(to)} }
	back := stage.Order{Action: stage.ActionRollback, Reason: "it lies"}
	narrow := stage.Order{Action: stage.ActionRollback, Reason: "slow", To: at("canary:1%")}
	hold, resume := stage.Order{Action: stage.ActionHold}, stage.Order{Action: stage.ActionResume}
	f := func(want string, orders ...stage.Order) {
		t.Helper()
		if got := stage.Describe(play(t, orders...).At("GET /x")); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("off", create)
	f("canary:10%", create, promote("shadow"), promote("canary:1%"), promote("canary:10%"))
	f("complete", create, promote("live"), promote("complete"))
	f("canary:1%, held", create, promote("canary:1%"), hold)
	f("canary:1%", create, promote("canary:1%"), hold, resume)
	f("rolled back from canary:50%", create, promote("canary:50%"), back)
	f("rolled back from canary:50%", create, promote("canary:50%"), back, back)
	f("shadow", create, promote("canary:50%"), back, resume)
	f("canary:10%", create, promote("canary:50%"), back, stage.Order{Action: stage.ActionResume, To: at("canary:10%")})
	f("canary:1%, held", create, promote("canary:50%"), narrow)

	route := promote("canary:5%")
	route.Route = "GET /x"
	f("canary:5%", create, route)
	f("canary:5%", create, route, promote("live"))
	f("rolled back from off", create, route, back)
	f("shadow", create, route, back, resume) // not what the route was at

	refused := func(o stage.Order, fault string, before ...stage.Order) {
		t.Helper()
		var s *stage.State
		if len(before) > 0 {
			s = play(t, before...)
		}
		o.Migration = "m"
		if _, err := s.Step(o); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%+v: error %v, want %q", o, err, fault)
		}
	}
	refused(create, "exists", create)
	refused(hold, "there is no migration")
	refused(stage.Order{Action: stage.ActionRollback, Reason: " "}, "needs a reason", create)
	refused(promote("live"), "only a resume ends that", create, back)
	refused(promote("live"), "resume it first", create, hold)
	refused(promote("shadow"), "is not beyond", create, promote("live"))
	refused(resume, "neither held nor rolled back", create)
	refused(stage.Order{Action: stage.ActionResume, To: at("live")}, "is beyond", create, promote("canary:1%"), back)
	refused(route, "all of migration m is rolled back", create, back)
	refused(stage.Order{Action: stage.ActionRollback, Reason: "x", To: at("live")}, "is not behind", create)
}

// told plays orders and says which steps they are.
func told(t *testing.T, orders ...stage.Order) (out []*understudyv1.Stage) {
	t.Helper()
	var s *stage.State
	for _, o := range orders {
		o.Migration = "m"
		step, err := s.Step(o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		s, _ = s.Next(step)
		out = append(out, step)
	}
	return out
}

// TestBegun: a stage lasts through a hold, and ends with what moves somebody.
func TestBegun(t *testing.T) {
	create, hold, resume := stage.Order{Action: stage.ActionCreate}, stage.Order{Action: stage.ActionHold}, stage.Order{Action: stage.ActionResume}
	promote := func(to string) stage.Order { return stage.Order{Action: stage.ActionPromote, To: at(to)} }
	back := stage.Order{Action: stage.ActionRollback, Reason: "it lies"}
	again := stage.Order{Action: stage.ActionResume, To: at("canary:1%")}
	own := promote("canary:5%")
	own.Route = "GET /x"
	f := func(whole uint64, route uint64, orders ...stage.Order) {
		t.Helper()
		w, routes := stage.Begun(told(t, orders...))
		if w != whole || routes["GET /x"] != route || (route == 0) != (len(routes) == 0) {
			t.Errorf("got %d, %v; want %d, %d", w, routes, whole, route)
		}
	}
	f(0, 0)
	f(1, 0, create)
	f(2, 0, create, promote("canary:1%"), hold, resume, hold)
	f(3, 0, create, promote("canary:1%"), back)
	f(3, 0, create, promote("canary:1%"), back, back)
	f(4, 0, create, promote("canary:1%"), back, again) // the stage of step 2, and not what was seen at it
	f(1, 2, create, own)
	f(3, 2, create, own, promote("canary:1%"))
	f(3, 0, create, own, back)
	f(4, 0, create, own, back, resume)
	f(4, 5, create, own, back, resume, own)
}

// TestFailures are remembered until somebody has gone beyond them.
func TestFailures(t *testing.T) {
	create, resume := stage.Order{Action: stage.ActionCreate}, stage.Order{Action: stage.ActionResume}
	promote := func(to string) stage.Order { return stage.Order{Action: stage.ActionPromote, To: at(to)} }
	back := stage.Order{Action: stage.ActionRollback, Reason: "it lies"}
	narrow := stage.Order{Action: stage.ActionRollback, Reason: "slow", To: at("canary:1%")}
	f := func(want string, orders ...stage.Order) {
		t.Helper()
		var got []string
		for _, x := range stage.Failures(told(t, orders...)) {
			got = append(got, fmt.Sprint(x.From, " ", x.Step.GetVersion()))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("", create, promote("live"))
	f("canary:10% 3", create, promote("canary:10%"), back)
	f("canary:10% 3, canary:10% 4", create, promote("canary:10%"), back, back)
	f("canary:10% 3", create, promote("canary:10%"), back, resume, promote("canary:1%"))
	f("", create, promote("canary:10%"), back, resume, promote("canary:10%"))
	f("canary:50% 3", create, promote("canary:50%"), narrow)
	f("canary:10% 6, canary:50% 3", create, promote("canary:50%"), back, resume, promote("canary:10%"), back)
	f("canary:50% 3", create, promote("canary:50%"), back, resume, promote("canary:10%"), back, resume, promote("canary:20%"))
}

// TestOfTwoStepsTheFirstCounts whoever reads them.
func TestOfTwoStepsTheFirstCounts(t *testing.T) {
	s := play(t, stage.Order{Action: stage.ActionCreate})
	one, _ := s.Step(stage.Order{Migration: "m", Action: stage.ActionRollback, Reason: "r"})
	two, _ := s.Step(stage.Order{Migration: "m", Action: stage.ActionPromote, To: at("live")})
	s, err := s.Next(one)
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.Next(two)
	if !errors.Is(err, stage.ErrStale) || !after.At("").GetRolledBack() {
		t.Errorf("%v, at %s", err, stage.Describe(after.At("")))
	}
	for _, other := range []string{"other", "-m\n", ""} {
		if after, err := s.Next(&understudyv1.Stage{Migration: other, Version: 3, Name: understudyv1.Stage_NAME_LIVE}); !errors.Is(err, stage.ErrForeign) || after != s {
			t.Errorf("%q: %v", other, err)
		}
	}
}

// TestAStepThatIsNotUnderstood is the baseline, and those after it count.
func TestAStepThatIsNotUnderstood(t *testing.T) {
	s := play(t, stage.Order{Action: stage.ActionCreate, To: at("live")})
	path := filepath.Join(t.TempDir(), "stages")
	for _, bad := range []*understudyv1.Stage{
		{Migration: "m", Version: 7}, {Migration: "m", Version: 7, Name: 99}, {Migration: "m", Version: 7, Name: understudyv1.Stage_NAME_CANARY, Weight: 10001},
		{Migration: "m", Version: 7, Name: understudyv1.Stage_NAME_LIVE, Weight: 1},
	} {
		after, err := s.Next(bad)
		if !errors.Is(err, stage.ErrStep) || after.Version() != 7 || stage.Of(after.At("")).Side("m", "s") != understudyv1.Side_SIDE_BASELINE {
			t.Errorf("%v: %v, at %s", bad, err, stage.Describe(after.At("")))
		}
		if err := stage.Save(path, after); err != nil {
			t.Fatal(err)
		}
		if back, err := stage.Load(path); err != nil || back.Version() != 7 || stage.Describe(back.At("")) != "unknown" {
			t.Errorf("%v: read back %v, %v", bad, back.Steps(), err)
		}
		step, err := after.Step(stage.Order{Migration: "m", Action: stage.ActionRollback, Reason: "r"})
		if err != nil {
			t.Errorf("no rollback from it: %v", err)
		}
		if again, err := after.Next(step); !again.At("").GetRolledBack() {
			t.Errorf("the rollback after it does not count: %v", err)
		}
	}
}
