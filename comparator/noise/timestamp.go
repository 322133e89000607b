package noise

import (
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
	if !okB || !okC || baseline.Number && !e.Frame.Plausible(b, c) {
		return "", false // not both times
	}
	if b.Style == c.Style && !b.Style.IsDay() {
		if p, ok := e.Pairs.Of(names.Moment, baseline.Text); ok && p.Holds() && b.Style.Digits > 0 {
			// Two events of one moment of the recording may be a little apart.
			shown, ok := timestamp.Read(p.Candidate.Text, p.Candidate.Number)
			if p.Candidate.Text == candidate.Text || ok && shown.Sub(c.Time).Abs() <= together && e.Frame.Tie(b, c) == timestamp.Tied {
				return Timestamp, true
			}
			return "", true
		}
		if e.paired(b, c) {
			return Timestamp, true
		}
	}
	switch e.Frame.Tie(b, c) {
	case timestamp.Tied:
		return Timestamp, true
	case timestamp.Distant:
		return Presumed(Timestamp), true
	}
	return "", true
}

// together is how far apart two events may be that the recording shows as one.
const together = 100 * time.Millisecond

// paired says whether the session has shown the two moments as one, though in
// another style: as an entity's Last-Modified, say, which knows only seconds.
func (e *Evidence) paired(b, c timestamp.Time) bool {
	if e.moments == nil {
		e.moments = [][2]timestamp.Time{}
		for _, p := range e.Pairs.All() {
			if p.Kind != names.Moment.Kind || !p.Holds() {
				continue
			}
			pb, okB := timestamp.Read(p.Baseline.Text, p.Baseline.Number)
			pc, okC := timestamp.Read(p.Candidate.Text, p.Candidate.Number)
			if okB && okC {
				e.moments = append(e.moments, [2]timestamp.Time{pb, pc})
			}
		}
	}
	precision := b.Style.Precision()
	for _, m := range e.moments {
		// Either may be rounded or cut.
		if m[0].Sub(b.Time).Abs() < precision+m[0].Style.Precision() && m[1].Sub(c.Time).Abs() < precision+m[1].Style.Precision() {
			return true
		}
	}
	return false
}
