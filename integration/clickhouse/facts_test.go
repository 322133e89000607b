package clickhouse

import (
	"strings"
	"testing"

	"understudy.dev/comparator/report"
	"understudy.dev/schemas/topic"
)

// TestTheTablesAgree: rows that are deleted from a table of facts, roll-ups or
// totals, or put into it, are found: the view, the balance, its equations and the
// diagnosis say so. What is deleted comes back when the replays are judged again.
func TestTheTablesAgree(t *testing.T) {
	conn := database(t, "agree")
	exec := func(query string) {
		t.Helper()
		if err := conn.Exec(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	again := func() {
		t.Helper()
		if err := ingest(t, conn, "j", everyThird{}).Handle(t.Context(), batch(t, topic.NamesFor(""), "a", 120)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want bool, broken string) {
		t.Helper()
		r, err := report.Summary(t.Context(), conn, "r")
		if err != nil {
			t.Fatal(err)
		}
		var view bool
		if err := conn.QueryRow(t.Context(), "SELECT toBool(balances) FROM run_balance WHERE run = 'r'").Scan(&view); err != nil {
			t.Fatal(err)
		}
		b := r.Balance
		if b.Holds != want || view != want || b.Trusted() != want || (len(b.Broken) == 0) != want || (len(r.Diagnoses) == 0) != want {
			t.Errorf("%s: holds %v, the view %v, broken %q, diagnoses %+v; want %v", what, b.Holds, view, b.Broken, r.Diagnoses, want)
		}
		if got := strings.Join(b.Broken, "; "); !strings.Contains(got, broken) {
			t.Errorf("%s: got %q, want %q", what, got, broken)
		}
		if remedy, try := b.Remedy(); !want && try != "understudy judge r --judgement j" {
			t.Errorf("%s: %s %s", what, remedy, try)
		}
	}
	ran(t, conn, "r", 120)
	again()
	// Another judgement, and another run, have books of their own.
	exec("INSERT INTO stored_comparisons (run, judgement, kafka_offset, closed_time) VALUES ('r', 'other', 1, now()), ('q', 'j', 1, now())")
	check("all well", true, "")

	for _, c := range []struct{ table, rows, lacks, has string }{
		{"stored_comparisons", "kafka_offset = 3", "comparisons in the totals 120 ≠ in the table 119: 1 missing", "≠ in the table 121: 1 too many"},
		{"stored_comparisons_by_minute", "verdict = 'match'", "comparisons in the totals 120 ≠ by minute 40: 80 missing", "≠ by minute 1"},
		{"stored_comparison_totals", "verdict = 'match'", "comparisons in the totals 40 ≠ in the table 120: 80 too many", "≠ in the table 120"},
		{"stored_differences", "kafka_offset = 2", "places that comparisons list 80 ≠ in the table differences 78: 2 missing", "≠ in the table differences 81: 1 too many"},
		{"stored_differences_by_minute", "noise_class = ''", "places that comparisons list 80 ≠ by minute 40: 40 missing", "places that comparisons list 80 ≠ by minute"},
		{"stored_difference_totals", "noise_class = ''", "places that comparisons list 80 ≠ in the totals 40: 40 missing", "places that comparisons list 80 ≠ in the totals"},
	} {
		remove := func(rows string) {
			t.Helper()
			exec("ALTER TABLE " + c.table + " DELETE WHERE run = 'r' AND judgement = 'j' AND " + rows + " SETTINGS mutations_sync = 2")
		}
		remove(c.rows)
		check(c.table+" lacks rows", false, c.lacks)
		again()
		check(c.table+" has them again", true, "")
		exec("INSERT INTO " + c.table + " SELECT * REPLACE ('made up' AS topic_id) FROM " + c.table + " FINAL WHERE run = 'r' AND judgement = 'j' AND " + c.rows + " LIMIT 1")
		check(c.table+" has a row too many", false, c.has)
		remove("topic_id = 'made up'")
		check(c.table+" is as it was", true, "")
	}

	// What has expired is not missed.
	exec("INSERT INTO runs (name, version, state, start_time, selected, replayed, written) VALUES ('r', 2, 'completed', now() - INTERVAL 181 DAY, 120, 120, 120)")
	exec("ALTER TABLE stored_comparisons DELETE WHERE run = 'r' AND judgement = 'j' SETTINGS mutations_sync = 2")
	check("expired", true, "")
}
