package substitute

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxLearn bounds the documents that are learned from, in bytes.
const maxLearn = 1 << 20

// maxValue bounds a value that is learned, in bytes.
const maxValue = 256

// maxDepth bounds the nesting that is followed.
const maxDepth = 64

// Learn finds the pairs in two JSON documents that answer the same request:
// identifiers at the same place with different values. Values that the client
// had sent itself are none of the server's making and are left alone.
func Learn(recorded, candidate []byte, given ...[]byte) []Pair {
	if len(recorded) > maxLearn || len(candidate) > maxLearn || bytes.Equal(recorded, candidate) {
		return nil
	}
	a, okA := decode(recorded)
	b, okB := decode(candidate)
	if !okA || !okB {
		return nil
	}
	l := newLearner(given)
	l.walk("", a, b, 0)
	return l.pairs
}

// LearnLocation finds the pairs in the two addresses (Location) of what the
// same request created: segments that differ where the others agree.
func LearnLocation(recorded, candidate string, given ...[]byte) []Pair {
	if len(recorded) > maxLearn || len(candidate) > maxLearn {
		return nil
	}
	as, bs := segments(recorded), segments(candidate)
	if len(as) != len(bs) {
		return nil
	}
	l := newLearner(given)
	for i := range as {
		if as[i] == bs[i] {
			continue
		}
		if !identifies(as[i]) || !identifies(bs[i]) {
			return nil // another kind of address: that of an operation, say
		}
		l.learn(Pair{Recorded: as[i], Candidate: bs[i], Number: integer(as[i]) && integer(bs[i])})
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

// identifies: a path segment that was generated; the place speaks for a short
// number.
func identifies(segment string) bool { return integer(segment) || generated(segment) }

func decode(body []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	return v, d.Decode(&v) == nil
}

type learner struct {
	given []*text
	pairs []Pair
}

func newLearner(given [][]byte) *learner {
	l := &learner{}
	for _, g := range given {
		l.given = append(l.given, &text{content: g})
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
		if y, ok := b.(string); ok && x != y && generated(x) && generated(y) && (!ambiguous(x) || identifier(name)) {
			l.learn(Pair{Recorded: x, Candidate: y})
		}
	case json.Number:
		if y, ok := b.(json.Number); ok && x != y && identifier(name) && integer(string(x)) && integer(string(y)) {
			l.learn(Pair{Recorded: string(x), Candidate: string(y), Number: true})
		}
	}
}

// learn takes a pair unless the client itself had sent the recorded value.
func (l *learner) learn(p Pair) {
	for _, g := range l.given {
		if g.has(p.Recorded) {
			return
		}
	}
	l.pairs = append(l.pairs, p)
}

// generated: a text that holds a digit and nothing that separates words, and
// is no decimal (129.90 and 129.9 are one amount, not two names).
func generated(s string) bool {
	if len(s) > maxValue || !strings.ContainsAny(s, "0123456789") || strings.ContainsFunc(s, separates) {
		return false
	}
	if integer(s) {
		return true
	}
	_, err := strconv.ParseFloat(s, 64)
	return len(s) > 1 && err != nil
}

func separates(c rune) bool { return c <= ' ' || c == 0x7f || strings.ContainsRune(`/?&#"\`, c) }

func integer(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != "" && len(s) < 40
}

// identifier: a name that ends in id, or in ids for a list of them.
func identifier(name string) bool {
	name = strings.TrimSuffix(name, "[]")
	name = strings.TrimSuffix(name, "s")
	lower := strings.ToLower(name)
	return lower == "id" || strings.HasSuffix(lower, "_id") || strings.HasSuffix(lower, "-id") || strings.HasSuffix(lower, ".id") ||
		strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "ID")
}
