package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClean(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := Clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("plain ü 😀 日本", "plain ü 😀 日本")
	f("\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`)
	f("a\nb\tc\r", `a\nb\tc\r`)
	f("\u009b31m", `\u009b31m`)
	f("\u202etxt.exe", `\u202etxt.exe`)
	f("\xff\xc3", `\xff\xc3`)
	f("\uFFFD", `\ufffd`)
}

func TestSlow(t *testing.T) {
	f := func(baseline, candidate Millis, want bool) {
		t.Helper()
		for _, l := range []Latency{
			{BaselineP99: baseline, AckP99: candidate, CompletionP99: candidate},
			{BaselineP99: baseline, AckP99: candidate}, // no completion of its own
			{BaselineP99: baseline, AckP99: 0.1, CompletionP99: candidate, Asynchronous: 1},
		} {
			if got := DefaultOptions().slow(l); got != want {
				t.Errorf("%+v: got %v", l, got)
			}
		}
	}
	f(200, 401, true)
	f(200, 400, false)
	f(1, 101, false)
	f(1, 102, true)
	f(200, Never, true)
	f(0, 500, false) // nothing to compare with
}

// TestEquations: each fault of a balance is in one of its equations, which are
// those of the views.
func TestEquations(t *testing.T) {
	f := func(change func(*Balance), want ...string) {
		t.Helper()
		b := Balance{
			Selected: 10, Replayed: 8, Skipped: 2, Orphans: 1, Written: 11, Judged: 8, JudgedSkipped: 2, JudgedOrphans: 1,
			Recorders: []RecorderBalance{{Recorder: "w", Served: 10, Recorded: 7, Pending: 1, Dropped: map[string]uint64{"full": 2}}},
		}
		change(&b)
		var got []string
		for _, e := range b.Equations() {
			if !e.Holds() {
				got = append(got, e.String())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(func(*Balance) {})
	f(func(b *Balance) { b.Recorders = nil })
	f(func(b *Balance) { b.Selected++; b.SkippedBy = map[string]uint64{"unsafe": 2} }, "selected 11 ≠ replayed 8 + skipped 2 (unsafe 2): 1 missing")
	f(func(b *Balance) { b.Written-- }, "written 10 ≠ replayed 8 + skipped 2 + orphans 1: 1 too many")
	f(func(b *Balance) { b.Judged-- }, "replayed 8 ≠ sum of verdicts 7: 1 missing")
	f(func(b *Balance) { b.JudgedSkipped++ }, "skipped 2 ≠ judged as skipped 3: 1 too many")
	f(func(b *Balance) { b.JudgedOrphans++ }, "orphans 1 ≠ judged as orphan 2: 1 too many")
	f(func(b *Balance) { b.Recorders[0].Served++ }, "recorder w: served 11 ≠ recorded 7 + dropped 2 (full 2) + pending 1: 1 missing")
	life := func(state string, stored, records, highest uint64) func(b *Balance) {
		return func(b *Balance) {
			r := &b.Recorders[0]
			r.State, r.Start, r.Stored, r.Records, r.Highest = state, time.Unix(1, 0), stored, records, highest
		}
	}
	f(life("running", 5, 5, 12))
	f(life("ended", 0, 0, 0), "recorder w: recorded 7 ≠ stored 0: 7 missing", "recorder w: pending at its end 1 ≠ none 0: 1 missing")
	f(life("unheard", 7, 7, 10), "recorder w: ends without a last word 1 ≠ none 0: 1 missing")
	killed := func(stored, records, highest uint64) func(b *Balance) {
		return func(b *Balance) {
			life("killed", stored, records, highest)(b)
			b.Recorders[0].Pending, b.Recorders[0].Dropped = 0, map[string]uint64{"killed": 3}
		}
	}
	f(killed(7, 7, 10))
	f(killed(10, 10, 10))
	f(killed(11, 12, 13), "recorder w: stored 11 ≠ recorded 7 + killed, but in Kafka 3: 1 missing",
		"recorder w: numbers beyond those served 3 ≠ none 0: 3 missing", "recorder w: records written twice 1 ≠ none 0: 1 missing")
	f(killed(6, 6, 10), "recorder w: stored 6 ≠ recorded 7 + killed, but in Kafka 0: 1 too many")
}

func TestOptionsAreChecked(t *testing.T) {
	if err := DefaultOptions().Validate(); err != nil {
		t.Error(err)
	}
	err := Options{Top: 0, SlowRatio: 0.5}.Validate()
	if err == nil || !strings.Contains(err.Error(), "top") || !strings.Contains(err.Error(), "slow_ratio") {
		t.Errorf("got %v", err)
	}
}

func TestCount(t *testing.T) {
	f := func(n uint64, want string) {
		t.Helper()
		if got := Count(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(0, "0")
	f(999, "999")
	f(1000, "1,000")
	f(1234567, "1,234,567")
}
