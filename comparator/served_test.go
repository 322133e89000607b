package comparator_test

import (
	"testing"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestTheCandidateIsNoBaseline: two answers of the candidate that are the same
// say nothing, whoever has put them into one replay.
func TestTheCandidateIsNoBaseline(t *testing.T) {
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	r := immediate(response(200, `{"a":1}`), response(200, `{"a":1}`))
	if got := j.Judge(r).Verdict; got != comparator.Match {
		t.Fatalf("got %s before", got)
	}
	r.Exchange.ServedBy = understudyv1.Side_SIDE_CANDIDATE
	if got := j.Judge(r); got.Verdict != comparator.Incomplete || got.Incomplete == "" {
		t.Errorf("got %s (%q)", got.Verdict, got.Incomplete)
	}
}
