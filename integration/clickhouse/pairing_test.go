package clickhouse

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// namesakes differ in five places that look like names.
type namesakes struct{}

func (namesakes) Judge(r *understudyv1.Replay) comparator.Comparison {
	n := r.GetOrdinal()
	out := comparator.Comparison{Verdict: comparator.Presumed, Findings: []comparator.Verdict{comparator.Presumed}}
	add := func(path string, baseline, candidate any) {
		out.Differences = append(out.Differences, comparator.Difference{
			Place: comparator.InBody, Path: path, Location: path, Kind: comparator.Value, Noise: "presumed:identifier",
			Baseline: fmt.Sprint(baseline), Candidate: fmt.Sprint(candidate),
		})
	}
	add("$.customer_id", fmt.Sprint("c-", n%20), fmt.Sprint("x-", n%20))
	add("$.trace", fmt.Sprint("t-", n), fmt.Sprint("u-", n)) // never again
	add("$.tenant", "acme", "other")                         // always the same
	add("$.swapped_id", fmt.Sprint("s-", n%20), fmt.Sprint("z-", n%21))
	candidate := n % 20
	if n == 77 {
		candidate = 3 // once
	}
	add("$.once_id", fmt.Sprint("o-", n%20), fmt.Sprint("p-", candidate))
	out.Totals.Presumed = len(out.Differences)
	return out
}

// TestPairings: the run proves names by their being one to one, again and again.
func TestPairings(t *testing.T) {
	conn := database(t, "pairings")
	fill(t, conn, 1)
	names := topic.NamesFor("")
	in := ingest(t, conn, "j", namesakes{})
	if err := in.Handle(t.Context(), batchOf(t, names, "pairings", 200, 3)); err != nil {
		t.Fatal(err)
	}
	got, err := report.Pairings(t.Context(), conn, "r")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]report.Pairing{{Route: "GET /n", Path: "$.customer_id", Places: 200, Pairs: 20, Repeats: 180}}, got); diff != "" {
		t.Error(diff)
	}
}
