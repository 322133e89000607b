package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A place is called different by its coins together, and only where the baseline
// differs from itself.
func TestWeigh(t *testing.T) {
	f := func(rows []coinRow, want ...string) {
		t.Helper()
		got := []string{}
		for _, p := range weigh(rows) {
			text := p.Path
			if p.Different {
				text += " different"
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Error(diff)
		}
	}
	row := func(path, statistic string, heads, tails, control uint64) coinRow {
		return coinRow{Route: "GET /x", Path: path, Statistic: statistic, Heads: heads, Tails: tails, Controlled: 700, Control: control, Candidate: control}
	}
	f(nil)
	f([]coinRow{row("$.a", "differs", 10, 12, 340), row("$.a", "number", 350, 340, 340)}, "$.a")
	f([]coinRow{row("$.a", "differs", 10, 12, 340), row("$.a", "number", 430, 260, 340)}, "$.a different")
	// The surest first; a place where the baseline is always the same is an
	// ordinary difference.
	f([]coinRow{
		row("$.a", "presence", 160, 180, 340), row("$.b", "presence", 90, 260, 340), row("$.c", "differs", 700, 0, 0),
	}, "$.b different", "$.a")
	// It was looked at all the same: among many places one needs more.
	rows := []coinRow{row("$.a", "number", 75, 40, 340)}
	f(rows, "$.a different")
	for i := range 20 {
		rows = append(rows, row(string(rune('b'+i)), "differs", 700, 0, 0))
	}
	f(rows, "$.a")
}
