package evidence

import (
	"math"
	"testing"
)

func TestRate(t *testing.T) {
	f := func(hits, trials uint64, alpha, lower, upper float64) {
		t.Helper()
		got := Rate(hits, trials, alpha)
		off := func(a, b float64) bool { return math.Abs(a-b) > 1e-4*max(b, 1e-3) }
		if off(got.Lower, lower) || off(got.Upper, upper) {
			t.Errorf("%d of %d: %v, want %g to %g", hits, trials, got, lower, upper)
		}
	}
	f(0, 0, 0.05, 0, 1)
	f(3, 2, 0.05, 0, 1)
	f(1, 2, 0, 0, 1)
	f(1, 2, math.NaN(), 0, 1)
	// Without hits n·log(1−p) = log(alpha·B(½, ½+n)/π), with all of them mirrored.
	b := math.Exp(logBeta(0.5, 1000.5)) / math.Pi
	none := 1 - math.Pow(0.05*b, 1./1000)
	f(0, 1000, 0.05, 0, none)
	f(1000, 1000, 0.05, 1-none, 1)
	for _, n := range []uint64{1, 10, 1000, 1 << 40} {
		for _, h := range []uint64{0, n / 1000, n / 3, n} {
			wide, narrow := Rate(h, n, 0.01), Rate(h, n, 0.1)
			p := float64(h) / float64(n)
			if !(wide.Lower <= narrow.Lower && narrow.Lower <= p && p <= narrow.Upper && narrow.Upper <= wide.Upper) {
				t.Errorf("%d of %d: %v within %v", h, n, narrow, wide)
			}
		}
	}
	if got := Rate(100_000, 100_000_000, 0.05); got.Upper-got.Lower > 4e-5 || got.Upper < 0.001 {
		t.Errorf("one in a thousand of 100 million: %v", got)
	}
}

// TestNeeded: one trial fewer does not show it.
func TestNeeded(t *testing.T) {
	for _, limit := range []float64{1e-6, 1e-3, 0.01, 0.3, 0.5, 0.9, 0.999} {
		for _, alpha := range []float64{0.5, 0.05, 1e-6} {
			n := Needed(limit, alpha)
			if Rate(0, n, alpha).Upper >= limit || n > 1 && Rate(0, n-1, alpha).Upper < limit {
				t.Errorf("%g at %g: %d", limit, alpha, n)
			}
		}
	}
	for _, never := range []uint64{Needed(0, 0.05), Needed(-1, 0.05), Needed(math.NaN(), 0.05), Needed(0.1, 0), Needed(0.1, 1), Needed(5e-324, 0.05)} {
		if never != math.MaxUint64 {
			t.Errorf("%d trials show what nothing can", never)
		}
	}
	if n := Needed(1, 0.05); n != 1 {
		t.Errorf("%d trials for a limit of 1", n)
	}
}

// Bounds of a rate hold at all moments at once: how probable it is that it ever
// lies outside is computed, not drawn.
func TestCoverage(t *testing.T) {
	const alpha, trials = 0.05, 1000
	limit := math.Log(1 / alpha)
	f := func(rate float64) {
		t.Helper()
		missed := 0.
		// of[h] is how probable h hits are of n trials, and never outside so far.
		of := make([]float64, trials+1)
		of[0] = 1
		for n := 1; n <= trials; n++ {
			for h := n; h >= 0; h-- {
				of[h] *= 1 - rate
				if h > 0 {
					of[h] += of[h-1] * rate
				}
			}
			for h := range n + 1 {
				if of[h] < 1e-20 {
					of[h] = 0 // as improbable as it is slow
					continue
				}
				hits, misses := float64(h), float64(n-h)
				if logStake(hits, misses)-logLikelihood(hits, misses, rate) < limit {
					continue
				}
				missed += of[h]
				of[h] = 0
				if b := Rate(uint64(h), uint64(n), alpha); n%100 == 0 && rate > b.Lower && rate < b.Upper {
					t.Fatalf("%d of %d: %v", h, n, b)
				}
			}
		}
		t.Logf("a rate of %g is outside within %d trials in %.1f %%", rate, trials, 100*missed)
		if missed > alpha {
			t.Errorf("a rate of %g: more than %g", rate, alpha)
		}
	}
	f(0.002)
	f(0.05)
	f(0.5)
	f(0.97)
}

func BenchmarkRate(b *testing.B) {
	for b.Loop() {
		Rate(37, 41_000, 0.05)
	}
}

// The bound of what a coin may hide: wide at first, narrow with trials, and never
// below what is true.
func TestExcess(t *testing.T) {
	f := func(c Coin, trials uint64, from, to float64) {
		t.Helper()
		got, mirrored := c.Excess(trials, 0.05), Coin{c.Tails, c.Heads}.Excess(trials, 0.05)
		if math.Abs(got-mirrored) > 1e-12 || !(got >= from && got <= to) {
			t.Errorf("%v of %d: %g, mirrored %g, want %g to %g", c, trials, got, mirrored, from, to)
		}
	}
	f(Coin{}, 0, 1, 1)
	f(Coin{10, 10}, 20, .5, 1)
	f(Coin{350, 350}, 700, .08, .2)
	f(Coin{5000, 5000}, 10_000, .02, .06)
	f(Coin{420, 280}, 700, .2, .35) // 20 points are there
	f(Coin{0, 0}, 1000, 0, .02)     // never tossed though it could have been
	f(Coin{20, 20}, 10_000, 0, .01) // seldom tossed
	f(Coin{3, 0}, 2, 1, 1)          // more tosses than trials are no counts
}
