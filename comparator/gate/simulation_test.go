package gate_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"understudy.dev/comparator/evidence"
	"understudy.dev/comparator/gate"
)

// simulationsVar sets how many migrations of each kind are simulated.
const simulationsVar = "UNDERSTUDY_GATE_SIMULATIONS"

// Migrations that are simulated: six routes, of which the last one is rare and
// begins late, three measures, and a look after each request.
var (
	traffic = []float64{.50, .24, .12, .08, .05, .01}
	limits  = []float64{.01, .01, .05} // mismatch, lost, latency
)

const (
	confidence = .95
	requests   = 20_000
	lateStart  = 4_000
)

// simulated is the policy of the simulation; every route must have minimum.
func simulated(minimum uint64) gate.Policy {
	p := gate.Policy{Confidence: "95%", Minimum: minimum}
	p.Limits = gate.Limits{
		Mismatch: "1%", Lost: "1%", Rejected: "100%", Error: "100%", Contradictory: "100%", Duplicate: "100%", Late: "100%", OutOfOrder: "100%",
		Latency: []gate.Latency{{Over: time.Second, Share: "5%"}},
	}
	return p
}

// cell is one measure of one route, or of all: with so many hits it rolls back up to
// so many requests, and is promoted from so many on. It says the same as the bounds,
// but is asked after each of many million requests.
type cell struct {
	limit, alpha float64
	until, from  []uint64 // by hits
}

func (c *cell) upTo(hits uint64) {
	for h := uint64(len(c.until)); h <= hits; h++ {
		most := uint64(1)
		if h == 0 {
			c.until = append(c.until, 0)
		} else {
			most = c.from[h-1]
			c.until = append(c.until, first(max(h, c.until[h-1]), func(n uint64) bool { return evidence.Rate(h, n, c.alpha).Lower <= c.limit })-1)
		}
		c.from = append(c.from, first(most, func(n uint64) bool { return evidence.Rate(h, n, 1-confidence).Upper < c.limit }))
	}
}

// first is the least n, from so many on, for which holds is true, and goes on to be.
func first(n uint64, holds func(uint64) bool) uint64 {
	if holds(n) {
		return n
	}
	step := uint64(1)
	for !holds(n + step) {
		n, step = n+step, 2*step
	}
	for high := n + step; ; {
		middle := n + (high-n)/2
		switch {
		case middle == n:
			return high
		case holds(middle):
			high = middle
		default:
			n = middle
		}
	}
}

// world knows what decides, for all migrations of one kind.
type world struct {
	cells   [][]cell // total, then routes in the order of their first request
	needed  []uint64
	minimum uint64
}

func newWorld() *world {
	w := &world{}
	for place := 1; place <= len(traffic)+1; place++ {
		var row []cell
		for _, l := range limits {
			row = append(row, cell{limit: l, alpha: (1 - confidence) / float64(place) / float64(place+1) / float64(len(limits))})
		}
		w.cells = append(w.cells, row)
	}
	for _, l := range limits {
		w.needed = append(w.needed, evidence.Needed(l, 1-confidence))
	}
	return w
}

// state of a unit.
type state struct {
	n    uint64
	hits [3]uint64
}

// look says whether a unit rolls back, and whether it stands in no way of a
// promotion.
func (w *world) look(place int, s *state, total bool) (rolls, passes bool) {
	passes = total || s.n >= w.minimum
	for m := range limits {
		c := &w.cells[place][m]
		h := s.hits[m]
		c.upTo(h)
		rolls = rolls || s.n <= c.until[h]
		passes = passes && (s.n >= c.from[h] || !total && s.n < w.needed[m])
	}
	return rolls, passes
}

// outcome of a migration: after how many requests it was decided first, 0 is never.
type outcome struct{ promoted, rolledBack int }

// migrate simulates one; rates are those of each route for each measure. The gate
// itself is asked whenever something is decided, and sometimes when nothing is.
func (w *world) migrate(t *testing.T, r *rand.Rand, rates [][3]float64) (o outcome) {
	units := make([]state, len(traffic)+1)
	place := make([]int, len(traffic)) // by first request; 0 is not seen
	begun := make([]uint64, len(traffic))
	seen, open := 0, 0
	passes := make([]bool, len(traffic)+1)
	for n := 1; n <= requests && o == (outcome{}); n++ {
		i := pick(r, n)
		if place[i] == 0 {
			seen++
			place[i], begun[i] = seen, uint64(n)
			open++
		}
		var hits [3]bool
		for m := range hits {
			hits[m] = r.Float64() < rates[i][m]
		}
		hits[2] = hits[2] || hits[1] // what is lost takes longer
		rolls := false
		for _, at := range []int{0, place[i]} {
			u := &units[at]
			u.n++
			for m, hit := range hits {
				if hit {
					u.hits[m]++
				}
			}
			back, ok := w.look(at, u, at == 0)
			rolls = rolls || back
			if at > 0 && ok != passes[at] {
				open += map[bool]int{true: -1, false: 1}[ok]
			}
			passes[at] = ok
		}
		want := gate.Hold
		if rolls {
			o.rolledBack, want = n, gate.RollBack
		} else if open == 0 && passes[0] {
			o.promoted, want = n, gate.Promote
		}
		if want != gate.Hold || r.IntN(20_000) == 0 {
			w.check(t, units, place, begun, want)
		}
	}
	return o
}

