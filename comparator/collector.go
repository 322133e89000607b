package comparator

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
)

// collector gathers findings and differences within bounds.
type collector struct {
	out Comparison
	max int
	// kept counts the kept differences by what they are, so that none of
	// their kind is lost to many of another; spare is how many of them are not
	// the only one of their kind.
	kept  map[likeness]int
	spare int
	// byRank counts the kept differences by rank.
	byRank [3]int
	// reasons are those of Comparison.Incomplete.
	reasons []string
	// outcomes are counting differences that another finding has already said.
	outcomes int
	// explains: somebody wants to know why, and which names were known.
	explains bool
	names    []names.Pair
}

// because is the one reason of a difference, if somebody wants to know. The
// zero pair is none.
func (c *collector) because(text string, p names.Pair) *Why {
	if !c.explains {
		return nil
	}
	r := noise.Reason{Text: text}
	if p != (names.Pair{}) {
		pair := p
		r.Pair = &pair
	}
	return &Why{[]noise.Reason{r}}
}

// likeness is what makes one difference as good an example as another.
type likeness struct {
	rank        int
	class, path string
	kind        Kind
}

func like(d Difference) likeness { return likeness{rank(d), d.Noise, d.Path, d.Kind} }

// rank orders differences by how much they matter.
func rank(d Difference) int {
	switch {
	case d.Counts():
		return 0
	case d.Presumed():
		return 1
	}
	return 2
}

// stopAfter is how many differences that count end the search: the verdict is
// known, and their number says nothing more. What is harmless never ends it.
const stopAfter = 10_000

func (c *collector) find(v Verdict) { c.out.Findings = append(c.out.Findings, v) }

// incomplete notes that something was not compared, and why: a text without
// values of this replay, so that replays can be counted by it. At most 8 are
// kept.
func (c *collector) incomplete(reason string) {
	if len(c.reasons) < 8 && !slices.Contains(c.reasons, reason) {
		c.reasons = append(c.reasons, reason)
	}
}

// rejected notes which side refused what the other accepted.
func (c *collector) rejected(side string) {
	c.find(Rejected)
	c.out.RejectedBy = side
}

// add counts a difference and keeps it or an example like it. It returns false
// when it is time to stop.
func (c *collector) add(d Difference) bool {
	if d.Noise == Incomparable {
		c.incomplete(fmt.Sprintf("%s %s: cannot be compared", d.Place, d.Kind))
	}
	if d.Counts() && d.Place == InCompletion {
		c.outcomes++
	}
	switch rank(d) {
	case 0:
		c.out.Totals.Counting++
	case 1:
		c.out.Totals.Presumed++
	default:
		c.out.Totals.Harmless++
	}
	c.keep(d)
	if c.out.Totals.Counting >= stopAfter {
		c.incomplete(fmt.Sprintf("the search ended after %d differences that count", stopAfter))
		return false
	}
	return true
}

// keep keeps a difference if there is room, or if it can take that of one that
// matters less or has its like among the kept. Each of these happens at most
// max times, and anything else costs nothing: the number of differences is
// that of a body's places.
func (c *collector) keep(d Difference) {
	d.Path = shorten(d.Path)
	if len(c.out.Differences) < c.max {
		c.put(d)
		return
	}
	r, in := rank(d), -1
	for lower := len(c.byRank) - 1; lower > r && in < 0; lower-- {
		if c.byRank[lower] > 0 {
			in = c.lastOf(func(k Difference) bool { return rank(k) == lower })
		}
	}
	if in < 0 && c.spare > 0 && c.kept[like(d)] == 0 {
		in = c.lastOf(func(k Difference) bool { return rank(k) == r && c.kept[like(k)] > 1 })
	}
	if in < 0 {
		return
	}
	c.count(c.out.Differences[in], -1)
	c.out.Differences = slices.Delete(c.out.Differences, in, in+1)
	c.put(d)
}

func (c *collector) put(d Difference) {
	c.count(d, 1)
	d.Location, d.Baseline, d.Candidate = shorten(d.Location), shorten(d.Baseline), shorten(d.Candidate)
	c.out.Differences = append(c.out.Differences, d)
}

func (c *collector) lastOf(is func(Difference) bool) int {
	for i := len(c.out.Differences) - 1; i >= 0; i-- {
		if is(c.out.Differences[i]) {
			return i
		}
	}
	return -1
}

func (c *collector) count(d Difference, n int) {
	if c.kept == nil {
		c.kept = map[likeness]int{}
	}
	l := like(d)
	before := c.kept[l]
	c.kept[l] = before + n
	c.spare += max(before+n, 1) - max(before, 1)
	if before+n == 0 {
		delete(c.kept, l)
	}
	c.byRank[l.rank] += n
}

// comparison settles the verdict.
func (c *collector) comparison() Comparison {
	all := c.out.Totals
	c.out.Dropped = all.Counting + all.Presumed + all.Harmless - len(c.out.Differences)
	if !slices.ContainsFunc(c.out.Findings, ended) {
		switch {
		case all.Counting > c.outcomes:
			c.find(Mismatch)
		case all.Presumed > 0:
			c.find(Presumed)
		}
		if len(c.reasons) > 0 {
			c.find(Incomplete)
			c.out.Incomplete = shorten(strings.Join(c.reasons, "; "))
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

// ended: there are no two answers to compare.
func ended(v Verdict) bool {
	return v == Skipped || v == Orphan || v == Error || v == Rejected || v == Lost
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
