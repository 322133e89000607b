package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A place is called different by its coins together.
func TestWeigh(t *testing.T) {
	f := func(rows []coinRow, want ...string) {
		t.Helper()
		got := []string{}
		for _, p := range weigh(rows) {
			text := p.Path
			if p.Different {
				text += " different"
			}
			if p.Alike {
				text += " alike"
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Error(diff)
		}
	}
	row := func(path, statistic string, heads, tails, both uint64) coinRow {
		return coinRow{Route: "GET /x", Path: path, Statistic: statistic, Heads: heads, Tails: tails, Controlled: 700, Control: 340, Candidate: 340, Both: both}
	}
	f(nil)
	f([]coinRow{row("$.a", "differs", 10, 12, 300), row("$.a", "number", 350, 340, 300)}, "$.a alike")
	f([]coinRow{row("$.a", "differs", 10, 12, 300), row("$.a", "number", 430, 260, 300)}, "$.a different")
	f([]coinRow{row("$.a", "differs", 0, 0, 300)}, "$.a alike")
	// With few controls neither can be said.
	few := row("$.a", "number", 14, 12, 9)
	few.Controlled = 30
	f([]coinRow{few}, "$.a")
	// What only the candidate does, but for once, is not asked about, and is not
	// alike.
	f([]coinRow{row("$.a", "differs", 90, 1, 0)}, "$.a")
	// The surest first.
	f([]coinRow{row("$.a", "presence", 160, 180, 300), row("$.b", "presence", 90, 260, 300)}, "$.b different", "$.a alike")
	// Among many places one needs more; those that are not asked about do not
	// count, and are not called anything.
	rows := []coinRow{row("$.a", "number", 75, 40, 300)}
	want := []string{"$.a alike"}
	f(rows, "$.a different")
	for i := range 20 {
		path := "$." + string(rune('b'+i))
		rows, want = append(rows, row(path, "number", 50, 50, 300)), append(want, path+" alike")
	}
	f(rows, want...)
	for i := range rows[1:] {
		rows[i+1].Both = 0
		want[i+1] = rows[i+1].Path
	}
	want[0] = "$.a different"
	f(rows, want...)
}
