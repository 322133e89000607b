package clickhouse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator/report"
)

// ran writes the replayer's word on a run of n replays.
func ran(t *testing.T, conn driver.Conn, run string, n int) {
	t.Helper()
	err := conn.Exec(t.Context(), `INSERT INTO runs (name, version, state, candidate, start_time, selected, replayed, written) VALUES (?, 1, 'completed', 'http://candidate', now(), ?, ?, ?)`, run, n, n, n)
	if err != nil {
		t.Fatal(err)
	}
}

// TestDiagnosesFromTheTables: what spoils a run is found in its rows, and
// nothing in the rows of a run that is sound.
func TestDiagnosesFromTheTables(t *testing.T) {
	conn := database(t, "diagnoses")
	f := func(run, want, text, columns, values string) {
		t.Helper()
		ran(t, conn, run, 20)
		names := "run, exchange_id, ordinal, route, kafka_offset, closed_time, " + columns
		err := conn.Exec(t.Context(), fmt.Sprintf("INSERT INTO stored_comparisons (%s) SELECT '%s', '%s' || toString(number), number, 'GET /n', number, now(), %s FROM numbers(20)", names, run, run, values))
		if err != nil {
			t.Fatal(err)
		}
		rollUp(t, conn)
		r, err := report.Summary(t.Context(), conn, run)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		said := ""
		for _, d := range r.Diagnoses {
			got, said = append(got, d.Name), said+d.What+"\n"
		}
		if strings.Join(got, " ") != want || !strings.Contains(said, text) {
			t.Errorf("%s: got %q, want %q with %q:\n%s", run, got, want, text, said)
		}
	}
	f("sound", "", "", "verdict, baseline_status, ack_status, channel", "'match', 200, 200, 'immediate'")
	f("away", report.Unreachable, "20 of 20 requests (100 %), for reasons of the transport: connect 20", "verdict, error, baseline_status", "'error', 'connect', 200")

	for i := range 20 {
		if err := conn.Exec(t.Context(), "INSERT INTO stored_exchanges (id, redactions, stored_time) VALUES (?, ?, now())", fmt.Sprint("locked", i), i%2); err != nil {
			t.Fatal(err)
		}
	}
	f("locked", report.Unauthorized, "20 of 20 requests (100 %) that the baseline accepted: GET /n 20. The recording of 10 of them",
		"verdict, rejected_by, baseline_status, ack_status", "'rejected', 'candidate', 200, 401")
	f("locked before", "", "", "verdict, baseline_status, ack_status", "'match', 401, 401") // the baseline refused as well

	f("early", report.Pending, "202 Accepted was taken for the final answer of 20 replays", "verdict, baseline_status, ack_status, channel", "'mismatch', 201, 202, 'immediate'")
	f("early before", "", "", "verdict, baseline_status, ack_status, channel", "'match', 202, 202, 'immediate'")
	f("polled", "", "", "verdict, baseline_status, ack_status, channel", "'match', 201, 202, 'poll'")

	for run, word := range map[string]string{"word": "In-Progress", "words": "shipped"} {
		err := conn.Exec(t.Context(), `INSERT INTO stored_differences (run, exchange_id, route, path, location, kind, baseline, candidate, closed_time, kafka_offset)
SELECT ?, ? || toString(number), 'GET /n', '$.state', '$.state', 'value', 'done', ?, now(), number FROM numbers(20)`, run, run, word)
		if err != nil {
			t.Fatal(err)
		}
	}
	f("word", report.Pending, `$.state "In-Progress"`, "verdict, baseline_status, ack_status, channel", "'mismatch', 200, 200, 'immediate'")
	f("words", "", "", "verdict, baseline_status, ack_status, channel", "'mismatch', 200, 200, 'immediate'")

	// Each session makes a thing and reads it a second later; the recorded POST
	// took 0.1 s. At the candidate, the read is sent while the write goes on for
	// another half second, or when it is over.
	session := func(finished string) (columns, values string) {
		return "session, method, verdict, rejected_by, baseline_status, ack_status, exchange_time, sent_time, baseline_latency_ns, completion_service_ns",
			`toString(intDiv(number, 2)), if(number % 2 = 0, 'POST', 'GET'), if(number % 2 = 0, 'match', 'rejected'), if(number % 2 = 0, '', 'candidate'), 200, if(number % 2 = 0, 201, 404),
 toDateTime64('2026-11-24 12:00:00', 9, 'UTC') + number % 2, toDateTime64('2026-11-25 12:00:00', 9, 'UTC') + number % 2, 100000000, if(number % 2 = 0, ` + finished + `, 0)`
	}
	columns, values := session("1500000000")
	f("overtaken", report.Unordered, "10 of 20 replays (50.00 %)", columns, values)
	columns, values = session("900000000")
	f("in order", "", "", columns, values)

	f("a log", report.NotCompared, "Nothing was compared: of 20 selected 100 % incomplete (a log)", "verdict, incomplete, baseline_status, ack_status", "'incomplete', 'a log', 200, 200")

	ran(t, conn, "new", 20)
	r, err := report.Load(t.Context(), conn, "new", report.DefaultOptions())
	if err != nil || len(r.Diagnoses) != 1 || r.Diagnoses[0].Name != report.NotJudged {
		t.Errorf("not judged: %+v, %v", r.Diagnoses, err)
	}
}

