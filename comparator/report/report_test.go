package report

import (
	"strings"
	"testing"

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

func TestBalanceCloses(t *testing.T) {
	f := func(want bool, change func(*Balance)) {
		t.Helper()
		b := Balance{
			Selected: 10, Replayed: 8, Skipped: 2, Orphans: 1, Written: 11, Judged: 8, JudgedSkipped: 2, JudgedOrphans: 1,
			Recorders: []RecorderBalance{{Served: 10, Recorded: 7, Pending: 1, Dropped: map[string]uint64{"full": 2}}},
		}
		change(&b)
		if b.Check(); b.Holds != want || b.Holds != (len(b.Broken) == 0) {
			t.Errorf("got %+v", b)
		}
	}
	f(true, func(*Balance) {})
	f(true, func(b *Balance) { b.Recorders = nil })
	f(false, func(b *Balance) { b.Selected++ })
	f(false, func(b *Balance) { b.Written-- })
	f(false, func(b *Balance) { b.Judged-- })
	f(false, func(b *Balance) { b.JudgedSkipped++ })
	f(false, func(b *Balance) { b.JudgedOrphans++ })
	f(false, func(b *Balance) { b.Recorders[0].Served++ })

	b := Balance{Selected: 10, Replayed: 7, Skipped: 2, Written: 10, Judged: 7, JudgedSkipped: 2, SkippedBy: map[string]uint64{"unsafe": 2}}
	b.Check()
	want := []string{
		"selected 10 ≠ replayed 7 + skipped 2 (unsafe 2): 1 missing",
		"written 10 ≠ replayed 7 + skipped 2 + orphans 0: 1 missing",
	}
	if diff := cmp.Diff(want, b.Broken); diff != "" {
		t.Error(diff)
	}
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
