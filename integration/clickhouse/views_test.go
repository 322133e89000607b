package clickhouse

import (
	"sync"
	"testing"
	"time"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
)

// TestSeveralMigrateAtOnce: a platform that starts, and a person who is quick.
func TestSeveralMigrateAtOnce(t *testing.T) {
	cfg := clickhouse.Config{Address: embeddedtest.Start(t).Native + "/several"}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 60 * time.Millisecond) // each finds the others somewhere else
			if _, err := clickhouse.Migrate(t.Context(), cfg); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	conn, err := clickhouse.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := clickhouse.Check(t.Context(), conn); err != nil {
		t.Error(err)
	}
	var n uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM comparisons").Scan(&n); err != nil {
		t.Error(err)
	}
}

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
