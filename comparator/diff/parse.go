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

// maxSize bounds a document, in bytes: positions are int32.
const maxSize = 1 << 30

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
	skip             int32 // while it is open: its parent, -1 for none
	count            int32 // children
	kind             kind
	escaped          bool // a string with escapes
	keyEscaped       bool
}

// tape is a parsed document.
type tape struct {
	data  []byte
	nodes []node
	// hashes of nodes, 0 where unknown; empty until one is asked for.
	hashes []uint64
}

func (t *tape) raw(n *node) []byte { return t.data[n.start:n.end] }
func (t *tape) key(n *node) []byte { return t.data[n.keyStart:n.keyEnd] }

func syntax(what string, at int) error {
	return fmt.Errorf("%w: %s at offset %d", ErrSyntax, what, at)
}

// parse fills the tape with data, which must not change while it is used.
func (t *tape) parse(data []byte) error {
	t.data, t.nodes, t.hashes = data, t.nodes[:0], t.hashes[:0]
	if len(data) > maxSize {
		return fmt.Errorf("%w: %d bytes are too many", ErrSyntax, len(data))
	}
	i, err := t.document(data)
	if err != nil {
		return err
	}
	if i = space(data, i); i != len(data) {
		return syntax("text after the document", i)
	}
	if !utf8.Valid(data) {
		return fmt.Errorf("%w: invalid UTF-8", ErrSyntax)
	}
	return nil
}

// document parses one value and what it contains, in one loop: open containers
// are linked through their skip, so the depth of the input costs no stack.
func (t *tape) document(data []byte) (int, error) {
	nodes := t.nodes
	defer func() { t.nodes = nodes }()
	open, depth := int32(-1), 0
	var key node // the key of the next value
	i := space(data, 0)
	for {
		// A value begins at i.
		if i >= len(data) {
			return i, syntax("unexpected end", i)
		}
		n := key
		n.start = int32(i)
		at := int32(len(nodes))
		switch c := data[i]; {
		case c == '"':
			end, escaped, what := passText(data, i)
			if what != "" {
				return end, syntax(what, end)
			}
			i, n.kind, n.escaped = end, text, escaped
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return i, syntax("nested too deeply", i)
			}
			n.kind, n.skip = container(c), open
			nodes, open = append(nodes, n), at
			i = space(data, i+1)
			if i < len(data) && data[i] == c+2 { // } and ] follow { and [ by two
				break
			}
			if c == '{' {
				var err error
				if i, err = passKey(data, i, &key); err != nil {
					return i, err
				}
			} else {
				key = node{}
			}
			continue
		default:
			var what string
			if n.kind, i, what = passWord(data, i); what != "" {
				return i, syntax(what, i)
			}
		}
		if open != at { // a scalar
			n.end, n.skip = int32(i), at+1
			nodes = append(nodes, n)
			if open < 0 {
				return i, nil
			}
			nodes[open].count++
			i = space(data, i)
		}
		// After a value, or at the end of an empty container.
		var err error
		if i, open, depth, err = closing(data, nodes, i, open, depth); err != nil {
			return i, err
		}
		if open < 0 {
			return i, nil
		}
		i = space(data, i)
		if nodes[open].kind == object {
			if i, err = passKey(data, i, &key); err != nil {
				return i, err
			}
		} else {
			key = node{}
		}
	}
}

func container(c byte) kind {
	if c == '{' {
		return object
	}
	return array
}

// closing ends the containers that end at i and passes the comma after them.
func closing(data []byte, nodes []node, i int, open int32, depth int) (int, int32, int, error) {
	for {
		n := &nodes[open]
		var c byte
		if i < len(data) {
			c = data[i]
		}
		switch {
		case c == ',' && n.count > 0:
			return i + 1, open, depth, nil
		case c == '}' && n.kind == object, c == ']' && n.kind == array:
			i++
			parent := n.skip
			n.end, n.skip = int32(i), int32(len(nodes))
			open = parent
			depth--
			if open < 0 {
				return i, open, depth, nil
			}
			nodes[open].count++
			i = space(data, i)
		default:
			return i, open, depth, syntax("expected a comma or the end of the "+n.kind.String(), i)
		}
	}
}
