package clickhouse

import (
	"testing"
)

// TestViewsShowTheCurrentJudgement of each run, whatever other runs have; of a
// run that is not registered, and of an empty database, they show nothing.
func TestViewsShowTheCurrentJudgement(t *testing.T) {
	conn := database(t, "views")
	f := func(want ...string) {
		t.Helper()
		for _, view := range []string{"comparisons", "differences", "discrepancies"} {
			var got []string
			if err := conn.QueryRow(t.Context(), "SELECT arraySort(groupArray(concat(run, judgement))) FROM "+view).Scan(&got); err != nil {
				t.Errorf("%s: %v", view, err)
				continue
			}
			if len(got) != len(want) {
				t.Errorf("%s: %q, want %q", view, got, want)
				continue
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s: %q, want %q", view, got, want)
				}
			}
		}
	}
	exec := func(query string) {
		t.Helper()
		if err := conn.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	f()
	rows := "(run, judgement, kafka_offset, closed_time) VALUES ('a', 'x', 1, now()), ('a', 'y', 1, now()), ('b', 'x', 2, now()), ('b', 'y', 2, now()), ('c', 'x', 3, now()), ('d', '', 4, now())"
	exec("INSERT INTO stored_comparisons " + rows)
	exec("INSERT INTO stored_differences " + rows)
	f()
	exec("INSERT INTO judged_runs (run, judgement, chosen) VALUES ('a', 'y', true), ('b', 'x', true), ('d', '', true)")
	f("ay", "bx", "d")
	exec("INSERT INTO judged_runs (run, judgement, chosen) VALUES ('a', 'x', true)")
	f("ax", "bx", "d")
}
