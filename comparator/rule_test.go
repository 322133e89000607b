package comparator_test

import (
	"strings"
	"testing"

	"understudy.dev/comparator"
)

func TestRules(t *testing.T) {
	f := func(rule comparator.Rule, baseline, candidate string, want ...string) {
		t.Helper()
		cfg := comparator.DefaultConfig()
		rule.Name, rule.Owner, rule.Reason = "r1", "team", "known"
		cfg.Rules = []comparator.Rule{rule}
		judge(t, cfg, immediate(response(200, baseline), response(200, candidate)), want...)
	}
	ignore := comparator.Rule{Path: "$.items[].note", Action: "ignore"}
	a, b := `{"items":[{"note":"a"}]}`, `{"items":[{"note":"b"}]}`
	f(ignore, a, b, "match", "body $.items[].note value a|b (rule:r1)")
	// A rule hides only what it names.
	f(ignore, `{"note":"a"}`, `{"note":"b"}`, "mismatch", "body $.note value a|b")
	expired := ignore
	expired.Expires = "2026-11-23"
	f(expired, a, b, "mismatch", "body $.items[].note value a|b")
	other := ignore
	other.Route = "GET /orders"
	f(other, a, b, "mismatch", "body $.items[].note value a|b")
	f(comparator.Rule{Path: "$.items[].n*e", Action: "ignore"}, a, b, "match", "body $.items[].note value a|b (rule:r1)")
	f(comparator.Rule{Path: "$.items[].Note", Action: "ignore"}, a, b, "mismatch", "body $.items[].note value a|b")
	f(comparator.Rule{Path: "$.items.note", Action: "ignore"}, a, b, "mismatch", "body $.items[].note value a|b")
	f(comparator.Rule{Path: "$.items[].x*e", Action: "ignore"}, a, b, "mismatch", "body $.items[].note value a|b")
	f(comparator.Rule{Path: "$.**", Action: "ignore", Route: "POST /*"}, a, b, "match", "body $.items[].note value a|b (rule:r1)")
	f(comparator.Rule{Path: "$.t", Action: "tolerance", Tolerance: "0.01"}, `{"t":1.00}`, `{"t":1.01}`, "match", "body $.t value 1.00|1.01 (rule:r1)")
	f(comparator.Rule{Path: "$.t", Action: "tolerance", Tolerance: "0.01"}, `{"t":1.00}`, `{"t":1.02}`, "mismatch", "body $.t value 1.00|1.02")
	f(comparator.Rule{Path: "$.t", Action: "tolerance", Tolerance: "10%"}, `{"t":100}`, `{"t":110}`, "match", "body $.t value 100|110 (rule:r1)")
	f(comparator.Rule{Path: "$.a[]", Action: "unordered"}, `{"a":[1,2,3]}`, `{"a":[3,1,2]}`, "match")
	f(comparator.Rule{Path: "$.a[]", Action: "keyed", Key: "k"}, `{"a":[{"k":1,"v":"x"},{"k":2,"v":"y"}]}`, `{"a":[{"k":2,"v":"y"},{"k":1,"v":"z"}]}`,
		"mismatch", "body $.a[].v value x|z")
}

func TestRulesForHeaders(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.Rules = []comparator.Rule{{Name: "r1", Owner: "team", Reason: "known", Path: "header:X-Build-*", Action: "ignore"}}
	judge(t, cfg, immediate(response(200, "", "X-Build-Number: 1", "X-Other: 1"), response(200, "", "X-Build-Number: 2", "X-Other: 2")),
		"mismatch", "header header:x-build-number value 1|2 (rule:r1)", "header header:x-other value 1|2")
}

func TestValidateNamesEveryMistake(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.MaxDifferences = 0
	cfg.Rules = []comparator.Rule{{Name: "x", Path: "items", Route: "GET /[", Action: "hide", Expires: "soon"}, {Name: "x", Owner: "o", Reason: "r", Path: "$", Action: "tolerance", Tolerance: "1e9999"}}
	err := cfg.Validate()
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, part := range []string{"max_differences", "owner", `"GET /["`, `path: "items"`, `action: "hide"`, `"soon"`, "used twice", `tolerance: "1e9999"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named in: %v", part, err)
		}
	}
}
