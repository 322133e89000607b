package accuracy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"understudy.dev/comparator"
	"understudy.dev/comparator/evidence"
	"understudy.dev/replayer/control"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Some members are drawn anew in each answer. A judge that sees one pair cannot
// tell whether the candidate draws as the baseline does; with a control, the
// baseline asked again, it is told by many.

// absent is a member that is not there this time.
type absent struct{}

// volatile is a member that each system draws from a distribution of its own.
type volatile struct {
	key   string
	moved bool // the candidate's distribution is another
	draw  func(r *rand.Rand, moved bool) any
	by    *side // the system whose distribution may be another
}

func (n volatile) render(x *rendering) any { return n.draw(x.random, n.moved && x.side == n.by) }

// shift is how far the distributions of the candidate have moved.
type shift struct{ mean, share, presence float64 }

// The shifts that the project promises to find within 700 controlled pairs, and
// such as are found within 300 without fail.
var (
	promised = shift{1.1, .64, .36}
	obvious  = shift{1.3, .85, .15}
)

// distributions are the kinds of volatile members, each once moved and once not.
func distributions(by *side, to shift) []volatile {
	either := func(moved bool, from, to float64) float64 {
		if moved {
			return to
		}
		return from
	}
	mean := func(r *rand.Rand, moved bool) any {
		return number(fmt.Sprintf("%.2f", 100*either(moved, 1, to.mean)+25*r.NormFloat64()))
	}
	share := func(r *rand.Rand, moved bool) any {
		if r.Float64() < either(moved, .5, to.share) {
			return "express"
		}
		return "standard"
	}
	presence := func(r *rand.Rand, moved bool) any {
		if r.Float64() < either(moved, .5, to.presence) {
			return "popular"
		}
		return absent{}
	}
	return []volatile{
		{"wait", true, mean, by}, {"stretch", false, mean, by},
		{"speed", true, share, by}, {"pace", false, share, by},
		{"hint", true, presence, by}, {"tip", false, presence, by},
	}
}

// unsettle gives the orders that both systems show volatile members, and writes
// the recording again.
func (w *world) unsettle(to shift) {
	for _, p := range w.pairs {
		b, okB := p.baseline.body.(*obj)
		f, okF := p.candidate.body.(*obj)
		if !showsOrder(p.route) || !okB || !okF || p.baseline.status >= 400 || p.candidate.status >= 400 {
			continue
		}
		for _, v := range distributions(w.candidate, to) {
			b.set(v.key, v)
			f.set(v.key, v)
		}
		w.write(p)
	}
}

func showsOrder(route string) bool {
	return route == "GET /orders/{id}" || route == "POST /orders" || route == "PATCH /orders/{id}"
}

// askAgain asks the baseline again for the replays of the control sample.
func (w *world) askAgain(p *pair, r *understudyv1.Replay) {
	if p == nil || r.GetSkipped() != "" || w.controlled == nil || !w.controlled(r.GetExchange()) {
		return
	}
	sent := time.Unix(0, r.GetSentUnixNano()).Add(10 * time.Millisecond)
	x := w.baseline.render(sent.Add(p.took / 2))
	again := &understudyv1.Exchange{Request: p.request(x).record(p.method), Response: p.baseline.write(x).record(x.now)}
	w.redactor.Exchange(again)
	r.Control = &understudyv1.Observation{Ack: again.GetResponse(), AckLatencyNano: int64(p.took), AckServiceNano: int64(p.took)}
	r.ControlSentUnixNano, r.ControlAuthority = sent.UnixNano(), w.baseline.host
}

// sampleOf is the replayer's own control sample, of one run in several worlds.
func sampleOf(share float64) func(e *understudyv1.Exchange) bool {
	cfg := control.DefaultConfig()
	cfg.Share = share
	sample, mu := control.NewSample(cfg, "accuracy"), sync.Mutex{}
	return func(e *understudyv1.Exchange) bool {
		mu.Lock()
		defer mu.Unlock()
		return sample.Take(e)
	}
}

// spot is a place of a route.
type spot struct{ route, path string }

