package replayer_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestTheCandidatesAnswerIsNotTheBaselines: what a gateway had served by the
// candidate is not sent, not compared, and counted.
func TestTheCandidatesAnswerIsNotTheBaselines(t *testing.T) {
	by := func(side understudyv1.Side) func(*understudyv1.Exchange) {
		return func(e *understudyv1.Exchange) { e.ServedBy = side }
	}
	src := &source{list: []*understudyv1.Exchange{
		exchange(0, by(understudyv1.Side_SIDE_BASELINE)), exchange(1, by(understudyv1.Side_SIDE_CANDIDATE)), exchange(2), // of before there were gateways
	}}
	var asked atomic.Int32
	out := &sink{}
	run, err := replay(t.Context(), t, src, out, func(http.ResponseWriter, *http.Request) { asked.Add(1) }, func(c *replayer.Config) { c.Speed = 100 })
	if err != nil || asked.Load() != 2 || run.Replayed != 2 || run.Skipped["served_by_candidate"] != 1 || run.Selected != 3 {
		t.Errorf("%v: asked %d times, replayed %d, skipped %v", err, asked.Load(), run.Replayed, run.Skipped)
	}
	for _, r := range out.replays {
		if (r.GetSkipped() != "") != (r.GetExchange().GetServedBy() == understudyv1.Side_SIDE_CANDIDATE) {
			t.Errorf("%s: skipped %q", r.GetExchange().GetId(), r.GetSkipped())
		}
	}
}
