// Package noise classifies differing values as harmless where the record
// itself shows why they differ: generated times, renamed identifiers, random
// tokens. It never looks beyond one record, so the same record always gives
// the same classes. What is classified stays visible; it only does not count.
package noise

import (
	"bytes"
	"net/url"
	"strings"
	"time"
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
	// Given holds what the client sent: target and body. A value that stands
	// in it was not generated and must come back unchanged.
	Given [][]byte
	// BaselineHost is the authority that the client spoke to.
	BaselineHost string

	renamed map[string]string // baseline → candidate
	origin  map[string]string // candidate → baseline
}

// Rename adds a pair that is known from elsewhere in the session.
func (e *Evidence) Rename(baseline, candidate string) {
	if e.renamed == nil {
		e.renamed, e.origin = map[string]string{}, map[string]string{}
	}
	if _, known := e.renamed[baseline]; !known {
		e.renamed[baseline] = candidate
	}
	if _, known := e.origin[candidate]; !known {
		e.origin[candidate] = baseline
	}
}

// consistent adds the pair if neither value is paired otherwise.
func (e *Evidence) consistent(baseline, candidate string) bool {
	if c, known := e.renamed[baseline]; known && c != candidate {
		return false
	}
	if b, known := e.origin[candidate]; known && b != baseline {
		return false
	}
	e.Rename(baseline, candidate)
	return true
}

// Value is a scalar as text, and whether it was a number.
type Value struct {
	Text   string
	Number bool
}

// Class says which class explains the difference of two values under a name,
// "" if none does.
func (e *Evidence) Class(name string, baseline, candidate Value) string {
	b, c := baseline.Text, candidate.Text
	if baseline.Number != candidate.Number || b == "" || c == "" || len(b) > 4096 || len(c) > 4096 {
		return ""
	}
	if known, ok := e.renamed[b]; ok && known == c {
		return Identifier
	}
	if e.given(b) {
		return ""
	}
	if same, both := e.timestamps(name, baseline, candidate); both {
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
	case random(b) && random(c) && shape(b) == shape(c) && e.consistent(b, c):
		return Random
	case e.links(b, c):
		return Identifier
	}
	return ""
}

// given says whether the client sent the value. Short values occur by chance
// and are looked for as whole words only.
func (e *Evidence) given(value string) bool {
	for _, g := range e.Given {
		for from := 0; ; {
			i := bytes.Index(g[from:], []byte(value))
			if i < 0 {
				break
			}
			i += from
			end := i + len(value)
			if (i == 0 || !wordByte(g[i-1])) && (end == len(g) || !wordByte(g[end])) {
				return true
			}
			from = i + 1
		}
	}
	return false
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// links compares texts that contain identifiers: paths, URLs, composed keys.
// All segments must be equal but for consistent identifiers.
func (e *Evidence) links(b, c string) bool {
	if !strings.ContainsAny(b, "/:?&=") {
		return false
	}
	bs, cs := segments(e.path(b)), segments(e.path(c))
	if len(bs) != len(cs) {
		return false
	}
	for i := range bs {
		if bs[i] == cs[i] {
			continue
		}
		if known, ok := e.renamed[bs[i]]; ok && known == cs[i] {
			continue
		}
		if !generated(bs[i]) || !generated(cs[i]) || e.given(bs[i]) || !e.consistent(bs[i], cs[i]) {
			return false
		}
	}
	return true
}

// path drops scheme and authority when the latter is that of the request,
// which a replay may keep or not.
func (e *Evidence) path(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !strings.EqualFold(u.Host, e.BaselineHost) {
		return s
	}
	u.Scheme, u.Host = "", ""
	return u.String()
}

func segments(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("/:?&=#", r) })
}
