package session

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// maxLearn bounds the documents that are learned from, in bytes.
const maxLearn = 1 << 20

// maxValue bounds a value that is learned, in bytes.
const maxValue = 256

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
	l := learner{given: given}
	l.walk("", a, b, 0)
	return l.pairs
}

func decode(body []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	return v, d.Decode(&v) == nil
}

type learner struct {
	given [][]byte
	pairs []Pair
}

func (l *learner) walk(name string, a, b any, depth int) {
	if depth > 64 || len(l.pairs) >= MaxPairs {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		for key, v := range x {
			if w, has := y[key]; ok && has {
				l.walk(key, v, w, depth+1)
			}
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				l.walk(name, x[i], y[i], depth+1)
			}
		}
	case string:
		if y, ok := b.(string); ok {
			l.text(x, y)
		}
	case json.Number:
		if y, ok := b.(json.Number); ok && x != y && identifier(name) && integer(string(x)) && integer(string(y)) && !l.sent(string(x)) {
			l.pairs = append(l.pairs, Pair{Recorded: string(x), Candidate: string(y), Number: true})
		}
	}
}

// text learns a string that was generated: it holds a digit, no blank, and is
// no decimal (129.90 and 129.9 are one amount, not two names).
func (l *learner) text(x, y string) {
	if x == y || !generated(x) || !generated(y) || l.sent(x) {
		return
	}
	l.pairs = append(l.pairs, Pair{Recorded: x, Candidate: y})
}

func generated(s string) bool {
	if len(s) < 2 || len(s) > maxValue || !strings.ContainsAny(s, "0123456789") || strings.ContainsAny(s, " \t\r\n/?&#\"\\") {
		return false
	}
	if integer(s) {
		return true
	}
	_, err := strconv.ParseFloat(s, 64)
	return err != nil
}

func integer(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != "" && len(s) < 40
}

func identifier(name string) bool {
	lower := strings.ToLower(name)
	return lower == "id" || strings.HasSuffix(lower, "_id") || strings.HasSuffix(lower, "-id") ||
		strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "ID")
}

func (l *learner) sent(value string) bool {
	for _, g := range l.given {
		if contains(g, value) {
			return true
		}
	}
	return false
}

// contains looks for a value as a whole word.
func contains(text []byte, value string) bool { return index(text, value, 0) >= 0 }

// index is where value stands as a whole word in text[from:], -1 if nowhere.
func index(text []byte, value string, from int) int {
	for {
		i := bytes.Index(text[from:], []byte(value))
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(value)
		if (i == 0 || !word(text[i-1])) && (end == len(text) || !word(text[end])) {
			return i
		}
		from = i + 1
	}
}

// word characters continue a value; a hyphen does too, so that a part of a
// UUID is not taken for a number.
func word(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-' || c == '.'
}
