package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"understudy.dev/comparator/diff"
)

// node is a value of a JSON document, by where it stands in the body, so that a
// fault changes nothing but its own place.
type node struct {
	kind     jsontext.Kind
	from, to int    // in the body
	begin    int    // of the member, its name included; from for an element
	name     string // of the member; of an element, that of its list
	text     string // of a string, what it says; of another scalar, how it is written
	path     string // with positions folded
	parent   *node
	children []*node
}

// maxNodes bounds the documents into which faults are planted.
const maxNodes = 20_000

var errTooMany = errors.New("a body of more values than are looked at")

// parse reads the values of a document; path is that of the document, and
// offset where it begins in the body.
func parse(text []byte, offset int, path string) (*node, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	p := &parser{d: d, offset: offset}
	root, err := p.value(&node{path: path})
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something behind the document")
	}
	return root, nil
}

type parser struct {
	d      *jsontext.Decoder
	offset int
	nodes  int
}

// value reads the next value into n, of which the place is known.
func (p *parser) value(n *node) (*node, error) {
	if p.nodes++; p.nodes > maxNodes {
		return nil, errTooMany
	}
	n.kind = p.d.PeekKind()
	if n.kind != '{' && n.kind != '[' {
		raw, err := p.d.ReadValue()
		if err != nil {
			return nil, err
		}
		n.to = p.offset + int(p.d.InputOffset())
		n.from, n.text = n.to-len(raw), string(raw)
		if n.kind == '"' {
			text, err := jsontext.AppendUnquote(nil, raw)
			if err != nil {
				return nil, err
			}
			n.text = string(text)
		}
		return n, nil
	}
	if _, err := p.d.ReadToken(); err != nil {
		return nil, err
	}
	n.from = p.offset + int(p.d.InputOffset()) - 1
	for p.d.PeekKind() != '}' && p.d.PeekKind() != ']' {
		child := &node{parent: n, name: n.name, path: n.path + "[]", begin: -1}
		if n.kind == '{' {
			raw, err := p.d.ReadValue()
			if err != nil {
				return nil, err
			}
			child.begin = p.offset + int(p.d.InputOffset()) - len(raw)
			name, err := jsontext.AppendUnquote(nil, raw)
			if err != nil {
				return nil, err
			}
			child.name, child.path = string(name), diff.Member(n.path, string(name))
		}
		if _, err := p.value(child); err != nil {
			return nil, err
		}
		if child.begin < 0 {
			child.begin = child.from
		}
		n.children = append(n.children, child)
	}
	if _, err := p.d.ReadToken(); err != nil {
		return nil, err
	}
	n.to = p.offset + int(p.d.InputOffset())
	return n, nil
}

// each calls f for a value and all in it.
func (n *node) each(f func(*node)) {
	f(n)
	for _, c := range n.children {
		c.each(f)
	}
}

// meaning is what a scalar says, equal numbers alike.
func (n *node) meaning() string {
	if r, ok := rational(n.text); ok && n.kind == '0' {
		return r.RatString()
	}
	return n.text
}

func (n *node) scalar() bool { return n.kind != '{' && n.kind != '[' }

// splice puts text where something else stood in a body.
type splice struct {
	from, to int
	text     string
}

// edited is the body with the splices made.
func edited(body []byte, edits ...splice) []byte {
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(a, b splice) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, body[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, body[at:]...)
}

// with puts another value in the place of one.
func (n *node) with(text string) splice { return splice{n.from, n.to, text} }

// without takes the i-th child away, with the comma that it no longer needs.
func (n *node) without(i int) splice {
	c := n.children[i]
	switch {
	case i+1 < len(n.children):
		return splice{c.begin, n.children[i+1].begin, ""}
	case i > 0:
		return splice{n.children[i-1].to, c.to, ""}
	}
	return splice{c.begin, c.to, ""}
}

// and puts something behind the last child.
func (n *node) and(text string) splice {
	if len(n.children) > 0 {
		return splice{n.children[len(n.children)-1].to, n.children[len(n.children)-1].to, "," + text}
	}
	return splice{n.to - 1, n.to - 1, text}
}

func quote(s string) string {
	out, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return `"planted"`
	}
	return string(out)
}

// sameJSON says whether two documents mean the same to whoever reads them. It
// is no part of the comparator, which is what is being tested.
func sameJSON(a, b []byte) bool {
	x, okX := meaningOf(a)
	y, okY := meaningOf(b)
	return okX == okY && x == y && (okX || bytes.Equal(a, b))
}

func meaningOf(text []byte) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", false
	}
	out, err := json.Marshal(plain(v))
	return string(out), err == nil
}

// plain spells equal numbers alike.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if r, ok := rational(v.String()); ok {
			return json.RawMessage(`{"number":` + strconv.Quote(r.RatString()) + `}`)
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

// rational reads a number that is not too long to be computed with.
func rational(text string) (*big.Rat, bool) {
	if len(text) > 60 || strings.ContainsAny(text, "eE/") {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
