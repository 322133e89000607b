package timestamp

import (
	"fmt"
	"time"
)

// Explain says in words, with the tolerance and the scale, why Tie says of two
// times what it says.
func (f *Frame) Explain(baseline, candidate Time) string {
	tie, why := f.tie(baseline, candidate)
	tolerance := f.tolerance(baseline.Style)
	fromB, fromC := baseline.Sub(f.Baseline.From), candidate.Sub(f.Candidate.From)
	far := fmt.Sprintf("the baseline's time lies %s from its request, the candidate's %s", signed(fromB), signed(fromC))
	switch why {
	case otherStyle:
		return "two times that are written in two styles (layout, offset or precision)"
	case otherDay:
		return fmt.Sprintf("days: the baseline's is %d from that of its request, the candidate's %d", days(baseline.Time, f.Baseline.From), days(candidate.Time, f.Candidate.From))
	case sameDay:
		return "each is the day of its request"
	case dayLongAgo:
		return "days that lie too far from their requests to have to do with them"
	case dayAhead:
		return fmt.Sprintf("days equally far from their requests (%d), but not those of the requests", days(baseline.Time, f.Baseline.From))
	case atWork:
		return fmt.Sprintf("both were made while their side worked on this request (within %s); %s", tolerance, far)
	case onlyOne:
		return "only one of the two was made after its side had got the request; clocks may explain that, and so may another moment; " + far
	case oneAhead:
		return "only one of the two lies after its side's answer; clocks may explain that, and so may another moment; " + far
	case again:
		return fmt.Sprintf("it tells of a moment of the recording, and the candidate's time is within %s of that moment in the replay, at speed %g", tolerance, f.scale()) + doubt(tie)
	case beforeAll:
		return fmt.Sprintf("two times of before the recording, equally far from their requests (%s)", signed(fromB))
	case onTheMinute:
		return far + ": equally far, but whole minutes that were not reckoned from the requests, which agree by chance"
	case whileAtWork:
		return far + ": each side may have set it at another moment of its work"
	}
	answered := baseline.Sub(f.Baseline.To) - candidate.Sub(f.Candidate.To)
	text := fmt.Sprintf("%s: a difference of %s from the requests and of %s from the answers, of which %s may be clocks and precision", far,
		(fromB - fromC).Abs().Round(time.Microsecond), answered.Abs().Round(time.Microsecond), tolerance)
	if at, inRun := f.replayed(baseline.Time, tolerance); why == apart && inRun && baseline.Before(f.Baseline.From) {
		text += fmt.Sprintf("; that moment of the recording was at %s in the replay, at speed %g", at.UTC().Format(time.RFC3339Nano), f.scale())
	}
	return text + doubt(tie)
}

// ExplainOrder says in words why a pair of times is not proven to tell of one moment
// beside another pair of the same answer.
func ExplainOrder(p, other Pair) string {
	lie := func(d int64) string { return signed(time.Duration(d)) }
	return fmt.Sprintf("but from another time of the answer, %s, it lies %s in the baseline's and %s in the candidate's: no clock explains that",
		time.Unix(0, other.Baseline).UTC().Format(time.RFC3339Nano), lie(p.Baseline-other.Baseline), lie(p.Candidate-other.Candidate))
}

// doubt is why a tie is not certain.
func doubt(tie Tie) string {
	if tie == Doubtful {
		return "; but only one of the two was made while its side worked on the request, so it may be another moment"
	}
	return ""
}

func signed(d time.Duration) string {
	d = d.Round(time.Microsecond)
	if d >= 0 {
		return "+" + d.String()
	}
	return d.String()
}

// scale is Speed as it counts.
func (f *Frame) scale() float64 {
	if f.Speed == 0 {
		return 1
	}
	return f.Speed
}
