package clickhouse

import (
	"fmt"
	"io/fs"
	"math"
	"testing"
	"testing/fstest"
	"time"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/report"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/schemas/table"
)

// TestSurvivorsAreNotTheWhole: what never came is in the quantiles, and what
// was skipped is below the line of a rate.
func TestSurvivorsAreNotTheWhole(t *testing.T) {
	conn := database(t, "survivors")
	ms, filled := uint64(time.Millisecond), 0
	f := func(route, verdict, channel string, ack, completion uint64, n int) {
		t.Helper()
		err := conn.Exec(t.Context(), `INSERT INTO stored_comparisons (run, route, channel, verdict, rejected_by, incomplete, baseline_status, baseline_latency_ns, ack_latency_ns, completion_latency_ns, closed_time, kafka_offset)
SELECT 'r', ?, ?, ? AS verdict, if(verdict = 'rejected', 'baseline', ''), if(verdict = 'incomplete', 'a log has no headers', ''), 200, 20000000, ?, ?, now(), ? + number FROM numbers(?)`,
			route, channel, verdict, ack*ms, completion*ms, filled, n)
		if err != nil {
			t.Fatal(err)
		}
		filled += n
	}
	f("job", "match", "poll", 5, 100, 60)
	f("job", "lost", "poll", 5, 0, 40)
	f("job", "skipped", "", 0, 0, 100)
	f("mostly lost", "lost", "callback", 5, 0, 6)
	f("mostly lost", "match", "callback", 5, 100, 4)
	f("away", "error", "", 0, 0, 10)
	f("refused", "rejected", "immediate", 5, 0, 3)
	f("refused", "incomplete", "immediate", 5, 5, 1)
	f("refused", "presumed", "immediate", 5, 5, 1)
	f("(orphan)", "orphan", "callback", 0, 0, 1)

	rollUp(t, conn)
	rows, err := report.Latencies(t.Context(), conn, "r", report.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	never := report.Never
	want := []report.Latency{
		{Route: "away", Replays: 10, BaselineP50: 20, BaselineP99: 20, AckP50: never, AckP99: never, CompletionP50: never, CompletionP99: never, Lost: 10, Slow: true},
		{Route: "job", Replays: 100, BaselineP50: 20, BaselineP99: 20, AckP50: 5, AckP99: 5, CompletionP50: 100, CompletionP99: never, Asynchronous: 100, Lost: 40, Slow: true},
		{Route: "mostly lost", Replays: 10, BaselineP50: 20, BaselineP99: 20, AckP50: 5, AckP99: 5, CompletionP50: never, CompletionP99: never, Asynchronous: 10, Lost: 6, Slow: true},
		{Route: "refused", Replays: 5, BaselineP50: 20, BaselineP99: 20, AckP50: 5, AckP99: 5, CompletionP50: 5, CompletionP99: 5},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("latency (-want +got):\n%s", diff)
	}
	if v, err := never.MarshalJSON(); err != nil || string(v) != "null" || !math.IsInf(float64(never), 1) {
		t.Errorf("got %s, %v", v, err)
	}

	scores, err := report.Scorecard(t.Context(), conn, "r")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]report.Score{}
	for _, s := range scores {
		got[s.Route] = s
	}
	wantScores := map[string]report.Score{
		"job":         {Route: "job", Replays: 200, Match: 60, Lost: 40, Skipped: 100, Judged: 100, Selected: 200, MatchRate: 0.3},
		"mostly lost": {Route: "mostly lost", Replays: 10, Match: 4, Lost: 6, Judged: 10, Selected: 10, MatchRate: 0.4},
		"away":        {Route: "away", Replays: 10, Error: 10, Judged: 10, Selected: 10},
		"refused":     {Route: "refused", Replays: 5, Rejected: 3, RejectedByBaseline: 3, Incomplete: 1, Presumed: 1, Judged: 5, Selected: 5},
		"(orphan)":    {Route: "(orphan)", Replays: 1, Orphan: 1},
	}
	if diff := cmp.Diff(wantScores, got); diff != "" {
		t.Errorf("scorecard (-want +got):\n%s", diff)
	}
	reasons, err := report.Incomplete(t.Context(), conn, "r")
	if want := []report.Reason{{Reason: "a log has no headers", Replays: 1}}; err != nil || !cmp.Equal(want, reasons) {
		t.Errorf("got %v, %v", reasons, err)
	}
}

