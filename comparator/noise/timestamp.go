package noise

import (
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
	if p, ok := e.Pairs.Of(names.Moment, baseline.Text); ok && p.Holds() && b.Style.Digits > 0 && b.Style == c.Style {
		if p.Candidate.Text == candidate.Text {
			return Timestamp, true
		}
		return "", true
	}
	switch e.Frame.Tie(b, c) {
	case timestamp.Tied:
		return Timestamp, true
	case timestamp.Distant:
		return Presumed(Timestamp), true
	}
	return "", true
}
