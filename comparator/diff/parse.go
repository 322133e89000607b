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

// ErrLimit is wrapped by the errors of documents that are too long, or nested
// too deeply, to be read.
var ErrLimit = errors.New("beyond a limit")

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
	// hashes of nodes, 0 where unknown; empty until one is asked for. steady are
	// those without what is volatile.
	hashes, steady []uint64
}

func (t *tape) raw(n *node) []byte { return t.data[n.start:n.end] }
func (t *tape) key(n *node) []byte { return t.data[n.keyStart:n.keyEnd] }

func syntax(what string, at int) error {
	return fmt.Errorf("%w: %s at offset %d", ErrSyntax, what, at)
}

// parse fills the tape with data, which must not change while it is used.
func (t *tape) parse(data []byte) error {
	t.data, t.nodes, t.hashes, t.steady = data, t.nodes[:0], t.hashes[:0], t.steady[:0]
	if len(data) > maxSize {
		return fmt.Errorf("%w: %d bytes are too many", ErrLimit, len(data))
	}
	i, nodes, err := document(data, t.nodes)
	t.nodes = nodes
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
// are linked through their skip, so the depth of the input costs no stack. It
// appends to nodes, and returns the position after the value.
func document(data []byte, nodes []node) (int, []node, error) {
	open, depth := int32(-1), 0
	var k key // of the next value
	var err error
	i := space(data, 0)
	for {
		// A value begins at i.
		if i >= len(data) {
			return i, nodes, syntax("unexpected end", i)
		}
		start, at := int32(i), int32(len(nodes))
		c := data[i]
		if c == '{' || c == '[' {
			if depth++; depth > MaxDepth {
				return i, nodes, fmt.Errorf("%w: nested too deeply at offset %d", ErrLimit, i)
			}
			nodes = append(nodes, node{start: start, keyStart: k.start, keyEnd: k.end, keyEscaped: k.escaped, skip: open, kind: container(c)})
			open = at
			i = space(data, i+1)
		} else {
			kind, escaped, what := number, false, ""
			switch {
			case c == '"':
				kind = text
				i, escaped, what = passText(data, i)
			case c-'0' <= 9 || c == '-':
				i, what = passNumber(data, i)
			default:
				kind, i, what = passWord(data, i)
			}
			if what != "" {
				return i, nodes, syntax(what, i)
			}
			nodes = append(nodes, node{start: start, end: int32(i), keyStart: k.start, keyEnd: k.end, keyEscaped: k.escaped, skip: at + 1, kind: kind, escaped: escaped})
			if open < 0 {
				return i, nodes, nil
			}
			nodes[open].count++
			i = space(data, i)
		}
		// After a value, or at the beginning of a container.
		n := &nodes[open]
		switch {
		case i < len(data) && data[i] == ',' && n.count > 0:
			i = space(data, i+1)
		case i < len(data) && data[i] == ending[n.kind]:
			if i, open, err = closing(data, nodes, i, open, &depth); err != nil || open < 0 {
				return i, nodes, err
			}
			n = &nodes[open]
		case n.count > 0:
			return i, nodes, syntax("expected a comma or the end of the "+n.kind.String(), i)
		}
		k = key{}
		if n.kind == object {
			if k, i, err = passKey(data, i); err != nil {
				return i, nodes, err
			}
		}
	}
}

// ending is the byte that ends a container.
var ending = [...]byte{array: ']', object: '}'}

func container(c byte) kind {
	if c == '{' {
		return object
	}
	return array
}

// closing ends the containers that end at i, of which there is at least one,
// and passes the comma after them. open is -1 when the document has ended.
func closing(data []byte, nodes []node, i int, open int32, depth *int) (int, int32, error) {
	for {
		n := &nodes[open]
		switch {
		case i < len(data) && data[i] == ending[n.kind]:
			i++
			parent := n.skip
			n.end, n.skip = int32(i), int32(len(nodes))
			*depth--
			if parent < 0 {
				return i, parent, nil
			}
			nodes[parent].count++
			open, i = parent, space(data, i)
		case i < len(data) && data[i] == ',':
			return space(data, i+1), open, nil
		default:
			return i, open, syntax("expected a comma or the end of the "+n.kind.String(), i)
		}
	}
}
