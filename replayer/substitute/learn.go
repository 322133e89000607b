package substitute

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/exchange/names"
)

// maxLearn bounds the documents that are learned from, in bytes.
const maxLearn = 1 << 20

// maxValue bounds a value that is learned, in bytes.
const maxValue = 256

// maxDepth bounds the nesting that is followed.
const maxDepth = 64

// Learn finds the pairs in two JSON documents that answer the same request:
// identifiers at the same place with different values. What the client had
// sent itself was not made by the server and is left alone.
func Learn(recorded, candidate []byte, sent ...[]byte) []Pair {
	if len(recorded) > maxLearn || len(candidate) > maxLearn || bytes.Equal(recorded, candidate) {
		return nil
	}
	a, okA := decode(recorded)
	b, okB := decode(candidate)
	if !okA || !okB {
		return nil
	}
	l := newLearner(sent)
	l.walk("", a, b, 0)
	return l.pairs
}

// LearnLocation finds the pairs in the two addresses (Location) of what the
// same request created: segments that differ where the others agree.
func LearnLocation(recorded, candidate string, sent ...[]byte) []Pair {
	if len(recorded) > maxLearn || len(candidate) > maxLearn {
		return nil
	}
	as, bs := segments(recorded), segments(candidate)
	if len(as) != len(bs) {
		return nil
	}
	l := newLearner(sent)
	for i := range as {
		if as[i] == bs[i] {
			continue
		}
		if !identifies(as[i]) || !identifies(bs[i]) {
			return nil // another kind of address: that of an operation, say
		}
		l.learn(Pair{Recorded: as[i], Candidate: bs[i], Number: names.IsDigits(as[i]) && names.IsDigits(bs[i])})
	}
	return l.pairs
}

// segments of an address's path, decoded.
func segments(location string) []string {
	u, err := url.Parse(strings.TrimSpace(location))
	if err != nil {
		return nil
	}
	return strings.Split(u.Path, "/")
}

// identifies: a path segment that was generated. The place speaks for more than
// the shape does, but not for a version or a date.
func identifies(segment string) bool {
	return generated(segment) && !names.IsVersion(segment) && !names.IsDate(segment)
}

func decode(body []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	return v, d.Decode(&v) == nil
}

type learner struct {
	sent  []*names.Text
	pairs []Pair
}

func newLearner(sent [][]byte) *learner {
	l := &learner{}
	for _, text := range sent {
		l.sent = append(l.sent, names.NewText(text))
	}
	return l
}

func (l *learner) walk(name string, a, b any, depth int) {
	if depth > maxDepth || len(l.pairs) >= MaxPairs {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		y, _ := b.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if w, has := y[key]; has {
				l.walk(key, x[key], w, depth+1)
			}
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				l.walk(name, x[i], y[i], depth+1)
			}
		}
	case string:
		if y, ok := b.(string); ok && x != y && generated(x) && generated(y) && (!ambiguous(x) || names.AreIdentifiers(name)) {
			l.learn(Pair{Recorded: x, Candidate: y})
		}
	case json.Number:
		if y, ok := b.(json.Number); ok && x != y && names.AreIdentifiers(name) && names.IsDigits(string(x)) && names.IsDigits(string(y)) {
			l.learn(Pair{Recorded: string(x), Candidate: string(y), Number: true})
		}
	}
}

// learn takes a pair unless the client itself had sent the recorded value.
func (l *learner) learn(p Pair) {
	for _, text := range l.sent {
		if text.Has(p.Recorded) {
			return
		}
	}
	l.pairs = append(l.pairs, p)
}

// carried says whether a request can carry a text as one value.
func carried(s string) bool { return len(s) <= maxValue && !strings.ContainsAny(s, `/?&#"\`) }

func generated(s string) bool { return carried(s) && names.IsGenerated(s) }
