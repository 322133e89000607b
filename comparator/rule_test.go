package comparator_test

import (
	"encoding/json"
	"fmt"
	"strconv"
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
	// What is ignored is another value, not that there is none or another thing.
	gone, number := `{"items":[{}]}`, `{"items":[{"note":1}]}`
	f(ignore, a, gone, "mismatch", "body $.items[].note missing a|")
	f(ignore, gone, b, "mismatch", "body $.items[].note extra |b")
	f(ignore, a, number, "mismatch", `body $.items[].note type "a"|1`)
	kinds := ignore
	kinds.Kinds = []string{"missing", "type"}
	f(kinds, a, gone, "match", "body $.items[].note missing a| (rule:r1)")
	f(kinds, a, number, "match", `body $.items[].note type "a"|1 (rule:r1)`)
	f(kinds, a, b, "mismatch", "body $.items[].note value a|b")
	kinds.Kinds = []string{"all"}
	f(kinds, a, b, "match", "body $.items[].note value a|b (rule:r1)")
	f(kinds, gone, b, "match", "body $.items[].note extra |b (rule:r1)")
	f(comparator.Rule{Path: "$.t", Action: "tolerance", Tolerance: "0.01"}, `{"t":1.00}`, `{"t":1.01}`, "match", "body $.t value 1.00|1.01 (rule:r1)")
	f(comparator.Rule{Path: "$.t", Action: "tolerance", Tolerance: "0.01"}, `{"t":1.00}`, `{"t":1.02}`, "mismatch", "body $.t value 1.00|1.02")
	f(comparator.Rule{Path: "$.t", Action: "tolerance", Tolerance: "1"}, `{"t":"-1.5"}`, `{"t":"-.5"}`, "match", "body $.t value -1.5|-.5 (rule:r1)")
	for _, text := range []string{`"0x10","0x11"`, `"0b10","0b11"`, `"1/2","1/3"`, `"1_0","1_1"`, `"+1","+2"`, `"","1"`, `"1e0","2e0"`, `"1.2.3","1.2.4"`} {
		b, c, _ := strings.Cut(text, ",")
		f(comparator.Rule{Path: "$.t", Action: "tolerance", Tolerance: "1"}, `{"t":`+b+`}`, `{"t":`+c+`}`, "mismatch", "body $.t value "+strings.Trim(b, `"`)+"|"+strings.Trim(c, `"`))
	}
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

// TestRulesReachOddNames: a name is a name, whatever characters it has.
func TestRulesReachOddNames(t *testing.T) {
	names := []string{"plain", "@odata.etag", "a.b", "with blank", "[]", "a]b", `quo"te`, "*", "$", "", "é", "line\nbreak", "$.meta.x"}
	for _, name := range names {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		f := func(pattern string, covered bool) {
			t.Helper()
			cfg := comparator.DefaultConfig()
			cfg.Rules = []comparator.Rule{{Name: "r1", Owner: "o", Reason: "r", Path: pattern, Action: "ignore"}}
			j, err := comparator.NewJudge(cfg)
			if err != nil {
				t.Fatalf("%s: %v", pattern, err)
			}
			c := j.Judge(immediate(response(200, `{"meta":{`+string(text)+`:"a"}}`), response(200, `{"meta":{`+string(text)+`:"b"}}`)))
			if (c.Verdict == comparator.Match) != covered || len(c.Differences) != 1 {
				t.Errorf("%s for %s: %+v", pattern, text, c)
			}
		}
		f("$.meta.*", true)
		f("$.meta.**", true)
		f("$.**", true)
		f("$.*.*", true)
		f("$.*", false)
		f("$.meta["+strconv.Quote(name)+"]", true)
		f("$.meta["+strconv.Quote(name+"x")+"]", false)
		f("$.meta[]", false)
		f(`$.meta["*"]`, name == "*") // in quotes a star is a star
	}
}

func TestConflictingRulesAreMistakes(t *testing.T) {
	f := func(want string, rules ...comparator.Rule) {
		t.Helper()
		cfg := comparator.DefaultConfig()
		for i := range rules {
			rules[i].Name, rules[i].Owner, rules[i].Reason = string(rune('a'+i)), "o", "r"
		}
		cfg.Rules = rules
		err := cfg.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	tolerance := func(path, by string) comparator.Rule {
		return comparator.Rule{Path: path, Action: "tolerance", Tolerance: by}
	}
	ignore := func(path string, kinds ...string) comparator.Rule {
		return comparator.Rule{Path: path, Action: "ignore", Kinds: kinds}
	}
	keyed := func(key string) comparator.Rule {
		return comparator.Rule{Path: "$.l[]", Action: "keyed", Key: key}
	}
	f("")
	f(`rules[1].path: "$.a" has the path, route and action of rule a`, tolerance("$.a", "1"), tolerance("$.a", "2"))
	f("action of rule a", tolerance("$.a", "1"), tolerance(`$["a"]`, "1"))
	f("action of rule a", keyed("k"), keyed("l"))
	f("action of rule a", ignore("$.a"), ignore("$.a", "value"))
	f("action of rule a", ignore("header:X-A"), ignore("header:x-a"))
	f("is ignored as well", ignore("$.a"), tolerance("$.a", "1"))
	f("is ignored as well", tolerance("$.a", "1"), ignore("$.a", "all"))
	f("is keyed as well", keyed("k"), comparator.Rule{Path: "$.l[]", Action: "unordered"})
	f("", tolerance("$.a", "1"), tolerance("$.b", "2"))
	f("", tolerance("$.a*", "1"), tolerance(`$["a*"]`, "2"))
	f("", ignore("$.a", "missing"), ignore("$.a", "extra"), tolerance("$.a", "1"))
	elsewhere := tolerance("$.a", "2")
	elsewhere.Route = "GET /x"
	f("", tolerance("$.a", "1"), elsewhere)

	f(`rules[0].kinds[1]: "gone" is not one of all, value`, ignore("$.a", "value", "gone"))
	unfit := tolerance("$.a", "1")
	unfit.Kinds = []string{"value"}
	f("kinds: belong to the action ignore only", unfit)
	for _, path := range []string{"$.", "$..a", `$["a`, `$["a"`, "$[3]", "$['a']", "$.a[", "$.a]b[]x"} {
		f("is not a path", ignore(path))
	}
}

// TestRulesOfArraysNameElements: one whose path can be that of no array would do
// nothing.
func TestRulesOfArraysNameElements(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		for _, action := range []string{"keyed", "unordered"} {
			cfg := comparator.DefaultConfig()
			r := comparator.Rule{Name: "r", Owner: "o", Reason: "b", Path: path, Action: action}
			if action == "keyed" {
				r.Key = "id"
			}
			cfg.Rules = []comparator.Rule{r}
			switch err := cfg.Validate(); {
			case want == "" && err != nil:
				t.Errorf("%s: %v", path, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), "rules[0].path: ") || !strings.Contains(err.Error(), want)):
				t.Errorf("%s: got %v, want %q", path, err, want)
			}
		}
	}
	f("$.items", "names no elements")
	f("$.items", "want $.items[]")
	f("$", "want $[]")
	f("$.*", "want $.*[]")
	f("$.items[].id", "want $.items[].id[]")
	f(`$["**"]`, `want $["**"][]`)
	f("header:X-Tags", "names a field")
	f("$.items[]", "")
	f("$[]", "")
	f("$.**", "")
	f("$.**[]", "")
}