func pick(r *rand.Rand, n int) int {
	u, last := r.Float64(), len(traffic)-1
	for i, share := range traffic {
		if u -= share; u < 0 && (i < last || n > lateStart) {
			return i
		}
	}
	return 0
}

// check asks the gate.
func (w *world) check(t *testing.T, units []state, place []int, begun []uint64, want gate.Decision) {
	t.Helper()
	p := simulated(w.minimum)
	e := gate.Evidence{Run: "r", Thresholds: p.Thresholds()}
	for i, at := range place {
		if at == 0 {
			continue
		}
		u := units[at]
		e.Routes = append(e.Routes, gate.Counts{
			Route: fmt.Sprint(i), First: begun[i], Requests: u.n, Findings: map[string]uint64{"mismatch": u.hits[0], "lost": u.hits[1]},
			Over: []gate.Over{{Over: u.hits[2]}},
		})
	}
	if got := gate.Decide(p, e).Decision; got != want {
		t.Fatalf("the gate says %s, want %s: %v", got, want, units)
	}
}

// TestPromises: what is promised of a gate that is asked after each request.
func TestPromises(t *testing.T) {
	simulations := 300
	if s := os.Getenv(simulationsVar); s != "" {
		var err error
		if simulations, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	// times gives each route so many times its limits; what is lost counts as late.
	times := func(factors ...float64) (rates [][3]float64) {
		for i := range traffic {
			f := factors[min(i, len(factors)-1)]
			lost := f * limits[1]
			rates = append(rates, [3]float64{f * limits[0], lost, (f*limits[2] - lost) / (1 - lost)})
		}
		return rates
	}
	needed := evidence.Needed(limits[0], 1-confidence)
	loose := newWorld()
	strict := &world{cells: loose.cells, needed: loose.needed, minimum: needed}
	f := func(w *world, name string, rates [][3]float64, bounds func(promoted, rolledBack float64) bool) {
		t.Helper()
		r := rand.New(rand.NewPCG(11, uint64(len(name))))
		var promoted, back []int
		for range simulations {
			o := w.migrate(t, r, rates)
			if o.promoted > 0 {
				promoted = append(promoted, o.promoted)
			}
			if o.rolledBack > 0 {
				back = append(back, o.rolledBack)
			}
		}
		share := func(of []int) float64 { return float64(len(of)) / float64(simulations) }
		t.Logf("%-62s promoted %6.2f %% after %6d, rolled back %6.2f %% after %6d", name, 100*share(promoted), median(promoted), 100*share(back), median(back))
		if !bounds(share(promoted), share(back)) {
			t.Errorf("%s: promoted %g, rolled back %g", name, share(promoted), share(back))
		}
	}
	const alpha = 1 - confidence
	// Each rate at its limit: the nearest to a wrong decision, whichever it is.
	f(loose, "every rate at its limit", times(1), func(p, b float64) bool { return p <= alpha && b <= alpha })
	f(strict, "one route at its limits, the others at none", times(0, 0, 1, 0), func(p, b float64) bool { return p <= alpha && b <= alpha })
	f(strict, "half the traffic mismatches at the limit, all else a tenth", func() [][3]float64 {
		rates := times(.1)
		rates[0][0] = limits[0]
		return rates
	}(), func(p, b float64) bool { return p <= alpha && b <= alpha })
	// What is far from its limits is decided, and rightly.
	f(loose, "every rate a tenth of its limit", times(.1), func(p, b float64) bool { return p >= .9 && b <= alpha })
	f(loose, "every rate three times its limit", times(3), func(p, b float64) bool { return p <= alpha && b >= .9 })
	f(loose, "the rarest route ten times its limits, the others a tenth", times(.1, .1, .1, .1, .1, 10), func(p, b float64) bool { return p+b >= .9 })
	f(strict, "the same, and each route must have enough traffic", times(.1, .1, .1, .1, .1, 10), func(p, b float64) bool { return p <= alpha && b >= .9 })
}

func median(of []int) int {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[len(of)/2]
}
