package noise

import (
	"time"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

// times says whether both values are times, and then whether they are tied to
// the same moment: paired earlier in the session, both made while the side
// worked on this request, equally far from it, or at the same moment of the
// recording and the replay. Two times that are written otherwise differ.
func (e *Evidence) times(baseline, candidate Value) (class string, both bool) {
	b, okB := read(baseline)
	c, okC := read(candidate)
	if !okB || !okC {
		return "", false
	}
	if baseline.Number && (!e.plausible(b.Time, e.Baseline) || !e.plausible(c.Time, e.Candidate)) {
		return "", false // a number that is no time
	}
	switch {
	case b.Style != c.Style:
		return "", true
	case b.Style.IsDay():
		if days(b.Time, e.Baseline.From) == days(c.Time, e.Candidate.From) {
			return Timestamp, true
		}
		return "", true
	}
	if p, ok := e.Pairs.Of(names.Moment, baseline.Text); ok && p.Holds() && b.Style.Digits > 0 {
		if p.Candidate.Text == candidate.Text {
			return Timestamp, true
		}
		return "", true
	}
	if e.tied(b.Time, c.Time, e.tolerance(b.Style)) {
		return Timestamp, true
	}
	return "", true
}

func read(v Value) (timestamp.Time, bool) {
	if v.Number {
		return timestamp.Number(v.Text)
	}
	return timestamp.Parse(v.Text)
}

// horizon is how far from its request a number may lie to be read as a time.
const horizon = 10 * 365 * 24 * time.Hour

func (e *Evidence) plausible(t time.Time, s Span) bool { return t.Sub(s.From).Abs() < horizon }

// tolerance is what clocks and the writing of a time may hide.
func (e *Evidence) tolerance(s timestamp.Style) time.Duration {
	skew := e.Skew
	if skew == 0 {
		skew = DefaultSkew
	}
	return skew + s.Precision()
}

// Now says whether both times were made while each side worked on the request.
func (e *Evidence) Now(b, c time.Time) bool {
	tolerance := e.tolerance(timestamp.Style{})
	return within(b, e.Baseline, tolerance) && within(c, e.Candidate, tolerance)
}

// tied says whether two times are tied to the same moment.
func (e *Evidence) tied(b, c time.Time, tolerance time.Duration) bool {
	// Both were made while their side worked on the request.
	if within(b, e.Baseline, tolerance) && within(c, e.Candidate, tolerance) {
		return true
	}
	// Both lie equally far from it: the end of an hour, say.
	slack := tolerance + max(e.Baseline.To.Sub(e.Baseline.From), e.Candidate.To.Sub(e.Candidate.From))
	if (b.Sub(e.Baseline.From) - c.Sub(e.Candidate.From)).Abs() <= slack {
		return true
	}
	// Something that happened while it was recorded, and again in the replay.
	if at, ok := e.replayed(b, tolerance); ok && b.Before(e.Baseline.From) {
		return at.Sub(c).Abs() <= tolerance
	}
	return false
}

func within(t time.Time, s Span, tolerance time.Duration) bool {
	return !t.Before(s.From.Add(-tolerance)) && !t.After(s.To.Add(tolerance))
}

// replayed is when what happened at a moment of the recording happened in the
// replay.
func (e *Evidence) replayed(t time.Time, tolerance time.Duration) (time.Time, bool) {
	speed := e.Speed
	if speed == 0 {
		speed = 1
	}
	for i := len(e.Moments) - 1; i >= 0; i-- {
		m := e.Moments[i]
		if t.Before(m.Recorded) && (i > 0 || t.Before(m.Recorded.Add(-tolerance))) {
			continue
		}
		at := m.Replayed.Add(time.Duration(float64(t.Sub(m.Recorded)) / speed))
		if i+1 < len(e.Moments) && at.After(e.Moments[i+1].Replayed) {
			at = e.Moments[i+1].Replayed // in a pause that was cut
		}
		return at, true
	}
	return time.Time{}, false
}

func days(t, from time.Time) int {
	return int(t.UTC().Truncate(24*time.Hour).Sub(from.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
}
