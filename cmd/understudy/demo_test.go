package main

import (
	"bytes"
	"strings"
	"testing"

	"understudy.dev/comparator/report"
	"understudy.dev/demo"
)

// TestDemoTable: what it says of faults that were found too seldom or too
// often, and where it sends people.
func TestDemoTable(t *testing.T) {
	f := func(score demo.Score, keep bool, want string, not ...string) {
		t.Helper()
		var out bytes.Buffer
		d := &demonstration{a: newApp(nil, &out, nil)}
		if err := d.table(&report.Report{}, score, keep); err != nil {
			t.Fatal(err)
		}
		_, got, _ := strings.Cut(out.String(), "Planted and found")
		if !strings.Contains(got, want) {
			t.Errorf("%s: want %q", got, want)
		}
		for _, n := range not {
			if strings.Contains(got, n) {
				t.Errorf("%s: do not want %q", got, n)
			}
		}
	}
	of := func(planted, found uint64, busy string) demo.Score {
		return demo.Score{Busy: busy, Faults: []demo.Found{{Name: "late", Planted: planted, Found: found}}}
	}
	f(of(4, 4, "so"), false, " ok\n", "busy")
	f(of(4, 3, ""), false, " MISSED\n")
	f(of(4, 3, "so"), false, " MISSED (too busy)\n")
	f(of(4, 5, "so"), false, " MORE (too busy)\n", "MISSED")
	f(of(4, 5, ""), false, " MORE\n", "MISSED")
	f(of(0, 0, ""), false, " NOT PLANTED\n")
	f(of(4, 4, ""), false, `run "understudy demo --keep", and while it runs`)
	f(of(4, 4, ""), true, "Where to look next: while this runs", "--keep")
}
