package replayer_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestWhatKafkaHasTwiceIsReplayedOnce: a file that was imported three times, and
// beside it another of the same name whose numbers are the same.
func TestWhatKafkaHasTwiceIsReplayedOnce(t *testing.T) {
	file := func(name string, n int) (out []*understudyv1.Exchange) {
		for i := range n {
			out = append(out, exchange(i, func(e *understudyv1.Exchange) {
				e.Id, e.Recorder, e.Sequence = fmt.Sprint(name, i), "import-log", uint64(i+1)
			}))
		}
		return out
	}
	live := exchange(9, func(e *understudyv1.Exchange) {
		e.Id, e.Recorder, e.RecorderStartUnixNano, e.Sequence = "l", "web", 5, 1
	})
	next := exchange(9, func(e *understudyv1.Exchange) {
		e.Id, e.Recorder, e.RecorderStartUnixNano, e.Sequence = "m", "web", 6, 1
	})
	src, out := &source{list: slices.Concat(file("a", 3), file("a", 3), file("b", 2), []*understudyv1.Exchange{live, live, next}, file("b", 2), file("a", 3))}, &sink{}
	run, err := replay(t.Context(), t, src, out, func(http.ResponseWriter, *http.Request) {}, func(*replayer.Config) {})
	if err != nil || run.Selected != 7 || run.Unselected["repeated"] != 9 {
		t.Errorf("%v: selected %d, unselected %v", err, run.Selected, run.Unselected)
	}
	seen := map[string]int{}
	for _, r := range out.replays {
		seen[r.GetExchange().GetId()]++
	}
	for _, id := range []string{"a0", "a1", "a2", "b0", "b1", "l", "m"} {
		if seen[id] != 1 {
			t.Errorf("%s was replayed %d times", id, seen[id])
		}
	}
}
