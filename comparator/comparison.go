package comparator

import (
	"strings"

	"understudy.dev/comparator/noise"
)

// Verdict is the judgement on one replay; every replay ends in exactly one.
type Verdict string

// The verdicts in their order of precedence: of all that hold for a replay
// the first is its verdict.
const (
	// Skipped: it was not sent, for a reason.
	Skipped Verdict = "skipped"
	// Orphan: a completion that nobody asked for.
	Orphan Verdict = "orphan"
	// Error: no answer, for a reason of the transport.
	Error Verdict = "error"
	// Rejected: one side refused what the other accepted.
	Rejected Verdict = "rejected"
	// Lost: accepted and never completed.
	Lost Verdict = "lost"
	// Contradictory: completions that disagree.
	Contradictory Verdict = "contradictory"
	// Mismatch: completed, with other content.
	Mismatch Verdict = "mismatch"
	// Duplicate: completed more than once, each time alike.
	Duplicate Verdict = "duplicate"
	// Late: completed after its deadline.
	Late Verdict = "late"
	// OutOfOrder: completed before an earlier request of its session.
	OutOfOrder Verdict = "out_of_order"
	// Incomplete: the comparison could not be finished, or had nothing to
	// compare; Comparison.Incomplete says why.
	Incomplete Verdict = "incomplete"
	// Presumed: it differs, and nothing proves that it is harmless: only the
	// name or the shape of what differs speaks for it.
	Presumed Verdict = "presumed"
	// Match: everything was compared, and nothing is to be reported.
	Match Verdict = "match"
)

// Verdicts lists all verdicts in their order of precedence.
func Verdicts() []Verdict {
	return []Verdict{
		Skipped, Orphan, Error, Rejected, Lost, Contradictory, Mismatch, Duplicate, Late, OutOfOrder,
		Incomplete, Presumed, Match,
	}
}

// Kind is how a place differs.
type Kind string

// The kinds of difference.
const (
	// Status: the status, or its class for a completion.
	Status Kind = "status"
	// Missing and Extra: only the baseline, only the candidate has it.
	Missing Kind = "missing"
	Extra   Kind = "extra"
	// Value: the same type, another value.
	Value Kind = "value"
	// Type: another type.
	Type Kind = "type"
	// Order: the same elements in another order.
	Order Kind = "order"
	// Body: bodies that are not compared in parts (text, binary).
	Body Kind = "body"
	// Unparsable: a body that is not what its Content-Type says.
	Unparsable Kind = "unparsable"
	// Truncated: a body that was cut and so cannot be compared.
	Truncated Kind = "truncated"
	// Outcome: what happened instead of an answer (refused, lost, …).
	Outcome Kind = "outcome"
)

// Place is the part of an observation in which a difference lies.
type Place string

// The places.
const (
	InStatus     Place = "status"
	InHeader     Place = "header"
	InBody       Place = "body"
	InTrailer    Place = "trailer"
	InCompletion Place = "completion"
	InTransport  Place = "transport"
)

// Difference is one place that differs.
type Difference struct {
	Place Place
	// Path with array positions folded: "$.items[].price", "header:Content-Type".
	Path string
	// Location is the path with its positions: "$.items[3].price".
	Location string
	Kind     Kind
	// Baseline and Candidate are the values as text, as they were on the wire
	// (numbers keep their digits), cut at 1 KiB with a mark.
	Baseline, Candidate string
	// Noise is the class of a harmless difference, "" for one that counts.
	// "presumed:" begins the class of one that is neither, see noise.Presumed.
	Noise string
	// Why is what the class rests on; nil unless it was asked for and somebody
	// knows, see Judge.Explain.
	Why *Why
}

// Why is what a class, or that there is none, rests on, in words.
type Why struct{ Reasons []noise.Reason }

// Counts reports a difference that nothing explains.
func (d Difference) Counts() bool { return d.Noise == "" }

// Presumed reports a difference that only its name or shape explains.
func (d Difference) Presumed() bool { return noise.IsPresumed(d.Noise) }

// The evidence that a harmless difference has.
const (
	// ByRecord: the record itself proves it.
	ByRecord = "record"
	// ByControl: the baseline, asked again, differs from itself there.
	ByControl = "control"
	// ByRule: a rule covers it, the user's or one by default.
	ByRule = "rule"
)

// Evidence is what shows that a difference is harmless; empty for one that counts,
// is presumed, or cannot be compared.
func (d Difference) Evidence() string {
	switch {
	case d.Counts() || d.Presumed() || d.Noise == Incomparable:
		return ""
	case noise.IsControl(d.Noise):
		return ByControl
	case strings.HasPrefix(d.Noise, ruleClass) || strings.HasPrefix(d.Noise, defaultClass):
		return ByRule
	}
	return ByRecord
}

// The sides, as Comparison.RejectedBy names them.
const (
	Baseline  = "baseline"
	Candidate = "candidate"
)

// Totals count the places that differ, kept or not.
type Totals struct {
	// Counting differences have no class, Presumed ones only their name or
	// shape to explain them, Harmless ones are noise.
	Counting, Presumed, Harmless int
}

// Comparison is the judgement on one replay.
type Comparison struct {
	Verdict Verdict
	// Findings are all verdicts that hold, in order of precedence; the first
	// is Verdict.
	Findings []Verdict
	// Differences are a sample of all when there are more than
	// Config.MaxDifferences: those that count first, then the presumed ones,
	// of each class and path some.
	Differences []Difference
	// Totals count them all. They are a lower bound when the search ended
	// early, which Incomplete then says.
	Totals Totals
	// Dropped is how many of them are not among Differences.
	Dropped int
	// RejectedBy is the side that refused, Baseline or Candidate; empty unless
	// Rejected is a finding.
	RejectedBy string
	// Incomplete says what was not compared, and why; empty unless Incomplete
	// is a finding.
	Incomplete string
	// BaselineStatus and CandidateStatus are the statuses that were compared;
	// 0 when there was none.
	BaselineStatus, CandidateStatus uint32
	// Controlled says that the baseline was asked again and has answered, Tosses
	// what was learned from it.
	Controlled bool
	Tosses     []Toss
}

// Counting is how many differences nothing explains, kept or not.
func (c Comparison) Counting() int { return c.Totals.Counting }