// TestEveryPlaceSaysWhetherItHolds: the balance as it is read, its equations and
// the views agree, whatever is wrong.
func TestEveryPlaceSaysWhetherItHolds(t *testing.T) {
	conn := database(t, "holds")
	f := func(run string, selected, replayed, judged, served, stored int, final, wantRun, wantRecorder bool) {
		t.Helper()
		for query, args := range map[string][]any{
			"INSERT INTO runs (name, version, state, start_time, selected, replayed, written) VALUES (?, 1, 'completed', now(), ?, ?, ?)":                                              {run, selected, replayed, replayed},
			"INSERT INTO stored_tallies (recorder, number, time, served, recorded, final) VALUES (?, 1, now(), ?, 10, ?)":                                                              {run, served, final},
			"INSERT INTO stored_exchanges (id, recorder, sequence, topic_id, kafka_offset, stored_time) SELECT ? || toString(number), ?, number + 1, ?, number, now() FROM numbers(?)": {run, run, run, stored},
			"INSERT INTO stored_comparisons (run, exchange_id, recorder, verdict, kafka_offset, closed_time) SELECT ?, toString(number), ?, 'match', number, now() FROM numbers(?)":    {run, run, judged},
		} {
			if err := conn.Exec(t.Context(), query, args...); err != nil {
				t.Fatal(err)
			}
		}
		rollUp(t, conn)
		b, err := report.LoadBalance(t.Context(), conn, run)
		if err != nil || len(b.Recorders) != 1 {
			t.Fatalf("%s: %+v, %v", run, b, err)
		}
		var view struct {
			Run      bool `ch:"run_holds"`
			Recorder bool `ch:"recorder_holds"`
		}
		err = conn.QueryRow(t.Context(), `SELECT toBool(r.balances) AS run_holds, toBool(b.balances) AS recorder_holds
FROM run_balance AS r, recorder_balance AS b WHERE r.run = ? AND b.recorder = ?`, run, run).ScanStruct(&view)
		if err != nil {
			t.Fatal(err)
		}
		own, recorder := true, true
		for _, e := range b.Own() {
			own = own && e.Holds()
		}
		for _, e := range b.Recorders[0].Equations() {
			recorder = recorder && e.Holds()
		}
		for what, got := range map[string][2]bool{
			"balance": {b.Holds, b.Recorders[0].Holds}, "equations": {own, recorder}, "views": {view.Run, view.Recorder}, "broken": {len(b.Broken) == 0, wantRecorder},
		} {
			if want := [2]bool{wantRun, wantRecorder}; got != want {
				t.Errorf("%s: the %s say %v, want %v", run, what, got, want)
			}
		}
		if b.Trusted() != (wantRun && wantRecorder) {
			t.Errorf("%s: trusted %v", run, b.Trusted())
		}
	}
	f("all well", 10, 10, 10, 10, 10, true, true, true)
	f("one not judged", 10, 10, 9, 10, 10, true, false, true)
	f("one not replayed", 11, 10, 10, 10, 10, true, false, true)
	f("more stored than recorded", 10, 10, 10, 10, 13, true, true, false)
	f("still recording", 10, 10, 10, 10, 8, false, true, true)
	f("served and gone", 10, 10, 10, 12, 10, true, true, false)

	// A recorder without a tally is open while its exchanges are new; after that it
	// has ended without a word. Of one that the tables do not know nothing is said.
	untallied := func(what, query, state string, trusted bool) {
		t.Helper()
		if err := conn.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
		b, err := report.LoadBalance(t.Context(), conn, "all well")
		if err != nil || len(b.Recorders) != 1 {
			t.Fatalf("%s: %+v, %v", what, b, err)
		}
		r, equations := b.Recorders[0], true
		for _, e := range r.Equations() {
			equations = equations && e.Holds()
		}
		if !r.Untallied || r.State != state || r.InRun != 10 || b.Trusted() != trusted || equations != trusted || (b.Open() == 1) != trusted {
			t.Errorf("%s: %+v, trusted %v", what, r, b.Trusted())
		}
	}
	untallied("no tally yet", "ALTER TABLE stored_tallies DELETE WHERE recorder = 'all well' SETTINGS mutations_sync = 2", "running", true)
	untallied("for a minute", "INSERT INTO stored_exchanges SELECT * REPLACE (now() - 61 AS stored_time) FROM stored_exchanges WHERE recorder = 'all well'", "running", true)
	untallied("never", "ALTER TABLE stored_exchanges DELETE WHERE recorder = 'all well' AND stored_time > now() - 60 SETTINGS mutations_sync = 2", "unheard", false)
	untallied("not an exchange", "ALTER TABLE stored_exchanges DELETE WHERE recorder = 'all well' SETTINGS mutations_sync = 2", "unknown", true)
}