// TestPresumedStandsApart: neither a discrepancy nor noise.
func TestPresumedStandsApart(t *testing.T) {
	conn := database(t, "presumed")
	err := conn.Exec(t.Context(), `INSERT INTO stored_differences (run, exchange_id, kafka_offset, number, route, path, kind, noise_class, closed_time) VALUES
('r', 'e1', 1, 0, 'GET /n', '$.a', 'value', '', now()), ('r', 'e1', 1, 1, 'GET /n', '$.b', 'value', 'timestamp', now()),
('r', 'e1', 1, 2, 'GET /n', '$.c', 'value', 'presumed:random', now()), ('r', 'e2', 2, 0, 'GET /n', '$.c', 'value', 'presumed:random', now())`)
	if err != nil {
		t.Fatal(err)
	}
	rollUp(t, conn)
	for view, want := range map[string]uint64{"discrepancies": 1, "noise": 1, "presumed": 2, "top_discrepancies": 1, "differences": 4} {
		var n uint64
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM "+view).Scan(&n); err != nil || n != want {
			t.Errorf("%s: got %d, %v, want %d", view, n, err, want)
		}
	}
	got, err := report.Presumed(t.Context(), conn, "r")
	if want := []report.NoiseClass{{Class: "presumed:random", Places: 2, Replays: 2, Paths: 1, Routes: []string{"GET /n"}}}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestTablesOfAnEarlierVersionAreMigrated: rows stay, roll-ups go on.
func TestTablesOfAnEarlierVersionAreMigrated(t *testing.T) {
	native := embeddedtest.Start(t).Native
	cfg := clickhouse.Config{Address: native + "/earlier"}
	admin, err := clickhouse.Connect(t.Context(), clickhouse.Config{Address: native + "/default"})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.Exec(t.Context(), "CREATE DATABASE IF NOT EXISTS earlier"); err != nil {
		t.Fatal(err)
	}
	earlier := fstest.MapFS{}
	files, err := fs.Glob(table.Migrations, table.Dir+"/0000[123]_*.sql")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(table.Migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		earlier[name[len(table.Dir)+1:]] = &fstest.MapFile{Data: text}
	}
	target, err := cfg.Target()
	if err != nil {
		t.Fatal(err)
	}
	db := chgo.OpenDB(&chgo.Options{Addr: []string{target.Host}, Auth: chgo.Auth{Database: "earlier"}})
	defer db.Close()
	provider, err := goose.NewProvider(goosedb.DialectClickHouse, db, earlier)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO comparisons (run, route, verdict, differences, closed_time, kafka_offset) VALUES ('r', 'GET /n', 'match', 0, now(), 1), ('r', 'GET /n', 'mismatch', 0, now(), 2), ('r', 'GET /n', 'mismatch', 0, now(), 2)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO differences (run, route, path, location, kind, baseline, closed_time, kafka_offset) VALUES ('r', 'GET /n', '$[]', '$[0]', 'value', '1', now(), 2), ('r', 'GET /n', '$[]', '$[1]', 'value', '1', now(), 2), ('r', 'GET /n', '$.a', '$.a', 'missing', '1', now(), 2)"); err != nil {
		t.Fatal(err)
	}
	done, err := clickhouse.Migrate(t.Context(), cfg)
	if err != nil || !done[2].WasThere || done[3].WasThere {
		t.Fatal(done, err)
	}
	if err := migrated(t, cfg); err != nil {
		t.Fatal(err)
	}
}

// migrated asks the tables of an earlier version what they show now.
func migrated(t *testing.T, cfg clickhouse.Config) error {
	t.Helper()
	conn, err := clickhouse.Connect(t.Context(), cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	got := map[string]uint64{}
	want := map[string]uint64{"replays": 2, "match": 1, "minutes": 2, "places": 3, "kinds": 2, "example": 2}
	for name, query := range map[string]string{
		"replays": "SELECT count() FROM comparisons", "match": "SELECT sum(match) FROM scorecard", "minutes": "SELECT sum(replays) FROM comparisons_by_minute",
		"places": "SELECT count() FROM differences", "kinds": "SELECT count() FROM top_discrepancies", "example": "SELECT countIf(example_baseline = '1') FROM top_discrepancies",
	} {
		var n uint64
		if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		got[name] = n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("(-want +got):\n%s", diff)
	}
	// What is written from now on stands beside it, under its own judgement.
	fill(t, conn, 30)
	r, err := report.Load(t.Context(), conn, "r", report.DefaultOptions())
	if err != nil || r.Total.Replays != 30 {
		return fmt.Errorf("%+v, %w", r, err)
	}
	js, err := report.Judgements(t.Context(), conn, "r")
	if err != nil || len(js) != 2 || js[0].ID != "" || js[0].Replays != 2 || !js[1].Current {
		return fmt.Errorf("%+v, %w", js, err)
	}
	return nil
}