// TestRulesThatNeverTakeEffect are mistakes: a wider rule comes before them.
func TestRulesThatNeverTakeEffect(t *testing.T) {
	f := func(wrong bool, first, second comparator.Rule) {
		t.Helper()
		for i, r := range []*comparator.Rule{&first, &second} {
			r.Name, r.Owner, r.Reason = fmt.Sprint("r", i), "team", "because"
		}
		for _, rules := range [][]comparator.Rule{{first, second}, {second, first}} {
			cfg := comparator.DefaultConfig()
			cfg.Rules = rules
			if err := cfg.Validate(); (err != nil) != wrong {
				t.Errorf("%v, %v: %v", rules[0], rules[1], err)
			}
		}
	}
	ignore := func(path, route string, kinds ...string) comparator.Rule {
		return comparator.Rule{Action: "ignore", Path: path, Route: route, Kinds: kinds}
	}
	within := func(path, route string) comparator.Rule {
		return comparator.Rule{Action: "tolerance", Path: path, Route: route, Tolerance: "1"}
	}
	keyed := func(path string) comparator.Rule { return comparator.Rule{Action: "keyed", Path: path, Key: "id"} }
	unordered := func(path string) comparator.Rule { return comparator.Rule{Action: "unordered", Path: path} }
	f(true, ignore("$.**", ""), within("$.price", ""))
	f(true, ignore("$.*", ""), within("$.price", "GET /items/*"))
	f(true, ignore("$.price", ""), within("$.price", "GET /items"))
	f(true, keyed("$.*[]"), unordered("$.tags[]"))
	// The narrower one comes first, or holds elsewhere too.
	f(false, ignore("$.price", "GET /items/*"), within("$.price", ""))
	f(false, ignore("$.price", ""), within("$.**", ""))
	f(false, ignore("$.**", "", "missing"), within("$.price", ""))
	f(false, keyed("$.tags[]"), unordered("$.*[]"))
	f(false, ignore("$.a.*", ""), within("$.price", ""))
}
