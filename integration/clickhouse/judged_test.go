package clickhouse

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator/report"
)

// TestJudged: the exchanges of the verdicts that are asked for, of that run.
func TestJudged(t *testing.T) {
	conn := database(t, "judged")
	if err := conn.Exec(t.Context(), "INSERT INTO runs (name, state, version, start_time) VALUES ('r', 'completed', 1, now()), ('other', 'completed', 1, now())"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), `INSERT INTO stored_comparisons (run, exchange_id, session, verdict, closed_time, kafka_offset) VALUES
('r', 'e1', 's1', 'match', now(), 1), ('r', 'e2', 's1', 'mismatch', now(), 2), ('r', 'e3', 's2', 'rejected', now(), 3), ('r', '', '', 'orphan', now(), 4), ('other', 'e4', 's3', 'mismatch', now(), 5)`); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), "INSERT INTO judged_runs (run, judgement, chosen) VALUES ('r', '', true), ('other', '', true)"); err != nil {
		t.Fatal(err)
	}
	f := func(exchanges, sessions map[string]bool, verdicts ...string) {
		t.Helper()
		gotExchanges, gotSessions, err := report.Judged(t.Context(), conn, "r", verdicts)
		if diff := cmp.Diff(exchanges, gotExchanges) + cmp.Diff(sessions, gotSessions); err != nil || diff != "" {
			t.Errorf("%v: %v, -want +got\n%s", verdicts, err, diff)
		}
	}
	f(map[string]bool{"e2": true, "e3": true}, map[string]bool{"s1": true, "s2": true}, "mismatch", "rejected")
	f(map[string]bool{}, map[string]bool{}, "lost", "orphan")
	if _, _, err := report.Judged(t.Context(), conn, "absent", []string{"match"}); !errors.Is(err, report.ErrUnknownRun) {
		t.Errorf("a run that is not there: %v", err)
	}
}
