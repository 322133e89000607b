package clickhouse

import (
	"fmt"
	"testing"

	"understudy.dev/comparator/report"
)

// TestBooksOfLives: the view and the equations of the report say the same of
// every end that a life can have, and a name that is used again does not mix
// two.
func TestBooksOfLives(t *testing.T) {
	conn := database(t, "lives")
	exec := func(query string, args ...any) {
		t.Helper()
		if err := conn.Exec(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	ran(t, conn, "run", 1)
	exec("INSERT INTO stored_comparisons (run, exchange_id, recorder, verdict, closed_time) VALUES ('run', 'e', 'rec', 'match', now())")
	rollUp(t, conn)
	life := 0
	f := func(state string, served, recorded, killed, spooled, stored, doubles int, silent, end string, holds bool) {
		t.Helper()
		life++
		start := fmt.Sprintf("2026-11-26 10:00:%02d", life)
		flags := map[string]string{"": "false, false, false", "final": "true, false, false", "closed": "false, true, false", "exact": "false, true, true"}[end]
		exec("INSERT INTO stored_tallies (recorder, start_time, number, time, served, recorded, spooled, dropped, interval_ns, final, closed, exact) "+
			"SELECT 'rec', ?, 1, now() - toIntervalSecond("+silent+"), ?, ?, ?, if(? > 0, map('killed', toUInt64(?)), map()), 10000000000, "+flags, start, served, recorded, spooled, killed, killed)
		exec("INSERT INTO stored_exchanges (id, recorder, recorder_start, sequence, topic_id, kafka_offset, stored_time) "+
			"SELECT toString(number), 'rec', ?, number % ? + 1, ?, number, now() FROM numbers(?)", start, max(stored, 1), start, stored+doubles)
		var got struct {
			State string `ch:"state"`
			Holds bool   `ch:"holds"`
		}
		if err := conn.QueryRow(t.Context(), "SELECT state, toBool(balances) AS holds FROM recorder_balance WHERE start_time = ?", start).ScanStruct(&got); err != nil {
			t.Fatal(err)
		}
		if got.State != state || got.Holds != holds {
			t.Errorf("life %d: %+v, want %s, %t", life, got, state, holds)
		}
		b, err := report.LoadBalance(t.Context(), conn, "run")
		if err != nil || len(b.Recorders) != life {
			t.Fatalf("%d lives, %v", len(b.Recorders), err)
		}
		equations := true
		for _, e := range b.Recorders[life-1].Equations() {
			equations = equations && e.Holds()
		}
		if b.Recorders[life-1].Holds != holds || equations != holds {
			t.Errorf("life %d: the report says %t, its equations %t, want %t", life, b.Recorders[life-1].Holds, equations, holds)
		}
	}
	f("running", 10, 10, 0, 0, 12, 0, "5", "", true)
	f("running", 10, 10, 0, 0, 8, 0, "5", "", true)
	f("running", 10, 10, 0, 0, 10, 1, "5", "", false)
	f("unheard", 10, 10, 0, 0, 10, 0, "61", "", false)
	f("unheard", 10, 10, 0, 0, 10, 0, "5", "closed", false)
	f("ended", 10, 10, 0, 0, 10, 0, "900", "final", true)
	f("ended", 10, 7, 0, 3, 7, 0, "900", "final", true)
	f("ended", 10, 10, 0, 0, 9, 0, "900", "final", false)
	f("ended", 10, 10, 0, 0, 10, 2, "900", "final", false)
	f("killed", 10, 7, 3, 0, 7, 0, "900", "exact", true)
	f("killed", 10, 7, 3, 0, 9, 0, "900", "exact", true)
	f("killed", 10, 7, 3, 0, 6, 0, "900", "exact", false)
	f("killed", 10, 7, 3, 0, 11, 0, "900", "exact", false)
}
