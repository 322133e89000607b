package face

import (
	"fmt"
	"testing"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestAccepted: an address leads to who has accepted it, and so does what is
// below it; so does a key, in its session and route. The oldest are forgotten.
func TestAccepted(t *testing.T) {
	const baseline, candidate = understudyv1.Side_SIDE_BASELINE, understudyv1.Side_SIDE_CANDIDATE
	a := NewAccepted(5)
	f := func(want understudyv1.Side, target, key string) {
		t.Helper()
		if side, ok := a.Side("s", "POST /orders", target, key); side != want || ok != (want != 0) {
			t.Errorf("%s %q: got %v %v", target, key, side, ok)
		}
	}
	f(0, "/jobs/7", "k")
	a.NoteAddress("http://shop:80/jobs/7/?token=x#y", candidate)
	a.NoteAddress("/jobs/8", baseline)
	a.NoteAddress("", candidate)
	a.NoteAddress("/", candidate)
	a.NoteAddress("http://shop", candidate)
	a.NoteKey("s", "POST /orders", "k", candidate)
	f(candidate, "/jobs/7", "")
	f(candidate, "/jobs/7?wait=1", "")
	f(candidate, "/jobs/7/results/1", "")
	f(0, "/jobs/7/a/b/c", "")
	f(0, "/jobs", "")
	f(0, "/jobs/77", "")
	f(0, "", "")
	f(0, "*", "")
	f(baseline, "/jobs/8/", "")
	f(candidate, "/orders", "k")
	f(0, "/orders", "other")
	a.NoteAddress("/jobs/8", candidate)
	f(candidate, "/jobs/8", "")
	if side, ok := a.Side("another", "POST /orders", "/orders", "k"); ok {
		t.Errorf("another session's key leads to %v", side)
	}
	for i := range 4 {
		a.NoteAddress(fmt.Sprint("/more/", i), baseline)
	}
	f(0, "/jobs/7", "")
	f(candidate, "/jobs/8", "") // it was said again
	if len(a.sides) != 5 || a.order.Len() != 5 {
		t.Errorf("%d and %d are remembered", len(a.sides), a.order.Len())
	}
}
