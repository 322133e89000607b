package main

import (
	"strings"
	"testing"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
)

// TestAJudgementIsMadeAgain: under the rules that the tables keep of it, also when
// one has expired since, and under no others.
func TestAJudgementIsMadeAgain(t *testing.T) {
	rules := comparator.DefaultConfig()
	rules.MaxDifferences = 7
	rules.Rules = []comparator.Rule{{Name: "old", Owner: "o", Reason: "r", Expires: "2020-01-01", Path: "$.a", Action: "ignore"}}
	made, err := rules.Judgement()
	if err != nil {
		t.Fatal(err)
	}
	whole := report.Judgement{ID: made.ID, Version: made.Version, Config: made.Config}
	c, err := repeatable(whole)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Judgement(); err != nil || again.ID != made.ID {
		t.Errorf("made %+v, %v; want %s", again, err, made.ID)
	}
	f := func(change func(*report.Judgement), want string) {
		t.Helper()
		j := whole
		change(&j)
		if _, err := repeatable(j); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
	f(func(j *report.Judgement) { j.ID, j.Config = "", "" }, "judgement (before): the tables do not keep its rules")
	f(func(j *report.Judgement) { j.Version-- }, "was made by version 1 of the judge, and this program has version 2")
	f(func(j *report.Judgement) { j.Config = "rulez: []" }, "cannot be read by this version")
	f(func(j *report.Judgement) { j.Config = "max_differences: 8" }, "this program makes ")
	for _, args := range [][]string{{"judge", "r", "--rules", "r.yaml", "--judgement", "a"}, {"report", "r", "--routes", "2", "--all"}, {"show", "r", "1", "--curl", "-o", "json"}} {
		if code, _, errOut := run1(t, args...); code != exitUsage || !strings.Contains(errOut, "were all set") {
			t.Errorf("%q: exit %d, %s", args, code, errOut)
		}
	}
	if code, _, errOut := run1(t, "judge", "r", "--judgement", ""); code != exitUsage || !strings.Contains(errOut, "--judgement is empty") {
		t.Errorf("exit %d, %s", code, errOut)
	}
}
