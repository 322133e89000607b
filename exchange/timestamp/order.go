package timestamp

import (
	"cmp"
	"slices"
	"time"
)

// Order is how the times of one answer lie to each other on either side. Clocks
// of two systems may differ; two times of one system tell which came first
// without a common clock. The zero value is ready.
type Order struct{ pairs []placed }

// MaxOrder is how many times of one answer an Order holds.
const MaxOrder = 100_000

// placed are two times that are tied to one moment.
type placed struct {
	Pair
	grain time.Duration
	// asked: both were made, or reckoned, while their side worked on the request.
	asked bool
}

// Pair are two moments, in nanoseconds since 1970.
type Pair struct{ Baseline, Candidate int64 }

// PairOf are the moments of two times.
func PairOf(baseline, candidate Time) Pair { return Pair{baseline.UnixNano(), candidate.UnixNano()} }

// Add adds two times that are tied to one moment; shown: by what was known of them
// before the request. Days, and what was known to lie ahead, have no order: at
// another speed what was set earlier passes what is set now. It returns false if
// there is no room.
func (o *Order) Add(f *Frame, baseline, candidate Time, shown bool) bool {
	if baseline.Style.IsDay() || shown && (isLater(baseline, f.Baseline) || isLater(candidate, f.Candidate)) {
		return true
	}
	if len(o.pairs) >= MaxOrder {
		return false
	}
	o.pairs = append(o.pairs, placed{
		PairOf(baseline, candidate), grain(baseline, candidate), !shown && !isEarlier(baseline, f.Baseline) && !isEarlier(candidate, f.Candidate),
	})
	return true
}

// grain is what two times tell apart: their precision, and a second if they are
// whole seconds, as a database may cut them before they are written finer.
func grain(baseline, candidate Time) time.Duration {
	p := baseline.Style.Precision()
	if baseline.Nanosecond() == 0 && candidate.Nanosecond() == 0 {
		return max(p, time.Second)
	}
	return p
}

// Broken are the pairs that contradict another of their answer, and which one: what
// came first on one side comes last on the other, or it lies further from it
// than the time that the sides took, and clocks within one system, explain.
func (o *Order) Broken(f *Frame) map[Pair]Pair {
	if len(o.pairs) < 2 {
		return nil
	}
	out := map[Pair]Pair{}
	o.moved(f, out)
	slices.SortFunc(o.pairs, func(a, b placed) int { return cmp.Compare(a.grain, b.grain) })
	if o.pairs[0].grain != o.pairs[len(o.pairs)-1].grain {
		turned(o.pairs, out, func(p placed) int64 { return int64(p.grain) })
	}
	// What is cut or rounded alike keeps its order to the last digit.
	for from := 0; from < len(o.pairs); {
		to := from + 1
		for to < len(o.pairs) && o.pairs[to].grain == o.pairs[from].grain {
			to++
		}
		turned(o.pairs[from:to], out, func(placed) int64 { return 0 })
		from = to
	}
	return out
}

// turned finds the pairs that come before another one on one side and after it on
// the other; unsure is how far the moment of a time may lie from what it says.
func turned(pairs []placed, out map[Pair]Pair, unsure func(placed) int64) {
	for _, sign := range [...]int64{1, -1} { // those that came too early, and those too late
		starts, ends := slices.Clone(pairs), slices.Clone(pairs)
		from := func(p placed) int64 { return sign*p.Baseline - unsure(p) }
		to := func(p placed) int64 { return sign*p.Baseline + unsure(p) }
		slices.SortFunc(starts, func(a, b placed) int { return cmp.Compare(from(a), from(b)) })
		slices.SortFunc(ends, func(a, b placed) int { return cmp.Compare(to(a), to(b)) })
		n, latest, last := 0, int64(0), Pair{}
		for _, p := range starts {
			for ; n < len(ends) && to(ends[n]) < from(p); n++ {
				if at := sign*ends[n].Candidate - unsure(ends[n]); last == (Pair{}) || at > latest {
					latest, last = at, ends[n].Pair
				}
			}
			if last != (Pair{}) && latest > sign*p.Candidate+unsure(p) {
				out[p.Pair] = last
			}
		}
	}
}

// uneven is how differently two sides that take equally long may spread their work
// over that time.
const uneven = time.Second / 2

// moved finds the pairs that were made or reckoned for the request and of which one
// lies further from another than on the other side. That a side took longer, or
// set it at another moment of its work, explains some of it.
func (o *Order) moved(f *Frame, out map[Pair]Pair) {
	took, other := f.Baseline.To.Sub(f.Baseline.From), f.Candidate.To.Sub(f.Candidate.From)
	bound := int64(min(took+other+unsteady, (took-other).Abs()+uneven))
	apart := f.Candidate.From.UnixNano() - f.Baseline.From.UnixNano()
	late := func(p placed) int64 { return p.Candidate - p.Baseline - apart }
	var least, most placed
	for i, p := range o.pairs {
		if !p.asked {
			continue
		}
		if least.grain == 0 || late(p)+int64(p.grain) < late(least)+int64(least.grain) {
			least = o.pairs[i]
		}
		if most.grain == 0 || late(p)-int64(p.grain) > late(most)-int64(most.grain) {
			most = o.pairs[i]
		}
	}
	for _, p := range o.pairs {
		switch grain := int64(p.grain); {
		case !p.asked:
		case late(p)-grain > late(least)+int64(least.grain)+bound:
			out[p.Pair] = least.Pair
		case late(p)+grain < late(most)-int64(most.grain)-bound:
			out[p.Pair] = most.Pair
		}
	}
}
