package substitute

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"understudy.dev/exchange/names"
)

// Replacer replaces recorded values in one request by the candidate's and
// counts how often it did. Every place is looked at once, so that a value put
// in is never taken for a recorded one: 17 → 18 and 18 → 19 do not chain.
//
// An integer of fewer than five digits may as well be a page or a quantity. It
// is replaced only where it is a path segment, or the name beside it is that of
// an identifier.
type Replacer struct {
	pairs map[string]Pair
	uses  map[string]uint32
}

// NewReplacer makes a replacer for the pairs of a session.
func NewReplacer(pairs []Pair) *Replacer {
	r := &Replacer{pairs: make(map[string]Pair, len(pairs)), uses: map[string]uint32{}}
	for _, p := range pairs {
		r.pairs[p.Recorded] = p
	}
	return r
}

// Target replaces whole path segments and whole query values of a raw request
// target.
func (r *Replacer) Target(raw string) string {
	if len(r.pairs) == 0 {
		return raw
	}
	path, query, hasQuery := strings.Cut(raw, "?")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = r.escaped(p, url.PathUnescape, url.PathEscape, true)
	}
	out := strings.Join(parts, "/")
	if !hasQuery {
		return out
	}
	return out + "?" + r.fields(query)
}

// Form replaces whole values of a body that is a URL-encoded form.
func (r *Replacer) Form(body []byte) []byte {
	if len(r.pairs) == 0 || len(body) == 0 {
		return body
	}
	return []byte(r.fields(string(body)))
}

func (r *Replacer) fields(query string) string {
	fields := strings.Split(query, "&")
	for i, f := range fields {
		if name, value, ok := strings.Cut(f, "="); ok {
			fields[i] = name + "=" + r.escaped(value, url.QueryUnescape, url.QueryEscape, names.AreIdentifiers(name))
		}
	}
	return strings.Join(fields, "&")
}

// escaped replaces a value that may be percent-encoded; anything else stays as
// it was written.
func (r *Replacer) escaped(s string, unescape func(string) (string, error), escape func(string) string, named bool) string {
	value, err := unescape(s)
	if err != nil {
		value = s
	}
	p, ok := r.pairs[value]
	if !ok || ambiguous(value) && !named {
		return s
	}
	r.uses[p.Recorded]++
	return escape(p.Candidate)
}

// JSON replaces whole strings and integers in a JSON document, leaving every
// other byte as it is. What is not JSON may come out changed, but only in what
// looks like a value.
func (r *Replacer) JSON(body []byte) []byte {
	if len(r.pairs) == 0 {
		return body
	}
	d := document{r: r, body: body}
	for d.at < len(body) {
		d.step()
	}
	if d.from == 0 {
		return body
	}
	return append(d.out, body[d.from:]...)
}

// document is a pass over one JSON document.
type document struct {
	r        *Replacer
	body     []byte
	at       int
	from     int // what is not yet in out
	out      []byte
	name     []byte   // of the member, or of the array that holds the value
	enclosed [][]byte // names of the containers around
}

func (d *document) step() {
	start := d.at
	switch c := d.body[start]; {
	case c == '"':
		d.at = stringEnd(d.body, start)
		text := d.body[start+1 : max(start+1, d.at-1)]
		if isKey(d.body, d.at) {
			d.name = text
			return
		}
		if p, ok := d.pair(text); ok {
			d.put(start, p, quoted(p.Candidate))
		}
	case c == '-' || c >= '0' && c <= '9':
		for d.at < len(d.body) && strings.IndexByte("+-.eE0123456789", d.body[d.at]) >= 0 {
			d.at++
		}
		if p, ok := d.pair(d.body[start:d.at]); ok && isJSONInteger(p.Candidate) {
			d.put(start, p, p.Candidate)
		}
	default:
		d.at++
		d.nest(c)
	}
}

// nest follows the containers, so that an element bears its array's name.
func (d *document) nest(c byte) {
	switch c {
	case '{', '[':
		d.enclosed = append(d.enclosed, d.name)
	case '}', ']':
		if n := len(d.enclosed); n > 0 {
			d.name, d.enclosed = d.enclosed[n-1], d.enclosed[:n-1]
		}
	}
}

func (d *document) pair(text []byte) (Pair, bool) {
	if len(text) > maxValue {
		return Pair{}, false
	}
	p, ok := d.r.pairs[string(text)]
	return p, ok && (!ambiguous(p.Recorded) || names.AreIdentifiers(string(d.name)))
}

// put replaces what lies between start and the place reached.
func (d *document) put(start int, p Pair, with string) {
	d.out = append(append(d.out, d.body[d.from:start]...), with...)
	d.from = d.at
	d.r.uses[p.Recorded]++
}

// stringEnd is the offset behind the string that begins at start.
func stringEnd(body []byte, start int) int {
	for i := start + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

// isKey: the string before end is the name of a member.
func isKey(body []byte, end int) bool {
	after := bytes.TrimLeft(body[end:], " \t\r\n")
	return len(after) > 0 && after[0] == ':'
}

func quoted(s string) string {
	out, err := json.Marshal(s)
	if err != nil {
		return `""` // cannot be: every string can be encoded
	}
	return string(out)
}

func isJSONInteger(s string) bool { return names.IsDigits(s) && (s == "0" || s[0] != '0') }

// ambiguous: as likely a quantity as an identifier.
func ambiguous(s string) bool { return len(s) < 5 && names.IsDigits(s) }

// Uses is how often each recorded value was replaced.
func (r *Replacer) Uses() map[string]uint32 { return r.uses }
