package explain

import (
	"testing"

	"understudy.dev/exchange/names"
)

// TestSecretsAreNotShown: names that let in are secrets by their kind.
func TestSecretsAreNotShown(t *testing.T) {
	p := names.Pair{Kind: "reset_token", Baseline: names.Value{Text: "hunter2"}, Candidate: names.Value{Text: "hunter3"}, Proof: names.Created}
	if n := nameOf(p); n.Recorded != secret || n.Candidate != secret {
		t.Errorf("shown: %+v", n)
	}
}