// controlled is what runs of several worlds come to, as a report adds them up.
type controlled struct {
	mu    sync.Mutex
	pairs []said
	coins map[spot]map[[2]string]*evidence.Coin
	// skipped were not sent, beside those whose name was never made.
	skipped int
	// replays of a route had a control.
	replays map[string]int
	// unsteady are the places where the baseline differs from itself, asked those
	// where the candidate has differed at the same time.
	unsteady, asked map[spot]bool
}

// said is what is left of a judged pair.
type said struct {
	kind                  *kind
	real, found, reported bool
	verdict               comparator.Verdict
	counting              []spot
	example               string
}

func newControlled() *controlled {
	return &controlled{coins: map[spot]map[[2]string]*evidence.Coin{}, replays: map[string]int{}, unsteady: map[spot]bool{}, asked: map[spot]bool{}}
}

func (c *controlled) add(all []judged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	drawn := map[string]bool{}
	for _, v := range distributions(nil, promised) {
		drawn["$."+v.key] = true
	}
	for _, j := range all {
		if j.comparison.Controlled {
			c.replays[j.route]++
		}
		for _, s := range j.comparison.Tosses {
			c.toss(spot{j.route, s.Path}, s)
		}
		if j.comparison.Verdict == comparator.Skipped && (j.kind == nil || j.kind.class != unsent) {
			c.skipped++
		}
		if j.strayed || j.comparison.Verdict == comparator.Skipped {
			continue
		}
		o := said{kind: j.kind, real: j.real(), verdict: j.comparison.Verdict, reported: reported(j.comparison.Verdict)}
		o.found = o.real && j.found()
		for _, d := range j.comparison.Differences {
			if !d.Counts() {
				continue
			}
			o.counting = append(o.counting, spot{j.route, d.Path})
			if o.example == "" || !drawn[d.Path] {
				o.example = fmt.Sprintf("%s %s %.60s | %.60s", d.Path, d.Kind, d.Baseline, d.Candidate)
			}
		}
		c.pairs = append(c.pairs, o)
	}
}

func (c *controlled) toss(at spot, s comparator.Toss) {
	if c.coins[at] == nil {
		c.coins[at] = map[[2]string]*evidence.Coin{}
	}
	key := [2]string{string(s.Statistic), s.Word}
	if c.coins[at][key] == nil {
		c.coins[at][key] = &evidence.Coin{}
	}
	if s.Heads {
		c.coins[at][key].Heads++
	}
	if s.Tails {
		c.coins[at][key].Tails++
	}
	c.unsteady[at] = c.unsteady[at] || s.Control
	c.asked[at] = c.asked[at] || s.Control && s.Candidate
}

// different are the volatile places that the coins call different.
func (c *controlled) different(alpha float64) map[spot]bool {
	var spots []spot
	var logs []float64
	for at, coins := range c.coins {
		var tossed []float64
		for _, coin := range coins {
			if *coin != (evidence.Coin{}) {
				tossed = append(tossed, coin.LogE())
			}
		}
		if c.asked[at] {
			spots, logs = append(spots, at), append(logs, evidence.LogMean(tossed...))
		}
	}
	out := map[spot]bool{}
	for _, i := range evidence.Discoveries(logs, alpha) {
		out[spots[i]] = true
	}
	return out
}

// tosses says what the coins of a place have shown.
func (c *controlled) tosses(at spot) string {
	var out []string
	for key, coin := range c.coins[at] {
		out = append(out, fmt.Sprintf("%s %d:%d", strings.TrimSpace(key[0]+" "+key[1]), coin.Heads, coin.Tails))
	}
	slices.Sort(out)
	return fmt.Sprintf("%s %s, %d controlled: %s", at.route, at.path, c.replays[at.route], strings.Join(out, ", "))
}

// elsewhere says whether a pair is reported for more than volatile places.
func (c *controlled) elsewhere(o said) bool {
	return o.reported && (o.verdict != comparator.Mismatch ||
		slices.ContainsFunc(o.counting, func(at spot) bool { return !c.unsteady[at] }))
}
