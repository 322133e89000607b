// Package noise classifies differing values as harmless where the record
// itself shows why they differ: generated times, renamed identifiers, random
// tokens. It never looks beyond one record, so the same record always gives
// the same classes. What is classified stays visible; it only does not count.
package noise

import (
	"time"

	"understudy.dev/exchange/names"
)

// The classes.
const (
	// Timestamp: both values lie equally far from their own request.
	Timestamp = "timestamp"
	// Identifier: one value renames the other, consistently.
	Identifier = "identifier"
	// Random: both are generated tokens of the same shape.
	Random = "random"
)

// DefaultSkew is how much more than the durations of both requests the
// distances of two timestamps may differ.
const DefaultSkew = 5 * time.Second

// Evidence is what one record tells about its values.
type Evidence struct {
	// BaselineTime and CandidateTime are when each side got the request, Slack
	// how long they took together.
	BaselineTime, CandidateTime time.Time
	Slack, Skew                 time.Duration
	// Speed is the scale of the replay: what happened four seconds before a
	// recorded request happened 4 s / Speed before the replayed one. 0 is 1.
	Speed float64
	// Sent holds what the client sent: target, header values, body. A value
	// that stands in it was not generated and must come back unchanged.
	Sent [][]byte
	// BaselineHost is the authority that the client spoke to. Links to it may
	// name another one on the candidate's side, always the same.
	BaselineHost string

	renamed names.Bijection
}

// Rename adds a pair that is known from elsewhere in the session.
func (e *Evidence) Rename(baseline, candidate string) { e.renamed.Know(baseline, candidate) }

// Value is a scalar as text, and whether it was a number.
type Value struct {
	Text   string
	Number bool
}

// Class says which class explains the difference of two values under a name,
// "" if none does.
func (e *Evidence) Class(name string, baseline, candidate Value) string {
	b, c := baseline.Text, candidate.Text
	if baseline.Number != candidate.Number || b == "" || c == "" || len(b) > maxValue || len(c) > maxValue {
		return ""
	}
	if known, ok := e.renamed.Candidate(b); ok && known == c && (names.IsMinted(name) || names.IsSelfEvident(b)) {
		return Identifier
	}
	if names.SentAs(e.Sent, name, b) {
		return ""
	}
	if same, both := e.timestamps(baseline, candidate); both {
		if same {
			return Timestamp
		}
		return ""
	}
	switch {
	case e.identifiers(name, baseline, candidate):
		return Identifier
	case baseline.Number:
		return ""
	case names.AreRandom(b, c) && e.renamed.Admit(b, c):
		return Random
	case e.links(b, c):
		return Identifier
	}
	return ""
}

// maxValue is the longest value that is classified, in bytes.
const maxValue = 4096
