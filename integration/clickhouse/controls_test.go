package clickhouse

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// volatile is a judge of controlled replays: a carrier whose share has moved, an
// estimate that has not (its coin falls evenly), and a member that is wrong where the baseline is steady.
type volatile struct{}

func (volatile) Judge(r *understudyv1.Replay) comparator.Comparison {
	random := rand.New(rand.NewPCG(r.GetOrdinal(), 1))
	out := comparator.Comparison{Controlled: r.GetOrdinal()%2 == 0, Verdict: comparator.Mismatch, Findings: []comparator.Verdict{comparator.Mismatch}}
	path := "$.estimate"
	if r.GetOrdinal()%10 == 1 {
		path = "$.wrong"
	}
	out.Differences = []comparator.Difference{{Place: comparator.InBody, Path: path, Location: path, Kind: comparator.Value, Baseline: "1", Candidate: "2"}}
	out.Totals.Counting = 1
	if !out.Controlled {
		return out
	}
	heads := r.GetOrdinal()%4 == 0
	out.Tosses = []comparator.Toss{
		{Path: "$.estimate", Statistic: comparator.Differs, Control: true, Candidate: true},
		{Path: "$.estimate", Statistic: comparator.Number, Heads: heads, Tails: !heads},
		{Path: "$.wrong", Statistic: comparator.Differs, Candidate: true, Heads: true},
		{Path: "$.token", Statistic: comparator.PresumedPlace, Control: true, Candidate: true},
	}
	if express := random.Float64() < 0.7; r.GetOrdinal()%4 == 0 {
		out.Tosses = append(out.Tosses,
			comparator.Toss{Path: "$.carrier", Statistic: comparator.Differs, Control: true, Candidate: true},
			comparator.Toss{Path: "$.carrier", Statistic: comparator.Share, Word: "express", Heads: express, Tails: !express},
			comparator.Toss{Path: "$.carrier", Statistic: comparator.Share, Word: "slow", Heads: !express, Tails: express})
	}
	return out
}

// TestControls: the coins of a run are exact however often its replays are
// written, and the report tells by them what differs.
func TestControls(t *testing.T) {
	conn := database(t, "controls")
	fill(t, conn, 1) // makes the run known
	names := topic.NamesFor("")
	in := ingest(t, conn, "j", volatile{})
	b := batchOf(t, names, "controls", 1200, 3)
	parts := func(ends ...int) {
		t.Helper()
		from := 0
		for _, end := range ends {
			part := stream.Batch{Topic: b.Topic, First: int64(from), End: int64(end), Records: b.Records[from:end], TopicID: b.TopicID}
			if err := in.Handle(t.Context(), part); err != nil {
				t.Fatal(err)
			}
			from = end
		}
	}
	var once report.Control
	for i, ends := range [][]int{{1200}, {500, 1200}, {7, 800, 1200}} {
		parts(ends...)
		got, err := report.LoadControl(t.Context(), conn, "r")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			once = got
		} else if diff := cmp.Diff(once.Places, got.Places); diff != "" || got.Replays != once.Replays {
			t.Errorf("written again: %s", diff)
		}
	}
	if once.Replays != 600 || len(once.Places) != 3 {
		t.Fatalf("got %+v", once)
	}
	places := map[string]report.VolatilePlace{}
	for _, p := range once.Places {
		places[p.Path] = p
	}
	// Where another name is given each time nothing is compared, so that it is neither.
	if p := places["$.token"]; p.Control != 600 || p.Both != 600 || p.Presumed != 600 || !p.Uncompared || p.Different || p.Alike || len(p.Coins) > 0 {
		t.Errorf("got %+v", p)
	}
	if different, alike, open, uncompared := once.Count(); different != 1 || alike != 1 || open != 0 || uncompared != 1 {
		t.Errorf("%d different, %d alike, %d open, %d not compared", different, alike, open, uncompared)
	}
	carrier, estimate := once.Places[0], places["$.estimate"]
	if !carrier.Different || carrier.Path != "$.carrier" || carrier.Controlled != 600 || carrier.Control != 300 || len(carrier.Coins) != 2 {
		t.Errorf("got %+v", carrier)
	}
	if estimate.Different || estimate.Coins[0].Heads+estimate.Coins[0].Tails != 600 {
		t.Errorf("got %+v", estimate)
	}
	if carrier.Alike || !estimate.Alike {
		t.Errorf("alike: carrier %v, estimate %v (%.2f)", carrier.Alike, estimate.Alike, estimate.Excess)
	}
	// This judge calls each replay a mismatch, whether it has a control or not.
	if once.Explained != 1200-120 || once.Judged != 600 || once.Mismatches != 600 || once.Lower < 0.98 || once.Upper != 1 {
		t.Errorf("%d mismatches are explained; %d of %d controlled ones, %g to %g", once.Explained, once.Mismatches, once.Judged, once.Lower, once.Upper)
	}
	if err := conn.Exec(t.Context(), `INSERT INTO stored_comparisons SELECT * REPLACE (toUInt32(1) AS differences_dropped) FROM comparisons WHERE run = 'r' AND kafka_offset IN
 (SELECT kafka_offset FROM discrepancies WHERE run = 'r' GROUP BY kafka_offset HAVING countIf(path != ?) = 0 LIMIT 1)`, estimate.Path); err != nil {
		t.Fatal(err)
	}
	if got, err := report.LoadControl(t.Context(), conn, "r"); err != nil || got.Explained != once.Explained-1 {
		t.Errorf("%d mismatches are explained though not all differences of one were kept, %v", got.Explained, err)
	}
	var word string
	if err := conn.QueryRow(t.Context(), "SELECT word FROM coins WHERE statistic = 'share' ORDER BY heads DESC LIMIT 1").Scan(&word); err != nil || word != "express" {
		t.Errorf("%q %v", word, err)
	}
}
