package comparator

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
	// Match: nothing to report.
	Match Verdict = "match"
)

// Verdicts lists all verdicts in their order of precedence.
func Verdicts() []Verdict {
	return []Verdict{Skipped, Orphan, Error, Rejected, Lost, Contradictory, Mismatch, Duplicate, Late, OutOfOrder, Match}
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
	Noise string
}

// Comparison is the judgement on one replay.
type Comparison struct {
	Verdict Verdict
	// Findings are all verdicts that hold, in order of precedence; the first
	// is Verdict.
	Findings    []Verdict
	Differences []Difference
	// Dropped is how many differences were found beyond those kept.
	Dropped int
	// BaselineStatus and CandidateStatus are the statuses that were compared;
	// 0 when there was none.
	BaselineStatus, CandidateStatus uint32
}

// Counting is how many differences are not noise.
func (c Comparison) Counting() int {
	n := 0
	for _, d := range c.Differences {
		if d.Noise == "" {
			n++
		}
	}
	return n
}
