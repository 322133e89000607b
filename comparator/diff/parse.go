// Package diff finds where two JSON documents differ, without building values:
// both are parsed into flat tapes over their own bytes and walked side by
// side. Numbers are compared exactly as decimals, never through floating
// point; the order of object members is irrelevant.
//
// Grammar: RFC 8259. Members of one name are paired in the order of their
// occurrence, so a repeated name that only one side has is a difference.
package diff

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 512

// ErrSyntax is wrapped by the errors of documents that are not JSON.
var ErrSyntax = errors.New("not JSON")

// kind of a node.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

func (k kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// node is one value on the tape. Its children follow it; skip is the index of
// the node after its last descendant. An object's children have keys.
type node struct {
	start, end       int32 // raw bytes
	keyStart, keyEnd int32 // raw key without quotes
	skip             int32
	count            int32 // children
	kind             kind
	escaped          bool // a string with escapes
	keyEscaped       bool
}

// tape is a parsed document.
type tape struct {
	data  []byte
	nodes []node
}

func (t *tape) raw(n *node) []byte { return t.data[n.start:n.end] }
func (t *tape) key(n *node) []byte { return t.data[n.keyStart:n.keyEnd] }

type parser struct {
	t   *tape
	pos int
}

// parse fills the tape with data, which must not change while it is used.
func (t *tape) parse(data []byte) error {
	t.data, t.nodes = data, t.nodes[:0]
	if len(data) > 1<<30 {
		return fmt.Errorf("%w: %d bytes are too many", ErrSyntax, len(data))
	}
	if !utf8.Valid(data) {
		return fmt.Errorf("%w: invalid UTF-8", ErrSyntax)
	}
	p := parser{t: t}
	p.space()
	if err := p.value(0); err != nil {
		return err
	}
	p.space()
	if p.pos != len(data) {
		return p.fail("text after the document")
	}
	return nil
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("%w: %s at offset %d", ErrSyntax, what, p.pos)
}

func (p *parser) space() {
	data := p.t.data
	i := p.pos
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	p.pos = i
}

func (p *parser) value(depth int) error {
	if depth > MaxDepth {
		return p.fail("nested too deeply")
	}
	data := p.t.data
	if p.pos >= len(data) {
		return p.fail("unexpected end")
	}
	at := len(p.t.nodes)
	p.t.nodes = append(p.t.nodes, node{start: int32(p.pos)})
	var err error
	var k kind
	switch c := data[p.pos]; c {
	case '{':
		k, err = object, p.object(depth, at)
	case '[':
		k, err = array, p.array(depth, at)
	case '"':
		k = text
		p.t.nodes[at].escaped, err = p.text()
	case 't':
		k, err = boolean, p.word("true")
	case 'f':
		k, err = boolean, p.word("false")
	case 'n':
		k, err = null, p.word("null")
	default:
		k, err = number, p.number()
	}
	n := &p.t.nodes[at]
	n.kind, n.end, n.skip = k, int32(p.pos), int32(len(p.t.nodes))
	return err
}

func (p *parser) word(w string) error {
	if end := p.pos + len(w); end <= len(p.t.data) && string(p.t.data[p.pos:end]) == w {
		p.pos = end
		return nil
	}
	return p.fail("no value")
}

func (p *parser) object(depth, at int) error {
	p.pos++
	p.space()
	if p.peek() == '}' {
		p.pos++
		return nil
	}
	for {
		if p.peek() != '"' {
			return p.fail("expected a name")
		}
		keyStart := p.pos + 1
		escaped, err := p.text()
		if err != nil {
			return err
		}
		keyEnd := p.pos - 1
		p.space()
		if p.peek() != ':' {
			return p.fail("expected a colon")
		}
		p.pos++
		p.space()
		child := len(p.t.nodes)
		if err := p.value(depth + 1); err != nil {
			return err
		}
		n := &p.t.nodes[child]
		n.keyStart, n.keyEnd, n.keyEscaped = int32(keyStart), int32(keyEnd), escaped
		p.t.nodes[at].count++
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case '}':
			p.pos++
			return nil
		default:
			return p.fail("expected a comma or a brace")
		}
	}
}

func (p *parser) array(depth, at int) error {
	p.pos++
	p.space()
	if p.peek() == ']' {
		p.pos++
		return nil
	}
	for {
		if err := p.value(depth + 1); err != nil {
			return err
		}
		p.t.nodes[at].count++
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case ']':
			p.pos++
			return nil
		default:
			return p.fail("expected a comma or a bracket")
		}
	}
}

func (p *parser) peek() byte {
	if p.pos < len(p.t.data) {
		return p.t.data[p.pos]
	}
	return 0
}

// plain marks the bytes that a string may hold as they are.
var plain = func() (t [256]bool) {
	for i := range t {
		t[i] = i >= 0x20 && i != '"' && i != '\\'
	}
	return t
}()

// text passes a string and tells whether it has escapes.
func (p *parser) text() (escaped bool, err error) {
	data := p.t.data
	i := p.pos + 1
	for {
		for i < len(data) && plain[data[i]] {
			i++
		}
		if i >= len(data) {
			p.pos = i
			return escaped, p.fail("unterminated string")
		}
		switch data[i] {
		case '"':
			p.pos = i + 1
			return escaped, nil
		case '\\':
			escaped = true
			n := escapeLength(data[i:])
			if n == 0 {
				p.pos = i
				return escaped, p.fail("invalid escape")
			}
			i += n
		default:
			p.pos = i
			return escaped, p.fail("control character in a string")
		}
	}
}

// escapeLength is the length of the escape at the start of s, 0 if it is none.
func escapeLength(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) >= 6 && hex(s[2]) >= 0 && hex(s[3]) >= 0 && hex(s[4]) >= 0 && hex(s[5]) >= 0 {
			return 6
		}
	}
	return 0
}

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (p *parser) number() error {
	data := p.t.data
	i := p.pos
	digits := func() bool {
		from := i
		for i < len(data) && data[i] >= '0' && data[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(data) && data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if !digits() {
		return p.fail("no value")
	}
	if i < len(data) && data[i] == '.' {
		i++
		if !digits() {
			p.pos = i
			return p.fail("expected digits")
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if !digits() {
			p.pos = i
			return p.fail("expected digits")
		}
	}
	p.pos = i
	return nil
}
