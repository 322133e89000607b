package clickhouse

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator"
	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// database makes a migrated database of its own.
func database(t *testing.T, name string) driver.Conn {
	t.Helper()
	cfg := clickhouse.Config{Address: embeddedtest.Start(t).Native + "/" + name}
	for range 2 { // a second time changes nothing
		if _, err := clickhouse.Migrate(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := clickhouse.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := clickhouse.Check(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

// everyThird finds a difference in each third replay.
type everyThird struct{}

func (everyThird) Judge(r *understudyv1.Replay) comparator.Comparison {
	if r.Ordinal%3 != 0 {
		return comparator.Comparison{Verdict: comparator.Match, Findings: []comparator.Verdict{comparator.Match}}
	}
	return comparator.Comparison{
		Verdict: comparator.Mismatch, Findings: []comparator.Verdict{comparator.Mismatch, comparator.Late},
		Totals: comparator.Totals{Counting: 1, Harmless: 1},
		Differences: []comparator.Difference{
			{Place: comparator.InBody, Path: "$.n", Location: "$.n", Kind: comparator.Value, Baseline: "9007199254740993", Candidate: "9007199254740992"},
			{Place: comparator.InBody, Path: "$.at", Location: "$.at", Kind: comparator.Value, Baseline: "x", Candidate: "y", Noise: "timestamp"},
		},
	}
}

// ingest writes under a judgement of its own.
func ingest(t *testing.T, conn driver.Conn, judgement string, judge clickhouse.Judge) *clickhouse.Ingest {
	t.Helper()
	in, err := clickhouse.NewIngest(conn, clickhouse.IngestConfig{
		Names: topic.NamesFor(""), Judgement: comparator.Judgement{ID: judgement, Version: comparator.JudgeVersion}, Origin: "here", MadeBy: "test",
	}, judge, func(context.Context, *kgo.Record, error) error {
		t.Error("no record is foreign")
		return nil
	}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func batch(t *testing.T, names topic.Names, topicID string, n int) stream.Batch {
	t.Helper()
	return batchOf(t, names, topicID, n, 1)
}

// batchOf is a batch in which each exchange is replayed in so many copies, which
// share its id.
func batchOf(t *testing.T, names topic.Names, topicID string, n, copies int) stream.Batch {
	t.Helper()
	b := stream.Batch{Topic: names.Replays, End: int64(n), TopicID: topicID}
	base := time.Date(2026, 11, 24, 23, 59, 0, 0, time.UTC) // the batch crosses minutes
	for i := range n {
		var substitutions []*understudyv1.Substitution
		if i%4 == 0 {
			substitutions = []*understudyv1.Substitution{{Kind: "n", Recorded: "1", Candidate: "2", Uses: 1}, {Recorded: "3", Candidate: "4"}}
		}
		r, err := stream.ReplayRecord(names, &understudyv1.Replay{
			Run: "r", Substitutions: substitutions, Ordinal: uint64(i + 1), ClosedUnixNano: base.Add(time.Duration(i) * time.Second).UnixNano(),
			Exchange: &understudyv1.Exchange{
				Id: fmt.Sprint("e", i/copies), Recorder: "rec", Sequence: uint64(i + 1), Route: "GET /n", DurationNano: int64(time.Millisecond),
				Request: &understudyv1.Request{Method: "GET"}, Response: &understudyv1.Response{Status: 200},
			},
			Candidate: &understudyv1.Observation{Ack: &understudyv1.Response{Status: 200}, AckLatencyNano: int64(2 * time.Millisecond)},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Offset = int64(i)
		b.Records = append(b.Records, r)
	}
	return b
}

func counts(t *testing.T, conn driver.Conn) map[string]uint64 {
	t.Helper()
	got := map[string]uint64{}
	for name, query := range map[string]string{
		"comparisons":   "SELECT count() FROM comparisons",
		"differences":   "SELECT count() FROM differences",
		"substitutions": "SELECT count() FROM substitutions",
		"discrepancies": "SELECT count() FROM discrepancies",
		"noise":         "SELECT count() FROM noise",
		"minutes":       "SELECT sum(replays) FROM comparisons_by_minute",
		"places":        "SELECT sum(places) FROM differences_by_minute",
		"totals":        "SELECT sum(places) FROM difference_totals",
		"matches":       "SELECT sum(match) FROM scorecard",
		"exact text":    "SELECT count() FROM discrepancies WHERE baseline = '9007199254740993' AND candidate = '9007199254740992'",
	} {
		var n uint64
		if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		got[name] = n
	}
	return got
}

func TestARepeatedBatchLeavesNoSecondTrace(t *testing.T) {
	conn := database(t, "repeated")
	names := topic.NamesFor("")
	in := ingest(t, conn, "j", everyThird{})
	want := map[string]uint64{
		"comparisons": 240, "differences": 160, "discrepancies": 80, "noise": 80, "substitutions": 60,
		"minutes": 240, "places": 160, "totals": 160, "matches": 160, "exact text": 80,
	}
	for try := range 3 {
		for _, topicID := range []string{"a", "b"} {
			if err := in.Handle(t.Context(), batch(t, names, topicID, 120)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, counts(t, conn)); diff != "" {
			t.Errorf("after %d tries (-want +got):\n%s", try+1, diff)
		}
	}
}

// manyDifferences finds the same number in each replay, and has room for all but
// two.
type manyDifferences struct{ each int }

func (m manyDifferences) Judge(*understudyv1.Replay) comparator.Comparison {
	c := comparator.Comparison{Verdict: comparator.Mismatch, Findings: []comparator.Verdict{comparator.Mismatch}, Dropped: 2}
	for i := range m.each {
		path := fmt.Sprintf("$.n%d", i)
		c.Differences = append(c.Differences, comparator.Difference{Place: comparator.InBody, Path: path, Location: path, Kind: comparator.Value, Baseline: "1", Candidate: "2"})
	}
	return c
}

// TestABatchOfSeveralBlocks: each block of differences counts, and none twice.
func TestABatchOfSeveralBlocks(t *testing.T) {
	conn, names := database(t, "blocks"), topic.NamesFor("")
	in := ingest(t, conn, "j", manyDifferences{1000})
	for range 2 {
		if err := in.Handle(t.Context(), batch(t, names, "a", 50)); err != nil {
			t.Fatal(err)
		}
		if got := counts(t, conn); got["comparisons"] != 50 || got["differences"] != 50_000 || got["places"] != 50_000 {
			t.Errorf("got %v", got)
		}
	}
}

// TestABatchThatBrokeOffIsCompleted: the differences were written and the
// process died; the next one sends both tables.
func TestABatchThatBrokeOffIsCompleted(t *testing.T) {
	conn := database(t, "brokenoff")
	names := topic.NamesFor("")
	in := ingest(t, conn, "j", everyThird{})
	b := batch(t, names, "a", 120)
	if err := conn.Exec(t.Context(), "RENAME TABLE stored_comparisons TO away"); err != nil {
		t.Fatal(err)
	}
	if err := in.Handle(t.Context(), b); err == nil {
		t.Fatal("the insert into a missing table succeeded")
	}
	if err := conn.Exec(t.Context(), "RENAME TABLE away TO stored_comparisons"); err != nil {
		t.Fatal(err)
	}
	if err := in.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	got := counts(t, conn)
	if got["comparisons"] != 120 || got["differences"] != 80 || got["places"] != 80 {
		t.Errorf("got %v", got)
	}
}
