package timestamp

import (
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// DefaultSkew is how far apart the clocks of two systems may be.
const DefaultSkew = time.Second

// Span is a time from its beginning to its end.
type Span struct{ From, To time.Time }

// Moment is a moment of the recording and the same one of the replay.
type Moment struct{ Recorded, Replayed time.Time }

// Frame is when each side worked on one request, and how the time of the
// recording runs in the replay.
type Frame struct {
	Baseline, Candidate Span
	// Moments are those since which time runs evenly, oldest first, and Speed is
	// the scale between them; 0 is 1.
	Moments []Moment
	Speed   float64
	// Skew is how far apart clocks may be; 0 is DefaultSkew.
	Skew time.Duration
}

// FrameOf is the frame of a replay that the candidate has worked on for so long.
func FrameOf(r *understudyv1.Replay, service time.Duration) Frame {
	x := r.GetExchange()
	start, sent := time.Unix(0, x.GetStartUnixNano()), time.Unix(0, r.GetSentUnixNano())
	f := Frame{
		Baseline:  Span{start, start.Add(time.Duration(x.GetDurationNano()))},
		Candidate: Span{sent, sent.Add(service)},
		Speed:     r.GetSpeed(),
	}
	for _, m := range r.GetMoments() {
		f.Moments = append(f.Moments, Moment{time.Unix(0, m.GetRecordedUnixNano()), time.Unix(0, m.GetReplayedUnixNano())})
	}
	return f
}

// Tie is how sure it is that two times tell of one moment.
type Tie uint8

const (
	// Loose times have nothing in common.
	Loose Tie = iota
	// Doubtful ones may tell of one moment, and of two as well: they lie equally
	// far from their requests, but too far to have to do with them (a day that is
	// wrong by one looks so on the next day), or as whole minutes that nothing was
	// reckoned to, or nearer to another moment than clocks can be told apart.
	Doubtful
	// Tied ones do.
	Tied
)

// Tie says how two times of one style are tied to the same moment: both were
// made while their side worked on the request, lie equally far from it, or tell
// of one moment of the recording and the replay. Days are compared as days from
// the request.
//
// A replay that is faster than the recording brings moments so near to each
// other that the tolerance of clocks hides which of them is meant: what the
// candidate may have made just now proves nothing where the baseline's time
// was not made just then.
func (f *Frame) Tie(baseline, candidate Time) Tie {
	t, _ := f.tie(baseline, candidate)
	return t
}

// ground is what a Tie rests on.
type ground uint8

const (
	otherStyle ground = iota
	otherDay
	sameDay
	dayLongAgo
	dayAhead
	atWork
	onlyOne
	oneAhead
	again
	beforeAll
	ahead
	onTheMinute
	whileAtWork
	apart
)

func (f *Frame) tie(baseline, candidate Time) (Tie, ground) {
	if baseline.Style != candidate.Style {
		return Loose, otherStyle
	}
	if baseline.Style.IsDay() {
		switch ahead := days(baseline.Time, f.Baseline.From); {
		case ahead != days(candidate.Time, f.Candidate.From):
			return Loose, otherDay
		case ahead == 0:
			return Tied, sameDay
		case ahead < -longAgo || ahead > longAgo:
			return Loose, dayLongAgo
		}
		return Doubtful, dayAhead
	}
	b, c, tolerance := baseline.Time, candidate.Time, f.tolerance(baseline.Style)
	then, now := f.Now(baseline, candidate)
	if then && now {
		if isEarlier(baseline, f.Baseline) != isEarlier(candidate, f.Candidate) {
			return Doubtful, onlyOne
		}
		if isLater(baseline, f.Baseline) != isLater(candidate, f.Candidate) {
			return Doubtful, oneAhead
		}
		return Tied, atWork
	}
	proven := Tied
	if then != now || baseline.Style.isMinute() { // two minutes are as near as one and the next
		proven = Doubtful
	}
	// Something that happened while it was recorded, and again in the replay.
	at, inRun := f.replayed(b, tolerance)
	if inRun && b.Before(f.Baseline.From) && at.Sub(c).Abs() <= tolerance {
		return proven, again
	}
	// Equally far from the request or from its answer: the end of an hour, say.
	// Each side may also have set it at any other moment of its work.
	asked, answered := b.Sub(f.Baseline.From)-c.Sub(f.Candidate.From), b.Sub(f.Baseline.To)-c.Sub(f.Candidate.To)
	switch {
	case b.Sub(f.Baseline.From).Abs() > tooFar || c.Sub(f.Candidate.From).Abs() > tooFar:
	case asked.Abs() <= tolerance || answered.Abs() <= tolerance:
		if b.Before(f.Baseline.From) && !inRun {
			return Doubtful, beforeAll
		}
		if isChosen(b, f.Baseline.From, tolerance) && isChosen(c, f.Candidate.From, tolerance) {
			return Doubtful, onTheMinute
		}
		return proven, ahead
	case b.Sub(f.Baseline.To)-c.Sub(f.Candidate.From) <= tolerance && b.Sub(f.Baseline.From)-c.Sub(f.Candidate.To) >= -tolerance:
		return Doubtful, whileAtWork
	}
	return Loose, apart
}

// isChosen says whether a time is a whole minute without lying whole minutes from
// a request: it was not reckoned from that, but chosen or rounded, and two of its
// kind lie equally far from their requests by chance, if these are some minutes
// apart.
func isChosen(t, request time.Time, tolerance time.Duration) bool {
	from := t.Sub(request)
	return t.Truncate(time.Minute).Equal(t) && (from-from.Round(time.Minute)).Abs() > tolerance
}

// unsteady is how far clocks of one place are apart: what was made for a request is
// not older than it by more.
const unsteady = 50 * time.Millisecond

// isEarlier says whether a time is of before a request, as far as it is written.
func isEarlier(t Time, s Span) bool {
	return t.Add(t.Style.Precision() + unsteady).Before(s.From)
}

// isLater likewise says whether it is of after the answer.
func isLater(t Time, s Span) bool {
	return t.Add(-t.Style.Precision() - unsteady).After(s.To)
}

// longAgo is from how many days on a day has nothing to do with a request.
const longAgo = 400

// Now says which of two times may have been made while their side worked on the
// request.
func (f *Frame) Now(baseline, candidate Time) (then, now bool) {
	before := f.tolerance(baseline.Style)
	after := before
	if baseline.Style.isMinute() {
		after -= time.Minute // it is cut, not rounded
	}
	within := func(t time.Time, s Span) bool { return !t.Before(s.From.Add(-before)) && !t.After(s.To.Add(after)) }
	return within(baseline.Time, f.Baseline), within(candidate.Time, f.Candidate)
}

// tolerance is what clocks and the writing of a time may hide.
func (f *Frame) tolerance(s Style) time.Duration {
	skew := f.Skew
	if skew == 0 {
		skew = DefaultSkew
	}
	return skew + s.Precision()
}

// replayed is when what happened at a moment of the recording happened in the
// replay.
func (f *Frame) replayed(t time.Time, tolerance time.Duration) (time.Time, bool) {
	speed := f.scale()
	for i := len(f.Moments) - 1; i >= 0; i-- {
		m := f.Moments[i]
		if t.Before(m.Recorded) && (i > 0 || t.Before(m.Recorded.Add(-tolerance))) {
			continue
		}
		at := m.Replayed.Add(time.Duration(float64(t.Sub(m.Recorded)) / speed))
		if i+1 < len(f.Moments) && at.After(f.Moments[i+1].Replayed) {
			at = f.Moments[i+1].Replayed // in a pause that was cut
		}
		return at, true
	}
	return time.Time{}, false
}

// tooFar is from where on a time is reckoned from nothing. Package time knows no
// distance of more than 292 years: those of the years 2999 and 9999 are equal to it.
const tooFar = 100 * 365 * 24 * time.Hour

func days(t, from time.Time) int {
	return int(t.UTC().Truncate(24*time.Hour).Sub(from.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
}

// horizon is how far from its request a number may lie to be read as a time.
const horizon = 10 * 365 * 24 * time.Hour

// Plausible says whether two numbers lie near enough to their requests to be
// times at all.
func (f *Frame) Plausible(baseline, candidate Time) bool {
	return baseline.Sub(f.Baseline.From).Abs() < horizon && candidate.Sub(f.Candidate.From).Abs() < horizon
}
