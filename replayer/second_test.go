package replayer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	understudyv1 "understudy.dev/schemas/understudy/v1"

	"understudy.dev/replayer"
)

// TestALogOfSeconds is spread over them, always alike; what is known more
// exactly stays where it is.
func TestALogOfSeconds(t *testing.T) {
	f := func(at []time.Duration, spread uint64) []time.Duration {
		t.Helper()
		src := &source{}
		for i, d := range at {
			src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) { e.StartUnixNano = int64(1000*time.Second + d) }))
		}
		out := &sink{}
		run, err := replay(t.Context(), t, src, out, ok, func(c *replayer.Config) { c.Speed = 20 })
		if err != nil || run.Spread != spread {
			t.Errorf("%v: %d are spread, want %d", err, run.Spread, spread)
		}
		slices.SortFunc(out.replays, func(a, b *understudyv1.Replay) int { return int(a.Ordinal) - int(b.Ordinal) })
		var due []time.Duration
		for i, r := range out.replays {
			if r.Exchange.Id != fmt.Sprint("e", i) {
				t.Errorf("%s is request %d", r.Exchange.Id, i)
			}
			due = append(due, time.Duration(r.ScheduledUnixNano-out.replays[0].ScheduledUnixNano)*20)
		}
		return due
	}
	const s = time.Second
	list := make([]time.Duration, 40)
	for i := range list {
		list[i] = time.Duration(i/15) * s
	}
	first := f(list, 40)
	if diff := cmp.Diff(first, f(list, 40)); diff != "" {
		t.Errorf("the same recording is spread otherwise:\n%s", diff)
	}
	gap := slices.MaxFunc(first, func(a, b time.Duration) int { return int(a - b) })
	if gap < 2*s || gap > 3*s || !slices.IsSorted(first) || first[14] < s/2 || first[0] == first[1] {
		t.Errorf("spread to %v", first)
	}
	fine := []time.Duration{0, 0, s / 2, s}
	if diff := cmp.Diff(fine, f(fine, 0)); diff != "" {
		t.Errorf("exact times are moved:\n%s", diff)
	}
	fine = []time.Duration{0, s, 3 * s}
	if diff := cmp.Diff(fine, f(fine, 0)); diff != "" {
		t.Errorf("single seconds are moved:\n%s", diff)
	}
}
