// Package explain says why a replay has its verdict: each finding with its
// reason, each place that differs with what its class rests on, the names that
// were known, and how the completion came about. It judges the record anew and
// holds the result against what the tables have.
package explain

import (
	"cmp"
	"slices"
	"time"

	"understudy.dev/comparator"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Explanation is why one replay has its verdict. Times are from the actual
// send.
type Explanation struct {
	Run      string `json:"run"`
	Ordinal  uint64 `json:"ordinal"`
	Attempt  uint32 `json:"attempt"`
	Exchange string `json:"exchange_id"`
	Route    string `json:"route"`

	// Under says under whose rules it is explained; empty is those of the
	// judgement of Stored.
	Under string `json:"under"`
	// Verdict and Findings are those of these rules.
	Verdict  comparator.Verdict `json:"verdict"`
	Findings []Finding          `json:"findings"`
	// Stored is what the tables say.
	Stored Stored `json:"stored"`
	// Agrees: the tables say the same.
	Agrees bool `json:"agrees"`

	Sent Sent `json:"sent"`
	// Rewrites are what rules have changed in the request beside names.
	Rewrites []Rewrite `json:"rewrites,omitempty"`
	// Completion is nil when the acknowledgement was the answer, or there was
	// none to wait for.
	Completion *Completion `json:"completion,omitempty"`
	Places     []Place     `json:"places"`
	// Dropped is how many places are not among Places.
	Dropped int `json:"places_dropped"`
	// Names are the pairs of names that were put into the request, that occur in
	// the answers, or that this exchange has taught.
	Names []Name `json:"names"`
	// NamesDropped is how many the record had no room for.
	NamesDropped uint32 `json:"names_dropped"`
}

// Stored is what a judgement says of the replay, as the tables have it.
type Stored struct {
	Judgement string `json:"judgement"`
	// Current: the views show the run under it.
	Current bool `json:"current"`
	// Since is when the run was first judged so.
	Since time.Time `json:"since"`

	Verdict    string   `json:"verdict"`
	Findings   []string `json:"findings"`
	Counting   uint32   `json:"differences"`
	Presumed   uint32   `json:"presumed"`
	Harmless   uint32   `json:"noise"`
	Incomplete string   `json:"incomplete,omitempty"`
}

// Finding is one verdict that holds, and why.
type Finding struct {
	Verdict comparator.Verdict `json:"verdict"`
	Because string             `json:"because"`
}

// Place is one place that differs.
type Place struct {
	Place     string `json:"place"`
	Path      string `json:"path"`
	Location  string `json:"location"`
	Kind      string `json:"kind"`
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
	// Class is empty for a difference that counts.
	Class string `json:"noise_class"`
	// Proof is what proves the class, as in comparator.Difference.Evidence, or
	// ByNothing.
	Proof string `json:"proof"`
	Why   []Why  `json:"why"`
	// Rule is the rule that gave the class; nil for none.
	Rule *Rule `json:"rule,omitempty"`
}

// ByNothing is the proof of a class, or of none, that nothing proves.
const ByNothing = "nothing"

// Why is one reason for a class.
type Why struct {
	Text string `json:"text"`
	Pair *Name  `json:"pair,omitempty"`
}

// Rule is the rule that covers a difference.
type Rule struct {
	comparator.ListedRule
	// Where it is written, "understudy.yaml:12:5"; empty for a default rule.
	Where string `json:"where,omitempty"`
}

// Name is a pair of names.
type Name struct {
	Kind      string `json:"kind"`
	Recorded  string `json:"recorded"`
	Candidate string `json:"candidate"`
	// Proof is created or aligned.
	Proof string `json:"proof"`
	// LearnedFrom is the exchange that taught it, BrokenBy the one that
	// contradicted it.
	LearnedFrom string `json:"learned_from"`
	BrokenBy    string `json:"broken_by,omitempty"`
	// Uses is how often it was put into the request.
	Uses uint32 `json:"uses"`
}

// Rewrite is a place of the request that a rule of replay.rewrite has changed.
type Rewrite struct {
	Rule  uint32 `json:"rule"` // from 0
	Place string `json:"place"`
	Name  string `json:"name,omitempty"`
}

func rewritesOf(r *understudyv1.Replay) (out []Rewrite) {
	for _, w := range r.GetRewrites() {
		out = append(out, Rewrite{w.GetRule(), w.GetPlace(), w.GetName()})
	}
	return out
}

// Sent is how the request was sent.
type Sent struct {
	Scheduled time.Time `json:"scheduled"`
	Sent      time.Time `json:"sent"`
	// LagNS is how much later than scheduled, HeldNS how much of that it was
	// held back for an answer that it needs.
	LagNS  int64   `json:"lag_ns"`
	HeldNS int64   `json:"held_ns"`
	Speed  float64 `json:"speed"`
	// Authority is the host under which the candidate was asked.
	Authority string `json:"authority,omitempty"`
	// AckNS is the time to the whole acknowledgement.
	AckNS int64 `json:"ack_ns"`
}

// Options are what only the caller knows.
type Options struct {
	// Under is that of the Explanation.
	Under string
	// Rules are the user's and the default ones, as they stood when the replay
	// was closed.
	Rules []comparator.ListedRule
	// Where says where a rule of the user is written; nil knows nothing.
	Where func(class string) string
}

// Of judges a replay and explains the verdict.
func Of(j *comparator.Judge, r *understudyv1.Replay, stored Stored, o Options) Explanation {
	c, known := j.Explain(r)
	x := Explanation{
		Run: r.GetRun(), Ordinal: r.GetOrdinal(), Attempt: r.GetAttempt(),
		Exchange: r.GetExchange().GetId(), Route: r.GetExchange().GetRoute(),
		Under: o.Under, Verdict: c.Verdict, Findings: []Finding{}, Stored: stored, Dropped: c.Dropped,
		Sent: sentOf(r), Rewrites: rewritesOf(r), Completion: completionOf(r.GetCandidate()),
		Places: []Place{}, Names: namesOf(r, known), NamesDropped: r.GetSubstitutionsDropped(),
	}
	for _, v := range c.Findings {
		x.Findings = append(x.Findings, Finding{v, because(v, r, c)})
	}
	// What matters most comes first.
	slices.SortStableFunc(c.Differences, func(a, b comparator.Difference) int { return weight(b) - weight(a) })
	for _, d := range c.Differences {
		x.Places = append(x.Places, o.place(d))
	}
	x.Agrees = string(c.Verdict) == stored.Verdict && stored.Incomplete == c.Incomplete &&
		c.Totals == comparator.Totals{Counting: int(stored.Counting), Presumed: int(stored.Presumed), Harmless: int(stored.Harmless)}
	return x
}

func weight(d comparator.Difference) int {
	switch {
	case d.Counts():
		return 2
	case d.Presumed():
		return 1
	}
	return 0
}

func sentOf(r *understudyv1.Replay) Sent {
	s := Sent{HeldNS: r.GetHeldNano(), Speed: r.GetSpeed(), Authority: r.GetCandidateAuthority(), AckNS: r.GetCandidate().GetAckServiceNano()}
	if r.GetSentUnixNano() > 0 {
		s.Scheduled, s.Sent = time.Unix(0, r.GetScheduledUnixNano()).UTC(), time.Unix(0, r.GetSentUnixNano()).UTC()
		s.LagNS = r.GetSentUnixNano() - r.GetScheduledUnixNano()
	}
	return s
}

func (o Options) place(d comparator.Difference) Place {
	p := Place{
		Place: string(d.Place), Path: d.Path, Location: d.Location, Kind: string(d.Kind), Baseline: d.Baseline, Candidate: d.Candidate,
		Class: d.Noise, Proof: cmp.Or(d.Evidence(), ByNothing), Why: []Why{},
	}
	if p.Location == "" {
		p.Location = p.Path
	}
	if d.Why != nil {
		for _, w := range d.Why.Reasons {
			p.Why = append(p.Why, whyOf(w))
		}
	}
	if p.Rule = o.rule(d.Noise); p.Rule != nil {
		p.Why = append(p.Why, Why{Text: "rule " + p.Rule.Name + " covers it: " + p.Rule.Reason})
	}
	if len(p.Why) == 0 {
		p.Why = append(p.Why, Why{Text: plain(d)})
	}
	return p
}

func whyOf(r noise.Reason) Why {
	w := Why{Text: r.Text}
	if r.Pair != nil {
		n := nameOf(*r.Pair)
		w.Pair = &n
	}
	return w
}

func (o Options) rule(class string) *Rule {
	for _, l := range o.Rules {
		if l.Class == class && class != "" {
			r := &Rule{ListedRule: l}
			if o.Where != nil {
				r.Where = o.Where(class)
			}
			return r
		}
	}
	return nil
}

// plain is why a difference has its class where nobody looked at its values.
func plain(d comparator.Difference) string {
	switch {
	case d.Noise == comparator.Incomparable:
		return "it cannot be compared: what was recorded does not say enough, or a limit ended the search"
	case d.Presumed():
		return "its name or its shape is that of something made anew for each answer; nothing proves it"
	}
	switch d.Kind {
	case comparator.Missing:
		return "only the baseline has it, and no rule covers what is missing here"
	case comparator.Extra:
		return "only the candidate has it, and no rule covers what is extra here"
	case comparator.Order:
		return "the same elements in another order, and no rule says that the order does not matter"
	case comparator.Status, comparator.Outcome:
		return "what a side did with the request; no rule can cover that"
	}
	return "no rule covers it, and nothing in the record explains it"
}

// secret stands for a name that nobody should see, as in the table
// substitutions.
const secret = "(secret)"

func nameOf(p names.Pair) Name {
	proof := understudyv1.Substitution_PROOF_ALIGNED
	if p.Proof == names.Created {
		proof = understudyv1.Substitution_PROOF_CREATED
	}
	n := Name{Kind: p.Kind, Recorded: p.Baseline.Text, Candidate: p.Candidate.Text, Proof: understudyv1.Label(proof), LearnedFrom: p.From, BrokenBy: p.BrokenBy}
	if redact.IsSecret(p.Kind) {
		n.Recorded, n.Candidate = secret, secret
	}
	return n
}

// namesOf are the pairs of the record, and those that its own answers teach.
func namesOf(r *understudyv1.Replay, known []names.Pair) []Name {
	out := []Name{}
	for _, s := range r.GetSubstitutions() {
		out = append(out, Name{
			Kind: s.GetKind(), Recorded: s.GetRecorded(), Candidate: s.GetCandidate(), Proof: understudyv1.Label(s.GetProof()),
			LearnedFrom: s.GetLearnedFrom(), BrokenBy: s.GetBrokenBy(), Uses: s.GetUses(),
		})
	}
	for _, p := range known {
		n := nameOf(p)
		same := func(o Name) bool { return o.Kind == n.Kind && o.Recorded == n.Recorded && o.Candidate == n.Candidate }
		if p.From == r.GetExchange().GetId() && !slices.ContainsFunc(out, same) {
			out = append(out, n)
		}
	}
	return out
}
