package audit

import (
	"testing"

	"understudy.dev/comparator"
)

// TestAFaultThatMendsAnother: where something differed already, a rule hides
// what is planted even if that is right by chance and leaves no difference.
func TestAFaultThatMendsAnother(t *testing.T) {
	p := plant{place: comparator.InBody, path: "$.links.self"}
	before := comparator.Comparison{Differences: []comparator.Difference{
		{Place: comparator.InBody, Path: "$.total", Kind: comparator.Value, Noise: "rule:totals"},
		{Place: comparator.InBody, Path: "$.links.self", Kind: comparator.Value, Noise: "rule:links"},
	}}
	if got := p.cover(before, comparator.Comparison{}); got != "rule:links" {
		t.Errorf("got %q", got)
	}
}
