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
	// Also are places that differ as well, because they follow from the fault.
	Also []Place
	// Where tells a person where to look.
	Where string

	place string // of the reference, see Split
	of    uint64 // the hash of the reference modulo of …
	slot  uint64 // … is slot
}

// Place is where something differs, and how.
type Place struct{ Path, Kind string }

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
	{
		Name: SwappedCustomer, Route: "GET /orders/{id}", of: 12, slot: 2,
		What:    "an order is shown as that of another customer",
		Verdict: "mismatch", Path: "$.customer", Kind: "value",
		Also:  []Place{{"$.account_number", "value"}},
		Where: "discrepancies with path $.customer: the names of two customers",
	},
	{
		Name: WrongLink, Route: "GET /orders/{id}", of: 12, slot: 3,
		What:    "the link of an order leads to an order of somebody else",
		Verdict: "mismatch", Path: "$.links.self", Kind: "value",
		Where: "discrepancies with path $.links.self",
	},
	{
		Name: WrongRole, Route: "POST /sessions", of: 4, slot: 0,
		What:    "the token of a login says another role",
		Verdict: "mismatch", Path: "$.token(jwt).payload.role", Kind: "value",
		Where: "discrepancies with path $.token(jwt).payload.role: tokens are opened",
	},
	{
		Name: KeptCookie, Route: "DELETE /sessions/current", of: 4, slot: 0,
		What:    "a logout sets the cookie that it should clear",
		Verdict: "mismatch", Path: "header:set-cookie:visit", Kind: "value",
		Where: "discrepancies with path header:set-cookie:visit",
	},
	{
		Name: StaleList, Route: "GET /customers/{id}/orders", of: 8, slot: 0,
		What:    "the list of a customer's orders lacks the newest",
		Verdict: "mismatch", Path: "$.orders[]", Kind: "missing",
		Also:  []Place{{"$.total_count", "value"}},
		Where: "discrepancies with path $.orders[]",
	},
	{
		Name: CoarseTime, Route: "POST /orders/{id}/payments", of: 13, slot: 4,
		What:    "the time of a payment is told to the second instead of the millisecond",
		Verdict: "mismatch", Path: "$.captured_at", Kind: "value",
		Where: "discrepancies with path $.captured_at",
	},
	{
		Name: ShortExport, Route: "GET /products/export", of: 6, slot: 0,
		What:    "an export lacks its last tenth, beyond what is kept of a body",
		Verdict: "mismatch", Path: "$", Kind: "truncated",
		Where: "discrepancies of kind truncated: how long each body was",
	},
	{
		Name: WrongDigest, Route: "GET /products/export", of: 6, slot: 1,
		What:    "the digest of an export is not that of its content",
		Verdict: "mismatch", Path: "header:repr-digest", Kind: "value",
		Where: "discrepancies with path header:repr-digest",
	},
	{
		Name: WrongTrailer, Route: "GET /products/export", of: 6, slot: 2,
		What:    "the trailer behind a whole export says that it is not whole",
		Verdict: "mismatch", Path: "trailer:export-status", Kind: "value",
		Where: "discrepancies with path trailer:export-status",
	},
}
