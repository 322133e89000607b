package session

import (
	"bytes"
	"net/url"
	"strings"
)

// Replacer replaces recorded values in one request by the candidate's and
// counts how often it did.
type Replacer struct {
	pairs []Pair
	uses  map[string]uint32
}

// NewReplacer makes a replacer for the pairs of a session.
func NewReplacer(pairs []Pair) *Replacer { return &Replacer{pairs: pairs, uses: map[string]uint32{}} }

// Target replaces whole path segments and whole query values of a raw request
// target.
func (r *Replacer) Target(raw string) string {
	if len(r.pairs) == 0 {
		return raw
	}
	path, query, hasQuery := strings.Cut(raw, "?")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = r.segment(p, url.PathEscape)
	}
	out := strings.Join(parts, "/")
	if !hasQuery {
		return out
	}
	fields := strings.Split(query, "&")
	for i, f := range fields {
		if name, value, ok := strings.Cut(f, "="); ok {
			fields[i] = name + "=" + r.segment(value, url.QueryEscape)
		}
	}
	return out + "?" + strings.Join(fields, "&")
}

func (r *Replacer) segment(s string, escape func(string) string) string {
	for _, p := range r.pairs {
		if s == p.Recorded || s == escape(p.Recorded) {
			r.uses[p.Recorded]++
			return escape(p.Candidate)
		}
	}
	return s
}

// JSON replaces whole strings, and numbers that were learned as numbers, in a
// JSON document, leaving every other byte as it is.
func (r *Replacer) JSON(body []byte) []byte {
	for _, p := range r.pairs {
		old, with := p.Recorded, p.Candidate
		if !p.Number {
			old, with = `"`+old+`"`, `"`+with+`"`
		}
		if !bytes.Contains(body, []byte(old)) {
			continue
		}
		body = r.replace(body, p, old, with)
	}
	return body
}

func (r *Replacer) replace(body []byte, p Pair, old, with string) []byte {
	var out []byte
	from := 0
	for at := 0; ; {
		i := bytes.Index(body[at:], []byte(old))
		if i < 0 {
			break
		}
		i += at
		at = i + len(old)
		if p.Number && !bare(body, i, at) || !p.Number && isKey(body, at) {
			continue
		}
		out = append(append(out, body[from:i]...), with...)
		from = at
		r.uses[p.Recorded]++
	}
	if from == 0 {
		return body
	}
	return append(out, body[from:]...)
}

// bare: the number stands alone between JSON's separators.
func bare(body []byte, start, end int) bool {
	before := bytes.TrimRight(body[:start], " \t\r\n")
	after := bytes.TrimLeft(body[end:], " \t\r\n")
	okBefore := len(before) == 0 || bytes.IndexByte([]byte(":[,"), before[len(before)-1]) >= 0
	okAfter := len(after) == 0 || bytes.IndexByte([]byte(",]}"), after[0]) >= 0
	return okBefore && okAfter
}

// isKey: the string is the name of a member.
func isKey(body []byte, end int) bool {
	after := bytes.TrimLeft(body[end:], " \t\r\n")
	return len(after) > 0 && after[0] == ':'
}

// Uses is how often each recorded value was replaced.
func (r *Replacer) Uses() map[string]uint32 { return r.uses }

// Occurs says whether a recorded value stands in a text as a whole word.
func Occurs(text []byte, value string) bool { return contains(text, value) }
