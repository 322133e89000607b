package fault

import "slices"

// Fault describes one planted fault and how the comparison shows it.
type Fault struct {
	Name  Name
	What  string
	Route string
	// Verdict that each hit replay must get.
	Verdict string
	// Path and Kind of the difference that each hit replay must have; both
	// empty when the verdict says it all.
	Path string
	Kind string
	// Where tells a person where to look.
	Where string

	place string // of the reference, see Split
	of    uint64 // the hash of the reference modulo of …
	slot  uint64 // … is slot
}

// SlowBy is what the slow tail adds, in milliseconds; SlowOver is a bound that
// separates it from everything else: a hit replay's latency exceeds the
// baseline's by more than that.
const (
	SlowBy   = 500
	SlowOver = 400
)

// Catalogue lists every fault the candidate can plant.
func Catalogue() []Fault { return slices.Clone(catalogue) }

var catalogue = []Fault{
	{
		Name: WrongTotal, Route: "POST /orders", place: "last", of: 8, slot: 3,
		What:    "the total of an order is one cent too high",
		Verdict: "mismatch", Path: "$.total", Kind: "value",
		Where: "discrepancies with path $.total",
	},
	{
		Name: MissingField, Route: "GET /orders/{id}", of: 12, slot: 0,
		What:    "the shipping method of an order is missing",
		Verdict: "mismatch", Path: "$.shipping.method", Kind: "missing",
		Where: "discrepancies of kind missing",
	},
	{
		Name: WrongType, Route: "GET /orders/{id}", of: 12, slot: 1,
		What:    "the quantities of an order are strings instead of numbers",
		Verdict: "mismatch", Path: "$.items[].quantity", Kind: "type",
		Where: "discrepancies of kind type",
	},
	{
		Name: ExtraField, Route: "PATCH /orders/{id}", of: 4, slot: 0,
		What:    "a changed order shows a field that the baseline does not have",
		Verdict: "mismatch", Path: "$.internal_revision", Kind: "extra",
		Where: "discrepancies of kind extra",
	},
	{
		Name: LargeInteger, Route: "POST /orders/{id}/payments", of: 13, slot: 3,
		What:    "the account number of a payment went through a double and lost its last digit",
		Verdict: "mismatch", Path: "$.account_number", Kind: "value",
		Where: "discrepancies with path $.account_number; the values differ by one",
	},
	{
		Name: Refused, Route: "POST /orders", place: "last", of: 8, slot: 2,
		What:    "an order that the baseline accepts is refused with 409",
		Verdict: "rejected",
		Where:   "comparisons with verdict rejected and a baseline status of 201",
	},
	{
		Name: Accepted, Route: "POST /quotes", of: 3, slot: 0,
		What:    "a quote that the baseline refuses with 422 is answered with 200",
		Verdict: "rejected",
		Where:   "comparisons with verdict rejected and a baseline status of 422",
	},
	{
		Name: Lost, Route: "POST /orders", place: "last", of: 8, slot: 0,
		What:    "an order is accepted and never completed",
		Verdict: "lost",
		Where:   "comparisons with verdict lost",
	},
	{
		Name: Late, Route: "POST /orders", place: "last", of: 8, slot: 1,
		What:    "an order completes after its deadline",
		Verdict: "late",
		Where:   "comparisons with verdict late",
	},
	{
		Name: Duplicate, Route: "POST /orders/{id}/payments", of: 13, slot: 0,
		What:    "a payment is called back twice with the same content",
		Verdict: "duplicate",
		Where:   "comparisons with verdict duplicate",
	},
	{
		Name: Contradictory, Route: "POST /orders/{id}/payments", of: 13, slot: 1,
		What:    "a payment is called back as captured, then as declined",
		Verdict: "contradictory",
		Where:   "comparisons with verdict contradictory",
	},
	{
		Name: Orphan, Route: "POST /orders/{id}/payments", of: 13, slot: 2,
		What:    "after a payment's callback comes another one that nobody asked for",
		Verdict: "orphan",
		Where:   "comparisons with verdict orphan; they belong to no exchange",
	},
	{
		Name: Reordered, Route: "POST /orders", place: "first", of: 2, slot: 0,
		What:    "of two orders of one session the later one completes first",
		Verdict: "out_of_order",
		Where:   "comparisons with verdict out_of_order: the second order of each pair",
	},
	{
		Name: SlowTail, Route: "POST /quotes", place: "last", of: 4, slot: 0,
		What:    "a quote takes 500 ms more than it should",
		Verdict: "match",
		Where:   "latency of POST /quotes: the candidate's 99th percentile beside the baseline's",
	},
}

// Noise lists the harmless differences that are everywhere and must not be
// reported.
func Noise() []string {
	return []string{
		"identifiers: ord_1001, pay_1002 and quo_1003 against UUIDs",
		"timestamps: each system's own clock, at the time of its own request",
		"the order of the members of JSON objects",
		"the spelling of decimals: 129.90 against 129.9",
		"X-Request-Id, Date and Content-Length headers",
		"202 and a completion instead of 200 or 201",
	}
}
