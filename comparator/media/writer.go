package media

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// writer writes a document within its limits. After the first that is passed
// it writes nothing; document tells.
type writer struct {
	buf    []byte
	limits Limits
	nodes  int
	err    error
}

func newWriter(l Limits) *writer { return &writer{limits: l} }

func (w *writer) document(format string) (Document, error) {
	if w.err == nil && len(w.buf) > w.limits.Bytes {
		w.err = beyond("bytes", w.limits.Bytes)
	}
	if w.err != nil {
		return Document{}, w.err
	}
	return Document{Format: format, JSON: w.buf}, nil
}

// begin makes room for a value; false if there is none.
func (w *writer) begin() bool {
	if w.err != nil {
		return false
	}
	w.nodes++
	switch {
	case w.nodes > w.limits.Nodes:
		w.err = beyond("values", w.limits.Nodes)
	case len(w.buf) > w.limits.Bytes:
		w.err = beyond("bytes", w.limits.Bytes)
	}
	if n := len(w.buf); n > 0 && w.buf[n-1] != '{' && w.buf[n-1] != '[' && w.buf[n-1] != ':' {
		w.buf = append(w.buf, ',')
	}
	return w.err == nil
}

// open begins an object or a list, close ends it.
func (w *writer) open(c byte) {
	if w.begin() {
		w.buf = append(w.buf, c)
	}
}

func (w *writer) close(c byte) {
	if w.err == nil {
		w.buf = append(w.buf, c)
	}
}

// key writes the name of the next value.
func (w *writer) key(name string) {
	if !w.begin() {
		return
	}
	w.nodes--
	if !utf8.ValidString(name) {
		name = "bytes " + hex.EncodeToString([]byte(name))
	}
	w.buf = append(w.quote(name), ':')
}

// text writes a string, and one that is not UTF-8 as an object, which no
// string is equal to.
func (w *writer) text(s string) {
	if !utf8.ValidString(s) {
		w.open('{')
		w.member("bytes", hex.EncodeToString([]byte(s)))
		w.close('}')
		return
	}
	if w.begin() {
		w.buf = w.quote(s)
	}
}

func (w *writer) quote(s string) []byte {
	if len(w.buf)+len(s) > w.limits.Bytes {
		w.err = beyond("bytes", w.limits.Bytes)
		return w.buf
	}
	out, _ := jsontext.AppendQuote(w.buf, s) // it fails for what is not UTF-8
	return out
}

func (w *writer) member(name, value string) {
	w.key(name)
	w.text(value)
}

// raw writes a value that is JSON.
func (w *writer) raw(json []byte) {
	if !w.begin() {
		return
	}
	if len(w.buf)+len(json) > w.limits.Bytes {
		w.err = beyond("bytes", w.limits.Bytes)
		return
	}
	w.buf = append(w.buf, json...)
}

// step is one segment of a location: a member's name, or a position.
type step struct {
	name  string
	index int // -1 for a name
}

// steps reads a location as package diff writes it: $.items[3]["odd name"].
// What it cannot read it leaves out.
func steps(location string) []step {
	var out []step
	if location != "" && location[0] == '$' {
		location = location[1:]
	}
	for location != "" {
		switch {
		case location[0] == '.':
			n := 1
			for n < len(location) && location[n] != '.' && location[n] != '[' {
				n++
			}
			out = append(out, step{location[1:n], -1})
			location = location[n:]
		case len(location) > 1 && location[0] == '[' && location[1] == '"':
			quoted, err := strconv.QuotedPrefix(location[1:])
			if err != nil {
				return out
			}
			name, _ := strconv.Unquote(quoted)
			out = append(out, step{name, -1})
			location = location[min(len(quoted)+2, len(location)):]
		case location[0] == '[':
			n := 1
			for n < len(location) && location[n] != ']' {
				n++
			}
			i, err := strconv.Atoi(location[1:n])
			if err != nil {
				return out
			}
			out = append(out, step{"", i})
			location = location[min(n+1, len(location)):]
		default:
			return out
		}
	}
	return out
}
