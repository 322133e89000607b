package names

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Tree is a JSON document taken apart once, for all who look into it: its values
// in the order in which they stand there, the document itself first. The zero
// value is no document.
type Tree []Node

// Node is one value of a document.
type Node struct {
	Kind NodeKind
	// Name is that of the member that the value is; empty for an element.
	Name string
	// Text is a string without its escapes, or a number as it is written.
	Text string
	// end is how many nodes it is to the next value that is not within this one.
	end int32
}

// NodeKind is the type of a value.
type NodeKind uint8

// The types of values (RFC 8259).
const (
	Null NodeKind = iota
	False
	True
	Number
	String
	Array
	Object
)

// Bounds of a document that is taken apart.
const (
	maxTree      = 1 << 20 // bytes
	maxTreeDepth = 10_000
)

// Parse takes the first JSON value of a body apart. whole says that nothing
// follows it. What is no JSON, or more than 1 MiB, gives no tree.
func Parse(body []byte) (t Tree, whole bool) {
	return parse(body, nil)
}

// parse takes it apart into nodes that nobody looks into.
func parse(body []byte, nodes Tree) (t Tree, whole bool) {
	if len(body) == 0 || len(body) > maxTree {
		return nil, false
	}
	p := parser{text: string(body), nodes: slices.Grow(nodes[:0], 8+len(body)/16)}
	if !p.value("", 0) {
		return nil, false
	}
	p.space()
	return p.nodes, p.at == len(p.text)
}

// spare are trees that nobody looks into any more.
var spare = sync.Pool{New: func() any { return new(Tree) }}

// largeTree is from how many nodes on a tree's room is not kept.
const largeTree = 1 << 14

// release keeps the room of a tree for another one.
func (t Tree) release() {
	if cap(t) == 0 || cap(t) > largeTree {
		return
	}
	clear(t) // not the text of the document
	t = t[:0]
	spare.Put(&t)
}

// Members goes over the members of an object, each a tree of its own; anything
// else has none.
func (t Tree) Members() func(yield func(Tree) bool) { return t.inner(Object) }

// Elements goes over the elements of an array, each a tree of its own; anything
// else has none.
func (t Tree) Elements() func(yield func(Tree) bool) { return t.inner(Array) }

func (t Tree) inner(kind NodeKind) func(yield func(Tree) bool) {
	return func(yield func(Tree) bool) {
		if len(t) == 0 || t[0].Kind != kind {
			return
		}
		for at := int32(1); at < t[0].end; at += t[at].end {
			if !yield(t[at : at+t[at].end]) {
				return
			}
		}
	}
}

// Member is the member of a name, the last one if there are several; nil if
// there is none.
func (t Tree) Member(name string) (found Tree) {
	for m := range t.Members() {
		if m[0].Name == name {
			found = m
		}
	}
	return found
}

// appendSorted appends the members of an object in the order of their names;
// of those of one name, the last.
func appendSorted(out []Tree, t Tree) []Tree {
	from := len(out)
	for m := range t.Members() {
		out = append(out, m)
	}
	list := out[from:]
	slices.SortStableFunc(list, func(a, b Tree) int { return strings.Compare(a[0].Name, b[0].Name) })
	kept := 0
	for i, m := range list {
		if i+1 < len(list) && list[i+1][0].Name == m[0].Name {
			continue
		}
		list[kept] = m
		kept++
	}
	return out[:from+kept]
}

// member finds one among sorted members; nil if there is none.
func member(sorted []Tree, name string) Tree {
	i, ok := slices.BinarySearchFunc(sorted, name, func(m Tree, name string) int { return strings.Compare(m[0].Name, name) })
	if !ok {
		return nil
	}
	return sorted[i]
}

// Is says whether it is a value of a kind.
func (t Tree) Is(kind NodeKind) bool { return len(t) > 0 && t[0].Kind == kind }

// value is a scalar as the value of a name.
func (t Tree) value() (Value, bool) {
	return Value{t[0].Text, t[0].Kind == Number}, t[0].Kind == Number || t[0].Kind == String
}

// parser reads JSON (RFC 8259).
type parser struct {
	text  string
	at    int
	nodes Tree
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// next reads a character and blanks before it.
func (p *parser) next(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) value(name string, depth int) bool {
	p.space()
	if p.at >= len(p.text) || depth > maxTreeDepth {
		return false
	}
	i := len(p.nodes)
	p.nodes = append(p.nodes, Node{Name: name})
	ok := false
	switch c := p.text[p.at]; c {
	case '{':
		p.nodes[i].Kind = Object
		ok = p.members(depth)
	case '[':
		p.nodes[i].Kind = Array
		ok = p.elements(depth)
	case '"':
		p.nodes[i].Kind = String
		p.nodes[i].Text, ok = p.string()
	case 't':
		p.nodes[i].Kind = True
		ok = p.literal("true")
	case 'f':
		p.nodes[i].Kind = False
		ok = p.literal("false")
	case 'n':
		ok = p.literal("null")
	default:
		p.nodes[i].Kind = Number
		p.nodes[i].Text, ok = p.number()
	}
	p.nodes[i].end = int32(len(p.nodes) - i)
	return ok
}

func (p *parser) members(depth int) bool {
	p.at++
	if p.next('}') {
		return true
	}
	for {
		p.space()
		if p.at >= len(p.text) || p.text[p.at] != '"' {
			return false
		}
		name, ok := p.string()
		if !ok || !p.next(':') || !p.value(name, depth+1) {
			return false
		}
		if p.next('}') {
			return true
		}
		if !p.next(',') {
			return false
		}
	}
}

func (p *parser) elements(depth int) bool {
	p.at++
	if p.next(']') {
		return true
	}
	for p.value("", depth+1) {
		if p.next(']') {
			return true
		}
		if !p.next(',') {
			return false
		}
	}
	return false
}

func (p *parser) literal(word string) bool {
	ok := strings.HasPrefix(p.text[p.at:], word)
	p.at += len(word)
	return ok
}

// string reads what stands between quotes; encoding/json does so where it is
// more than what it stands for.
func (p *parser) string() (string, bool) {
	from := p.at + 1
	plain := true
	for p.at = from; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			raw := p.text[from : p.at-1]
			if plain || !strings.Contains(raw, `\`) && utf8.ValidString(raw) {
				return raw, true
			}
			var s string
			err := json.Unmarshal([]byte(p.text[from-1:p.at]), &s)
			return s, err == nil
		case c == '\\':
			p.at++
			plain = false
		case c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	return "", false
}

func (p *parser) number() (string, bool) {
	from := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	ok := true
	if p.at < len(p.text) && p.text[p.at] == '0' {
		p.at++
	} else {
		ok = p.digits()
	}
	if ok && p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		ok = p.digits()
	}
	if ok && p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		ok = p.digits()
	}
	return p.text[from:p.at], ok
}

func (p *parser) digits() bool {
	from := p.at
	for p.at < len(p.text) && isDigit(p.text[p.at]) {
		p.at++
	}
	return p.at > from
}
