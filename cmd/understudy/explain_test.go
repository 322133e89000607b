package main

import (
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
)

// TestRulesOfAJudgement: what a judgement stores of its rules is read back as the
// same judgement; of what is not the same it is said.
func TestRulesOfAJudgement(t *testing.T) {
	c := comparator.DefaultConfig()
	c.Skew, c.ExactStatus, c.IgnoreHeaders, c.DefaultRulesOff = 1500*time.Millisecond, true, []string{"x-build"}, []string{"date-server"}
	c.Rules = []comparator.Rule{
		{Name: "cents", Owner: "a: b", Reason: "one\ntwo \"three\" # four", Path: "$.total", Action: "tolerance", Tolerance: "0.5%"},
		{Name: "tags", Owner: "o", Reason: "r", Path: `$.items[].["a.b"]`, Action: "ignore", Kinds: []string{"value", "missing"}, Route: "GET /orders/*", Expires: "2020-01-31"},
	}
	made, err := c.Judgement()
	if err != nil {
		t.Fatal(err)
	}
	a := &app{cfg: defaultConfig()}
	f := func(j report.Judgement, other string) {
		t.Helper()
		rules, err := a.explaining(j, "")
		if err != nil {
			t.Fatal(err)
		}
		again, err := rules.config.Judgement()
		if err != nil || j.Config != "" && again.ID != made.ID {
			t.Errorf("judgement %s was read back as %s, %v:\n%s", made.ID, again.ID, err, again.Config)
		}
		if (other == "") != (rules.other == "") || !strings.Contains(rules.other, other) {
			t.Errorf("explained under %q, want %q", rules.other, other)
		}
		if j.Config != "" {
			if at := rules.where("rule:cents"); at != "judgement "+j.ID {
				t.Errorf("the rule is at %q", at)
			}
		}
		if at := rules.where("default:date-server"); at != "" {
			t.Errorf("a default rule is at %q", at)
		}
	}
	f(report.Judgement{ID: made.ID, Version: made.Version, Config: made.Config}, "")
	f(report.Judgement{ID: made.ID, Version: 0, Config: made.Config}, "which made it with version 0")
	f(report.Judgement{ID: "0123456789abcdef", Version: made.Version, Config: made.Config}, "descriptor_set that has changed")
	f(report.Judgement{}, "the configuration at hand")
	if _, err := a.explaining(report.Judgement{ID: "1", Version: made.Version, Config: "rulez: []"}, ""); err == nil || !strings.Contains(err.Error(), "judgement 1 cannot be read by this version") {
		t.Errorf("rules of another version: %v", err)
	}
}
