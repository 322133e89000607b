package evidence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	runs     = 1000
	pairs    = 700 // controlled pairs of a run
	promised = 0.05
)

// watched is a volatile place of a run: it draws one answer of a control and one
// of the candidate and tosses the coins for which they differ.
type watched func(r *rand.Rand, coins *[3]Coin)

// number is a number of this mean and, on both sides, a spread (standard
// deviation) of a quarter of the unshifted mean.
func number(mean float64) watched {
	return func(r *rand.Rand, coins *[3]Coin) {
		control, candidate := 100+25*r.NormFloat64(), 100*mean+25*r.NormFloat64()
		toss(&coins[0], candidate > control)
	}
}

// share is one of two words, each a coin of its own, and the place one for which
// side differs from a recording that was drawn like the control.
func share(of float64) watched {
	return func(r *rand.Rand, coins *[3]Coin) {
		recorded, control, candidate := r.Float64() < .5, r.Float64() < .5, r.Float64() < of
		if control != candidate {
			toss(&coins[0], candidate)
			toss(&coins[1], control)
			toss(&coins[2], candidate != recorded)
		}
	}
}

// presence is a member that is there or not.
func presence(of float64) watched {
	return func(r *rand.Rand, coins *[3]Coin) {
		recorded, control, candidate := r.Float64() < .5, r.Float64() < .5, r.Float64() < of
		if control != candidate {
			toss(&coins[0], candidate)
			toss(&coins[1], candidate != recorded)
		}
	}
}

func toss(c *Coin, heads bool) {
	if heads {
		c.Heads++
	} else {
		c.Tails++
	}
}

// called runs systems with these places, looks after each pair, and counts how
// many runs have ever called one different; at is after how many pairs, in the
// mean of those.
func called(seed uint64, places ...watched) (found, at float64) {
	var known [pairs + 1][pairs + 1]float64
	value := func(c Coin) float64 {
		l := &known[c.Heads][c.Tails]
		if *l == 0 {
			*l = c.LogE()
		}
		return *l
	}
	least := math.Log(1 / promised) // nothing is a discovery below it
	r := rand.New(rand.NewPCG(seed, 0))
	for range runs {
		coins := make([][3]Coin, len(places))
		logs := make([]float64, len(places))
		for n := 1; n <= pairs; n++ {
			for i, p := range places {
				p(r, &coins[i])
				var tossed [3]float64
				k := 0
				for _, c := range coins[i] {
					if c != (Coin{}) {
						tossed[k] = value(c)
						k++
					}
				}
				logs[i] = LogMean(tossed[:k]...)
			}
			if slices.Max(logs) >= least && len(Discoveries(logs, promised)) > 0 {
				found++
				at += float64(n)
				break
			}
		}
	}
	return found / runs, at / max(found, 1)
}

// Equal systems under continuous looks: a place is called different in at most
// the promised share of the runs.
func TestEqualSystems(t *testing.T) {
	f := func(name string, places ...watched) {
		t.Helper()
		got, _ := called(1, places...)
		t.Logf("%s: %.1f %% of %d runs call a place different", name, 100*got, runs)
		if got > promised {
			t.Errorf("%s: more than %g", name, promised)
		}
	}
	f("a number", number(1))
	f("a share", share(.5))
	f("a presence", presence(.5))
	f("nine places", number(1), share(.5), presence(.5), number(1), share(.5), presence(.5), number(1), share(.5), presence(.5))
}

// Shifts that the project promises to find within the controlled pairs of a run.
func TestShifts(t *testing.T) {
	f := func(name string, least float64, places ...watched) {
		t.Helper()
		got, at := called(2, places...)
		t.Logf("%s: found in %.1f %%, after %.0f pairs in the mean", name, 100*got, at)
		if got < least {
			t.Errorf("%s: less than %g", name, least)
		}
	}
	f("a mean 10 % higher", .95, number(1.1))
	f("a mean 10 % lower", .95, number(.9))
	f("a share of .64", .95, share(.64))
	f("a presence of .36", .95, presence(.36))
	f("a presence of .36 among nine places", .8, presence(.36), number(1), share(.5), presence(.5), number(1), share(.5), presence(.5), number(1), share(.5))
}
