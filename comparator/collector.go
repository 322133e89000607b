package comparator

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// collector gathers findings and differences within bounds.
type collector struct {
	out Comparison
	max int
}

// give up after this many differences; what remains is not even counted.
const countAtMost = 10_000

func (c *collector) find(v Verdict) { c.out.Findings = append(c.out.Findings, v) }

// add keeps a difference, or counts it once the bound is reached. Differences
// that count take the place of noise, so that noise never crowds them out. It
// returns false when it is time to stop.
func (c *collector) add(d Difference) bool {
	d.Baseline, d.Candidate = shorten(d.Baseline), shorten(d.Candidate)
	d.Path, d.Location = shorten(d.Path), shorten(d.Location)
	if len(c.out.Differences) < c.max {
		c.out.Differences = append(c.out.Differences, d)
		return true
	}
	c.out.Dropped++
	if d.Noise == "" {
		if i := slices.IndexFunc(c.out.Differences, func(k Difference) bool { return k.Noise != "" }); i >= 0 {
			c.out.Differences[i] = d
		}
	}
	return c.out.Dropped < countAtMost
}

// comparison settles the verdict.
func (c *collector) comparison() Comparison {
	if len(c.out.Findings) == 0 || !slices.ContainsFunc(c.out.Findings, func(v Verdict) bool {
		return v == Skipped || v == Orphan || v == Error || v == Rejected || v == Lost
	}) {
		counts := slices.ContainsFunc(c.out.Differences, func(d Difference) bool {
			return d.Noise == "" && d.Place != InCompletion
		})
		if counts {
			c.find(Mismatch)
		}
	}
	if len(c.out.Findings) == 0 {
		c.find(Match)
	}
	order := Verdicts()
	slices.SortStableFunc(c.out.Findings, func(a, b Verdict) int { return slices.Index(order, a) - slices.Index(order, b) })
	c.out.Verdict = c.out.Findings[0]
	return c.out
}

// maxText bounds a value that is kept, in bytes.
const maxText = 1024

func shorten(s string) string {
	if len(s) > maxText {
		cut := maxText - len("…")
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
