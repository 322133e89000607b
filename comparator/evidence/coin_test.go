package evidence

import (
	"math"
	"testing"
)

// A bet on a fair coin is fair: what it is worth now is the mean of what it can
// be worth after the next toss.
func TestMartingale(t *testing.T) {
	for h := uint64(0); h < 60; h++ {
		for n := uint64(0); n < 60; n++ {
			now := math.Exp(Coin{h, n}.LogE())
			next := (math.Exp(Coin{h + 1, n}.LogE()) + math.Exp(Coin{h, n + 1}.LogE())) / 2
			if math.Abs(next-now) > 1e-9*now {
				t.Fatalf("%d:%d is worth %g, and %g in the mean of the next toss", h, n, now, next)
			}
		}
	}
}

func TestLogE(t *testing.T) {
	f := func(heads, tails uint64, from, to float64) {
		t.Helper()
		got, other := Coin{heads, tails}.LogE(), Coin{tails, heads}.LogE()
		if got != other || !(got >= from && got <= to) {
			t.Errorf("%d:%d: %g, mirrored %g, want one of %g to %g", heads, tails, got, other, from, to)
		}
	}
	f(0, 0, 0, 0)
	f(1, 0, -1e-12, 1e-12) // the first toss says nothing of either side
	f(15, 0, math.Log(200), math.Log(2000))
	f(500, 500, -3, -1)
	f(220, 130, 7, 12)
	f(50_000_000, 50_000_000, -12, -5)
	f(1<<40, 1<<40, -16, -8) // huge counts lose digits, not their sign
	f(1<<40, 0, 1<<39, 1<<40)
}

func TestLogMean(t *testing.T) {
	f := func(want float64, logs ...float64) {
		t.Helper()
		if got := LogMean(logs...); math.Abs(got-want) > 1e-12 && got != want {
			t.Errorf("%v: %g, want %g", logs, got, want)
		}
	}
	f(0)
	f(3, 3)
	f(math.Log(2.5), math.Log(4), 0)
	f(2000-math.Ln2, 2000, -2000) // no overflow
	f(math.Inf(-1), math.Inf(-1), math.Inf(-1))
}

func BenchmarkLogE(b *testing.B) {
	for b.Loop() {
		Coin{220, 130}.LogE()
	}
}
