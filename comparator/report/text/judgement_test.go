package text

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator/report"
)

// ruled makes lines under heads as long as one character.
func ruled(s string) string { return regexp.MustCompile("─+").ReplaceAllString(s, "─") }

func TestJudgements(t *testing.T) {
	js := []report.Judgement{
		{Replays: 7, Match: 1, Time: time.Unix(0, 0)},
		{ID: "ad5dabd10749acc3", Current: true, Version: 1, Time: time.Unix(1_800_000_000, 0), Replays: 1200, Match: 40,
			Config: "rules: [{name: cents}, {name: \"\x1b[2J\"}]\ndefault_rules_off: [date]"},
	}
	var out bytes.Buffer
	if err := Judgements(&out, "r", js, Table); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimPrefix(`
Judgement                  First used            Replays  Match  Rules
─
(before)                   unknown                     7      1  unknown
ad5dabd10749acc3  current  2027-01-15T08:00:00Z    1,200     40  cents, \x1b[2J,
                                                                 without date
`, "\n")
	if diff := cmp.Diff(want, ruled(out.String())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out.Reset()
	if err := Judgements(&out, "r", nil, Table); err != nil || !strings.Contains(out.String(), "understudy compare judges it") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestJudgementDiff(t *testing.T) {
	d := report.JudgementDiff{
		Run: "r", Old: "aaa1", New: "aaa2", Same: 1000,
		Transitions: []report.Transition{{Route: "GET /n", Old: "mismatch", New: "match", Replays: 40, Exchange: "e", Ordinal: 7}, {Route: "GET /n", New: "match", Replays: 2, Ordinal: 9}},
		Paths: []report.PathChange{
			{Route: "GET /n", Path: "$.a", Kind: "value", Old: 4}, {Route: "GET /n", Path: "$.a", Kind: "value", Class: "rule:cents", New: 4},
			{Route: "GET /n", Path: "$.b", Kind: "type", Old: 1, New: 2000},
		},
	}
	var out bytes.Buffer
	if err := JudgementDiff(&out, d, Table); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimPrefix(`
Run r: judgement aaa1 against aaa2
1,000 replays have the same verdict under both.

Verdicts that changed
Route   Verdict           Replays  Example (ordinal)
─
GET /n  mismatch → match       40                  7
GET /n  none → match            2                  9

Places that changed
Route   Path  Kind   Class       Places
─
GET /n  $.a   value  counts      vanished 4
GET /n  $.a   value  rule:cents  appeared 4
GET /n  $.b   type   counts      1 → 2,000
`, "\n")
	if diff := cmp.Diff(want, ruled(out.String())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d.NewDropped = 3000
	out.Reset()
	if err := JudgementDiff(&out, d, Table); err != nil || !strings.Contains(out.String(), "0 of aaa1, 3,000 of\naaa2; a higher compare.max_differences") {
		t.Errorf("%s, %v", out.String(), err)
	}
	for i := range 2 * shown {
		d.Paths = append(d.Paths, report.PathChange{Path: fmt.Sprint(i), New: 1})
	}
	out.Reset()
	if err := JudgementDiff(&out, d, Table); err != nil || !strings.Contains(out.String(), "The first 20 of 2 and 43 changes; -o json lists them all.") {
		t.Errorf("%s, %v", out.String(), err)
	}
	out.Reset()
	if err := JudgementDiff(&out, d, CSV); err != nil || strings.Count(out.String(), "\n") != 1+2+43 {
		t.Errorf("%s, %v", out.String(), err)
	}
}
