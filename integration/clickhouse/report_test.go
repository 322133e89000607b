package clickhouse

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/clickhouse/sql"
	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// fill writes a run of n replays, its exchanges and their tally.
func fill(t *testing.T, conn driver.Conn, n int) { fillWithout(t, conn, n, -1) }

// fillWithout leaves one replay out.
func fillWithout(t *testing.T, conn driver.Conn, n, missing int) {
	t.Helper()
	names := topic.NamesFor("")
	in := ingest(t, conn, "j", everyThird{})
	handle := func(topic string, records ...*kgo.Record) {
		t.Helper()
		b := stream.Batch{Topic: topic, End: int64(len(records)), Records: records, TopicID: topic}
		if err := in.Handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	record := func(r *kgo.Record, err error) *kgo.Record {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		r.Timestamp = time.Now()
		return r
	}
	replays := batch(t, names, "fill", n).Records
	if missing < 0 {
		handle(names.Replays, replays...)
	} else {
		handle(names.Replays, slices.Delete(slices.Clone(replays), missing, missing+1)...)
	}
	var exchanges []*kgo.Record
	for _, r := range replays {
		replay, err := stream.DecodeReplay(r)
		if err != nil {
			t.Fatal(err)
		}
		exchanges = append(exchanges, record(stream.ExchangeRecord(names, replay.Exchange)))
	}
	handle(names.Exchanges, exchanges...)
	handle(names.Tallies,
		record(stream.TallyRecord(names, &understudyv1.Tally{Recorder: "rec", Number: 1, Served: 1, Pending: 1})),
		record(stream.TallyRecord(names, &understudyv1.Tally{
			Recorder: "rec", Number: 2, Served: uint64(n) + 1, Recorded: uint64(n), Dropped: map[string]uint64{"full": 1}, Final: true,
		})),
	)
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	state := func(version uint64, s understudyv1.Run_State, replayed int) *kgo.Record {
		return record(stream.RunRecord(names, &understudyv1.Run{
			Name: "r", Version: version, State: s, Spec: &understudyv1.RunSpec{Candidate: "http://candidate", Speed: 5},
			StartUnixNano: start.UnixNano(), EndUnixNano: start.Add(time.Minute).UnixNano(),
			Selected: uint64(n), Replayed: uint64(replayed), Written: uint64(replayed), PlannedRate: 10, AchievedRate: 9.9,
		}))
	}
	handle(names.Runs, state(1, understudyv1.Run_STATE_RUNNING, n/2), state(2, understudyv1.Run_STATE_COMPLETED, n))
}

// rollUp registers runs of rows that a test has put in without a judgement, and
// makes their roll-ups.
func rollUp(t *testing.T, conn driver.Conn) {
	t.Helper()
	var runs []string
	err := conn.QueryRow(t.Context(), "SELECT groupUniqArray(toString(run)) FROM (SELECT run FROM stored_comparisons WHERE judgement = '' UNION ALL SELECT run FROM stored_differences WHERE judgement = '')").Scan(&runs)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if err := conn.Exec(t.Context(), "INSERT INTO judged_runs (run, judgement, made_by, time) VALUES (?, '', 'test', toDateTime64(0, 9, 'UTC'))", run); err != nil {
			t.Fatal(err)
		}
	}
	var partitions []int32
	err = conn.QueryRow(t.Context(), "SELECT groupUniqArray(kafka_partition) FROM (SELECT kafka_partition FROM stored_comparisons UNION ALL SELECT kafka_partition FROM stored_differences)").Scan(&partitions)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range partitions { // what tests put in lies in their first segments
		if err := clickhouse.RollUp(t.Context(), conn, "", stream.Batch{Partition: p, End: 1}, runs); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReport(t *testing.T) {
	conn := database(t, "report")
	fill(t, conn, 120)
	r, err := report.Load(t.Context(), conn, "r", report.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if want := []report.Score{{Route: "GET /n", Replays: 120, Match: 80, Mismatch: 40, Judged: 120, Selected: 120, MatchRate: 2. / 3}}; !cmp.Equal(want, r.Routes) {
		t.Error(cmp.Diff(want, r.Routes))
	}
	wantTop := []report.Discrepancy{{
		Route: "GET /n", Path: "$.n", Kind: "value", Places: 40, Replays: 40,
		Baseline: "9007199254740993", Candidate: "9007199254740992", Exchange: "e2",
	}}
	if diff := cmp.Diff(wantTop, r.Discrepancies); diff != "" {
		t.Error(diff)
	}
	wantLatency := []report.Latency{{Route: "GET /n", Replays: 120, BaselineP50: 1, BaselineP99: 1, AckP50: 2, AckP99: 2}}
	if diff := cmp.Diff(wantLatency, r.Latency); diff != "" {
		t.Error(diff)
	}
	if want := []report.NoiseClass{{Class: "timestamp", Places: 40, Replays: 40, Paths: 1, Routes: []string{"GET /n"}}}; !cmp.Equal(want, r.Noise) {
		t.Error(cmp.Diff(want, r.Noise))
	}
	if !r.Balance.Holds || r.Places != 1 || r.Run.State != "completed" {
		t.Errorf("got %+v", r)
	}
	var page bytes.Buffer
	if err := text.Report(&page, r, text.Table, 0); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", page.String())

	_, err = report.Load(t.Context(), conn, `no'such\run`, report.DefaultOptions())
	if !errors.Is(err, report.ErrUnknownRun) || !strings.Contains(err.Error(), "there are r;") {
		t.Errorf("an unknown run: %v", err)
	}
}

// TestAnExampleIsOfOneReplay: offsets are equal in different partitions, and
// the parts of an example must not be taken from different replays.
func TestAnExampleIsOfOneReplay(t *testing.T) {
	conn := database(t, "example")
	for partition := range 4 {
		err := conn.Exec(t.Context(), `INSERT INTO stored_differences (run, exchange_id, route, path, location, kind, baseline, candidate, closed_time, kafka_partition, kafka_offset, number)
SELECT 'r', 'e' || toString(3 - ?), 'GET /n', '$[].n', '$[' || toString(number) || '].n', 'value',
 'b' || toString(?) || '-' || toString(number), 'c' || toString(?) || '-' || toString(number), now(), ?, 7, number
FROM numbers(3)`, partition, partition, partition, partition)
		if err != nil {
			t.Fatal(err)
		}
	}
	rollUp(t, conn)
	got, kinds, err := report.TopDiscrepancies(t.Context(), conn, "r", 10)
	want := []report.Discrepancy{{
		Route: "GET /n", Path: "$[].n", Kind: "value", Places: 12, Replays: 4,
		Baseline: "b0-0", Candidate: "c0-0", Exchange: "e3",
	}}
	if diff := cmp.Diff(want, got); diff != "" || kinds != 1 || err != nil {
		t.Errorf("%d kinds, %v (-want +got):\n%s", kinds, err, diff)
	}
}

// TestSlowRoutes: a route is as slow as what its clients wait for.
func TestSlowRoutes(t *testing.T) {
	conn := database(t, "slow")
	ms := uint64(time.Millisecond)
	f := func(route, channel string, ack, completion uint64, verdict string) {
		t.Helper()
		err := conn.Exec(t.Context(), `INSERT INTO stored_comparisons (run, route, channel, verdict, baseline_latency_ns, ack_latency_ns, completion_latency_ns, closed_time, kafka_offset)
SELECT 'r', ?, ?, ?, 20000000, ?, ?, now(), intDiv(rand64(), 2) FROM numbers(10)`, route, channel, verdict, ack*ms, completion*ms)
		if err != nil {
			t.Fatal(err)
		}
	}
	f("answer quick", "immediate", 30, 30, "match")
	f("answer slow", "immediate", 130, 130, "match")
	f("answer slow, completion unknown", "", 130, 0, "match")
	f("job quick", "poll", 5, 110, "match")
	f("job slow", "callback", 5, 130, "match")
	f("job lost", "poll", 5, 0, "lost") // who waits for ever waits long
	f("skipped", "", 900, 900, "skipped")
	rollUp(t, conn)
	rows, err := report.Latencies(t.Context(), conn, "r", report.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, l := range rows {
		got[l.Route] = l.Slow
	}
	want := map[string]bool{
		"answer quick": false, "answer slow": true, "answer slow, completion unknown": true,
		"job quick": false, "job slow": true, "job lost": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheBalanceIsBrokenByAMissingReplay(t *testing.T) {
	conn := database(t, "broken")
	fillWithout(t, conn, 120, 7)
	b, err := report.LoadBalance(t.Context(), conn, "r")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"replayed 120 ≠ sum of verdicts 119: 1 missing"}; b.Holds || !cmp.Equal(want, b.Broken) {
		t.Errorf("got %+v", b)
	}
	if len(b.Recorders) != 1 || b.Recorders[0].InRun != 119 || b.Recorders[0].Recorded != 120 {
		t.Errorf("recorders %+v", b.Recorders)
	}
	if _, err := report.LoadBalance(t.Context(), conn, "absent"); !errors.Is(err, report.ErrUnknownRun) {
		t.Errorf("an unknown run: %v", err)
	}
}

func TestSQL(t *testing.T) {
	conn := database(t, "sql")
	fill(t, conn, 30)
	client := sql.Client{URL: "http://" + embeddedtest.Start(t).HTTP, Database: "sql"}
	f := func(query, want string) {
		t.Helper()
		var out bytes.Buffer
		if err := client.Query(t.Context(), query, &out); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	f("SELECT route, path, kind, count() FROM discrepancies GROUP BY ALL ORDER BY 4 DESC LIMIT 10 FORMAT CSV", "\"GET /n\",\"$.n\",\"value\",10\n")
	f("SELECT 1 AS x FORMAT JSONEachRow", "{\"x\":1}\n")
	client.Parameters = map[string]string{"text": "a'\t\\n\nb"}
	f("SELECT length({text:String}) FORMAT TSV", "7\n")

	var out bytes.Buffer
	if err := client.Query(t.Context(), "SELECT 'wide' AS word", &out); err != nil || !strings.Contains(out.String(), "│ wide │") {
		t.Errorf("PrettyCompact is the default; got %q, %v", out.String(), err)
	}
	var e *sql.Error
	if err := client.Query(t.Context(), "SELECT nothing", &out); !errors.As(err, &e) || e.Code != 47 {
		t.Errorf("an unknown column: %v", err)
	}
	if err := client.Query(t.Context(), "SELECT throwIf(number = 3000000) FROM numbers(4000000) FORMAT Null", &out); !errors.As(err, &e) || e.Code != 395 {
		t.Errorf("an error while it runs: %v", err)
	}
}

func TestAddressesOfClickHouse(t *testing.T) {
	at := embeddedtest.Start(t)
	for _, address := range []string{at.Native, "clickhouse://" + at.Native, "tcp://" + at.Native} {
		conn, err := clickhouse.Connect(t.Context(), clickhouse.Config{Address: address + "/default"})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		var n uint8
		if err := conn.QueryRow(t.Context(), "SELECT 1").Scan(&n); err != nil || n != 1 {
			t.Errorf("%s: %v", address, err)
		}
		conn.Close()
	}
	_, err := clickhouse.Connect(t.Context(), clickhouse.Config{Address: at.Native + "/absent"})
	if !errors.Is(err, clickhouse.ErrSchema) || !strings.Contains(err.Error(), "understudy migrate") {
		t.Errorf("a missing database: %v", err)
	}
	silent := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(silent.URL, "http://")
	silent.Close()
	_, err = clickhouse.Connect(t.Context(), clickhouse.Config{Address: "clickhouse://someone:verysecret@" + address + "/x"})
	if err == nil || !strings.Contains(err.Error(), address) || strings.Contains(fmt.Sprint(err), "verysecret") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestLostByReason: that it took too long is another kind of fault than that
// the location was refused; what a later completion said is none of these.
func TestLostByReason(t *testing.T) {
	conn := database(t, "reasons")
	for i, what := range [][2]string{{"timeout", ""}, {"timeout: 30s", ""}, {"location_refused: http://a", ""}, {"200 {}", "completion"}} {
		err := conn.Exec(t.Context(), `INSERT INTO stored_differences (run, exchange_id, route, path, location, kind, baseline, candidate, closed_time, kafka_offset)
VALUES ('r', ?, 'POST /n', 'completion', ?, 'outcome', '201', ?, now(), ?)`, fmt.Sprint("e", i), what[1], what[0], i)
		if err != nil {
			t.Fatal(err)
		}
	}
	rollUp(t, conn)
	rows, kinds, err := report.TopDiscrepancies(t.Context(), conn, "r", 10)
	if err != nil || kinds != 3 {
		t.Fatalf("%d kinds, %v", kinds, err)
	}
	var got []string
	for _, d := range rows {
		got = append(got, fmt.Sprintf("%d %s", d.Replays, d.Candidate))
	}
	if want := []string{"2 timeout", "1 200 {}", "1 location_refused: http://a"}; !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
}

// TestFindHTTP: an HTTP port that nobody knows is not guessed wrong.
func TestFindHTTP(t *testing.T) {
	conn := database(t, "ports")
	at := embeddedtest.Start(t)
	target, err := clickhouse.Config{Address: at.Native}.Target()
	if err != nil {
		t.Fatal(err)
	}
	got, err := clickhouse.FindHTTP(t.Context(), conn, target)
	if got != "http://"+at.HTTP && (err == nil || !strings.Contains(err.Error(), "the HTTP port that belongs to the native port")) {
		t.Errorf("%q, %v; it is %s", got, err, at.HTTP)
	}
	neighbour := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Ok.") }))
	defer neighbour.Close()
	port := neighbour.Listener.Addr().(*net.TCPAddr).Port
	target.Host = fmt.Sprintf("127.0.0.1:%d", port-8123+9000) // as far apart as usual
	if got, err := clickhouse.FindHTTP(t.Context(), conn, target); got != neighbour.URL || err != nil {
		t.Errorf("%q, %v; it is %s", got, err, neighbour.URL)
	}
}
