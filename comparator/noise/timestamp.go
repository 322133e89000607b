package noise

import (
	"cmp"
	"slices"
	"time"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

// times says whether both values are times, and then whether they are tied to
// the same moment, by what the session showed earlier or by the requests. Two
// times that are written otherwise differ.
func (e *Evidence) times(baseline, candidate Value) (class string, both bool) {
	b, okB := timestamp.Read(baseline.Text, baseline.Number)
	c, okC := timestamp.Read(candidate.Text, candidate.Number)
	if !okB || !okC || names.IsDigits(baseline.Text) && !e.Frame.Plausible(b, c) {
		return "", false // not both times
	}
	tie := e.Frame.Tie(b, c)
	if b.Style == c.Style && !b.Style.IsDay() {
		if shown, known := e.shown(b, c, tie); known {
			tie = shown
			e.byShown(tie)
			return e.ordered(b, c, tie, true), true
		}
		coarse := b.Style.Digits == 0 // a second has many events
		if far, known := e.another(b, c); known && tie > timestamp.Loose && far > atOnce && !(coarse && e.fresh(b, c)) {
			e.because("the candidate's time was shown as that of another moment of the baseline")
			// What it did right now may coincide with what it did before; what it
			// says to have done before cannot be this.
			tie = timestamp.Doubtful
			if then, _ := e.Frame.Now(b, c); then && !coarse && far > together && c.Before(e.Frame.Candidate.From.Add(-c.Style.Precision())) {
				tie = timestamp.Loose
			}
		}
	}
	e.byFrame(b, c)
	return e.ordered(b, c, tie, false), true
}

// ordered is the class of two times, which must not contradict others of their
// answer; shown: the session ties them.
func (e *Evidence) ordered(b, c timestamp.Time, tie timestamp.Tie, shown bool) string {
	if tie != timestamp.Tied {
		return classOf(tie)
	}
	p := timestamp.PairOf(b, c)
	if other, broken := e.Broken[p]; broken {
		if e.reasons != nil {
			e.because(timestamp.ExplainOrder(p, other))
		}
		return Presumed(Timestamp)
	}
	if !e.order.Add(&e.Frame, b, c, shown) {
		e.because("the answer has too many times to tell whether they are in order")
		return Presumed(Timestamp)
	}
	return Timestamp
}

// Contradictions are the times that seemed proven, each for itself, and contradict
// another of the answer: nothing proves them.
func (e *Evidence) Contradictions() map[timestamp.Pair]timestamp.Pair {
	return e.order.Broken(&e.Frame)
}

// classOf is the class of two times.
func classOf(tie timestamp.Tie) string {
	switch tie {
	case timestamp.Tied:
		return Timestamp
	case timestamp.Doubtful:
		return Presumed(Timestamp)
	}
	return ""
}

// together is how far apart two events of one request may be that the other side
// shows as one, and atOnce how far for certain: a request takes longer.
const (
	together = 100 * time.Millisecond
	atOnce   = 10 * time.Millisecond
)

// moment is one that the session has shown on both sides.
type moment struct{ baseline, candidate timestamp.Time }

// read makes the moments of the session findable: by the baseline's time, in its
// order, and by the candidate's.
func (e *Evidence) read() {
	if e.shownAs != nil {
		return
	}
	e.shownAs = map[int64][]moment{}
	for _, p := range e.Pairs.All() {
		if p.Kind != names.Moment.Kind {
			continue
		}
		b, okB := timestamp.Read(p.Baseline.Text, p.Baseline.Number)
		c, okC := timestamp.Read(p.Candidate.Text, p.Candidate.Number)
		if okB && okC {
			e.moments = append(e.moments, moment{b, c})
			e.shownAs[c.UnixNano()] = append(e.shownAs[c.UnixNano()], moment{b, c})
		}
	}
	slices.SortStableFunc(e.moments, func(a, b moment) int { return a.baseline.Compare(b.baseline.Time) })
}

// around are the moments that lie less than a second and a distance from one of
// the baseline.
func (e *Evidence) around(t time.Time, distance time.Duration) []moment {
	e.read()
	distance += time.Second
	from, _ := slices.BinarySearchFunc(e.moments, t.Add(-distance), func(m moment, t time.Time) int { return cmp.Compare(m.baseline.UnixNano(), t.UnixNano()) })
	to := from
	for to < len(e.moments) && e.moments[to].baseline.Sub(t) <= distance {
		to++
	}
	return e.moments[from:to]
}

// shown says how what the session has shown ties two times; known: it decides. A
// moment may have been shown in another style, as an entity's Last-Modified,
// say, which knows only seconds; and several times, if two events of it were a
// little apart on the candidate's side.
func (e *Evidence) shown(b, c timestamp.Time, tie timestamp.Tie) (best timestamp.Tie, known bool) {
	precision := b.Style.Precision()
	then, now := e.Frame.Now(b, c)
	for _, m := range e.around(b.Time, precision) {
		same := asFine(m.baseline, b) && m.baseline.Equal(b.Time)
		known = known || same && (b.Style.Digits > 0 || !(then && now && e.fresh(b, c))) // a second has many events
		as := timestamp.Loose
		switch apart := m.candidate.Sub(c.Time).Abs(); {
		case same && apart == 0:
			as = timestamp.Tied
		case same && b.Style.Digits > 0:
			as = e.nearby(b, c, tie, apart)
		case same && apart >= precision+m.candidate.Style.Precision() && !known: // another event of that second, which took longer
			as = min(tie, timestamp.Doubtful)
		case m.baseline.Sub(b.Time).Abs() >= precision+m.baseline.Style.Precision() || apart >= precision+m.candidate.Style.Precision():
		case isCut(m.baseline, b) && isCut(m.candidate, c):
			as = timestamp.Tied
		case isRounded(m.baseline, b) && isRounded(m.candidate, c):
			if as = timestamp.Tied; e.isOfAnother(b, c) { // who cuts has another moment there
				as = timestamp.Doubtful
			}
		default:
			if as = e.beside(b, c, tie, same, apart); !same && e.isShown(b) {
				as = timestamp.Doubtful
			}
		}
		best = max(best, as)
	}
	return best, known || best > timestamp.Loose
}

// nearby says how a time of the candidate is tied to one of the baseline's that
// the session has shown as another of the candidate's, so far apart. Two events of
// one request may be; but what was stored once does not move, the moment that the
// session has shown as that of something else is not this one, and what the
// candidate may have made just now is not what the baseline had made before.
func (e *Evidence) nearby(b, c timestamp.Time, tie timestamp.Tie, apart time.Duration) timestamp.Tie {
	switch far, isAnother := e.another(b, c); {
	case apart > together || isAnother && far > atOnce:
		return timestamp.Loose
	case apart > atOnce || isAnother || isOlder(b, e.Frame.Baseline.From) != isOlder(c, e.Frame.Candidate.From):
		return min(tie, timestamp.Doubtful)
	}
	return tie
}

// beside says how a time of the candidate is tied to one of the baseline's where
// the session has shown a moment that is less than what the times do not say away
// from either, though not as these; same: it has shown the baseline's time as one
// so far from the candidate's. It may be another event of that second, if both
// sides may have made it for this request; else nothing proves it.
func (e *Evidence) beside(b, c timestamp.Time, tie timestamp.Tie, same bool, apart time.Duration) timestamp.Tie {
	precision := b.Style.Precision()
	isAnother := e.isOfAnother(b, c)
	switch {
	case same && isAnother && apart > precision:
		return timestamp.Loose
	case isAnother && (same || !e.fresh(b, c)), same && !e.fresh(b, c):
		return timestamp.Doubtful
	}
	return max(tie, timestamp.Doubtful)
}

// asFine says whether two times are of one precision, however they are written.
func asFine(a, b timestamp.Time) bool { return a.Style.Precision() == b.Style.Precision() }

// isOfAnother says whether the session has shown the candidate's time as another
// one of the baseline, and isShown whether it has shown the baseline's.
func (e *Evidence) isOfAnother(b, c timestamp.Time) bool {
	return slices.ContainsFunc(e.shownAs[c.UnixNano()], func(m moment) bool {
		return asFine(m.candidate, c) && asFine(m.baseline, b) && !m.baseline.Equal(b.Time)
	})
}

func (e *Evidence) isShown(b timestamp.Time) bool {
	return slices.ContainsFunc(e.around(b.Time, 0), func(m moment) bool { return asFine(m.baseline, b) && m.baseline.Equal(b.Time) })
}

// fresh says whether both times may be of the work on their request, if clocks
// agree.
func (e *Evidence) fresh(b, c timestamp.Time) bool {
	during := func(t timestamp.Time, s timestamp.Span) bool {
		return !isOlder(t, s.From) && !t.After(s.To.Add(t.Style.Precision()/2)) // rounded
	}
	return during(b, e.Frame.Baseline) && during(c, e.Frame.Candidate)
}

// isOlder says whether a time is of before a request, as far as it is written.
func isOlder(t timestamp.Time, request time.Time) bool {
	return !t.Add(t.Style.Precision()).After(request)
}

// isCut and isRounded say whether a time is a moment as its style writes it.
func isCut(moment, as timestamp.Time) bool {
	return moment.Truncate(as.Style.Precision()).Equal(as.Time)
}

func isRounded(moment, as timestamp.Time) bool {
	return moment.Round(as.Style.Precision()).Equal(as.Time)
}

// another says how far from the baseline's time the nearest moment lies that the
// session has shown as the candidate's time; known: it has shown one.
func (e *Evidence) another(b, c timestamp.Time) (far time.Duration, known bool) {
	e.read()
	for _, m := range e.shownAs[c.UnixNano()] {
		if !asFine(m.candidate, c) || !asFine(m.baseline, b) {
			continue
		}
		if from := m.baseline.Sub(b.Time).Abs(); !known || from < far {
			far, known = from, true
		}
	}
	return far, known
}
