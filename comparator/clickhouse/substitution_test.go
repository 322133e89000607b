package clickhouse

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestSubstitutionRows: what only occurs in an answer has none.
func TestSubstitutionRows(t *testing.T) {
	r := replay()
	r.Substitutions = []*understudyv1.Substitution{
		{Kind: "order", Recorded: "17", Candidate: "u-7", LearnedFrom: "e1", Uses: 2, Proof: understudyv1.Substitution_PROOF_CREATED},
		{Kind: "order", Recorded: "18", Candidate: "u-8", LearnedFrom: "e2"},
		{Kind: "order", Recorded: "19", Candidate: "u-8", LearnedFrom: "e3", BrokenBy: "e2", Proof: understudyv1.Substitution_PROOF_ALIGNED},
	}
	base := substitutionRow{Run: "r", ExchangeID: "id", Ordinal: 4, Route: "POST /orders", Kind: "order", ClosedTime: at64(500), KafkaPartition: 3, KafkaOffset: 77, TopicID: "topic"}
	used, broken := base, base
	used.Recorded, used.Candidate, used.Proof, used.Uses, used.LearnedFrom = "17", "u-7", "created", 2, "e1"
	broken.Recorded, broken.Candidate, broken.Proof, broken.LearnedFrom, broken.BrokenBy, broken.Number = "19", "u-8", "aligned", "e3", "e2", 2
	if diff := cmp.Diff([]*substitutionRow{&used, &broken}, toSubstitutions(r, at)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
