package evidence

import "math"

// Bounds are what a rate lies between.
type Bounds struct {
	Lower, Upper float64
}

// prior is the shape of the Beta distribution (both parameters) of the bets
// against a rate. A half loses least where rates of failure lie, near 0.
const prior = 0.5

// Rate bounds the rate of which hits were seen in so many trials: of mismatches,
// or of requests over a limit of latency. The true rate lies within the bounds at
// all moments at once with a probability of at least 1−alpha, however often they
// are looked at and whatever decides when to stop; so a gate may wait for the one
// bound or the other to cross its limit.
//
// They are the rates against which a bet, mixed over a Beta distribution, has not
// earned 1/alpha: a confidence sequence (Robbins 1970; Howard, Ramdas, McAuliffe
// and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
// 2021). Trials must be independent, or at least each have that rate whatever
// came before. Without trials, and unless 0 < alpha < 1, the bounds are 0 and 1.
func Rate(hits, trials uint64, alpha float64) Bounds {
	if trials == 0 || hits > trials || !(alpha > 0 && alpha < 1) {
		return Bounds{0, 1}
	}
	h, m := float64(hits), float64(trials-hits)
	stake, limit := logStake(h, m), math.Log(1/alpha)
	// What is earned falls towards the observed rate and rises beyond it.
	excluded := func(p float64) bool { return stake-logLikelihood(h, m, p) >= limit }
	observed := h / (h + m)
	b := Bounds{Lower: 0, Upper: 1}
	if excluded(0) {
		b.Lower = edge(0, observed, excluded)
	}
	if excluded(1) {
		b.Upper = edge(1, observed, excluded)
	}
	return b
}

// Needed is how many trials without a hit it takes until the upper bound of Rate
// lies under limit: with fewer nothing can show that a rate is under it. It is 1 for
// a limit of 1 or more, and the greatest number there is for one that nothing can
// show: 0 or less, or unless 0 < alpha < 1.
func Needed(limit, alpha float64) uint64 {
	if !(limit > 0 && alpha > 0 && alpha < 1) {
		return math.MaxUint64
	}
	shown := func(trials uint64) bool {
		n := float64(trials)
		return limit >= 1 || logStake(0, n)-logLikelihood(0, n, limit) > math.Log(1/alpha)
	}
	enough := uint64(1)
	for !shown(enough) {
		if enough >= 1<<62 {
			return math.MaxUint64
		}
		enough *= 2
	}
	for few := enough / 2; enough-few > 1; {
		if middle := few + (enough-few)/2; shown(middle) {
			enough = middle
		} else {
			few = middle
		}
	}
	return enough
}

// Excess bounds by how much the coin's two sides may differ, as a share of so many
// trials in which it could have been tossed: the rate of either side is at most
// that much above the other's, at all moments at once with a probability of at
// least 1−alpha. It is 1, which says nothing, as long as there are few trials, and
// without alpha being between 0 and 1. What a Coin's e-value does not show to
// differ may still do so within this bound.
func (c Coin) Excess(trials uint64, alpha float64) float64 {
	tosses := c.Heads + c.Tails
	heads, tossed := Rate(c.Heads, tosses, alpha/2), Rate(tosses, trials, alpha/2)
	return max(2*heads.Upper-1, 1-2*heads.Lower) * tossed.Upper
}

// logStake is the likelihood of the trials under the mixture, logLikelihood that
// under one rate, both as logarithms; a bet against the rate earns their ratio.
func logStake(hits, misses float64) float64 {
	return logBeta(prior+hits, prior+misses) - logBeta(prior, prior)
}

func logLikelihood(hits, misses, rate float64) float64 {
	return xlogy(hits, rate) + xlogy(misses, 1-rate)
}

// edge is the last excluded number from out, which is excluded, towards in, which
// is not.
func edge(out, in float64, excluded func(float64) bool) float64 {
	for {
		middle := out + (in-out)/2
		switch {
		case middle == out || middle == in:
			return out
		case excluded(middle):
			out = middle
		default:
			in = middle
		}
	}
}

// xlogy is x·log(y), and 0 where x is 0.
func xlogy(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}
