package main

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"understudy.dev/comparator"
)

func TestRulesList(t *testing.T) {
	path := writeFile(t, `compare:
  default_rules_off: [tracing]
  ignore_headers: [x-build]
  rules:
    - {name: a-name-that-is-longer-than-its-column, owner: o, reason: r, path: '$["odd name"].list[].of.something.that.goes.on', action: ignore, expires: 2020-01-31}
    - {name: b, owner: p, reason: s, path: $.y, route: POST /y, action: tolerance, tolerance: 1%, expires: 2999-01-31}
`)
	code, table, errOut := run1(t, "rules", "list", "--config", path)
	if code != exitOK || errOut != "" {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	for _, line := range strings.Split(table, "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	_, text, _ := run1(t, "rules", "list", "--config", path, "-o", "json")
	var rules []comparator.ListedRule
	if err := json.Unmarshal([]byte(text), &rules); err != nil {
		t.Fatal(err)
	}
	state := map[string]string{}
	for _, r := range rules {
		state[r.Class] = r.State
		if r.Covers == "" || r.Reason == "" {
			t.Errorf("%s says too little: %+v", r.Name, r)
		}
	}
	for class, want := range map[string]string{
		"rule:a-name-that-is-longer-than-its-column": "expired", "rule:b": "on", "rule:ignore_headers": "on", "default:tracing": "off", "default:quota": "on",
	} {
		if state[class] != want {
			t.Errorf("%s is %q, want %q", class, state[class], want)
		}
	}
	if want := len(comparator.DefaultRules()) + 3; len(rules) != want {
		t.Errorf("%d rules, want %d", len(rules), want)
	}
	_, text, _ = run1(t, "rules", "list", "--config", path, "-o", "csv")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if want := []string{"b", "rule:b", "on", "p", "tolerance 1% at $.y of POST /y", "s", "2999-01-31"}; err != nil || !slices.Equal(lines[2], want) {
		t.Errorf("%v, got %q", err, lines[2])
	}
}

// TestMistakesInRulesHaveAPlace: conflicts and names that are not known are
// said with line and column.
func TestMistakesInRulesHaveAPlace(t *testing.T) {
	path := writeFile(t, `compare:
  default_rules_off: [tracing, dates]
  rules:
    - {name: a, owner: o, reason: r, path: $.x, action: ignore}
    - {name: b, owner: o, reason: r, path: '$["x"]', action: tolerance, tolerance: "1"}
    - {name: c, owner: o, reason: r, path: '$["y', action: ignore, kinds: [gone]}
`)
	for _, args := range [][]string{{"rules", "list", "--config", path}, {"config", "validate", path}} {
		code, _, errOut := run1(t, args...)
		for _, want := range []string{
			path + `:2:32: compare.default_rules_off[1]: "dates" is not one of hop-by-hop, `,
			path + `:5:44: compare.rules[1].path: "$[\"x\"]" is ignored as well as held to a tolerance: see rule a`,
			path + `:6:44: compare.rules[2].path: "$[\"y" is not a path; `,
			`:6:76: compare.rules[2].kinds[0]: "gone" is not one of all, value`,
		} {
			if code != exitUsage || !strings.Contains(errOut, want) {
				t.Errorf("%q: exit %d, want %s, got\n%s", args, code, want, errOut)
			}
		}
	}
}
