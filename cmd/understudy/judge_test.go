package main

import (
	"strings"
	"testing"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestOtherwiseJudged: compare does not pass the verdicts of other rules off as
// those of the rules it was given.
func TestOtherwiseJudged(t *testing.T) {
	run := &understudyv1.Run{Name: "r", Written: 10}
	f := func(want string, touched bool, js ...report.Judgement) {
		t.Helper()
		err := otherwiseJudged(run, js, comparator.Judgement{ID: "mine"}, touched)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "understudy judge r ")) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	whole := func(id string, current bool) report.Judgement {
		return report.Judgement{ID: id, Current: current, Replays: 10}
	}
	f("", true, whole("mine", true))
	f("", true, whole("mine", true), whole("theirs", false))
	f("the tables show it under judgement theirs", true, whole("mine", false), whole("theirs", true))
	f("", false, whole("mine", false), whole("theirs", true)) // chosen before, and nothing new
	f("0 of its 10 replays are judged under those given now (mine)", true, whole("theirs", true))
	f("4 of its 10 replays are judged under those given now (mine)", true, whole("theirs", true), report.Judgement{ID: "mine", Replays: 4})
	f("the tables hold 0 of its 10 replays", true)
	f("", true, report.Judgement{ID: "mine", Current: true, Replays: 9}) // the books say so
	f("the tables hold 9 of its 10 replays", false, report.Judgement{ID: "mine", Current: true, Replays: 9})
}
