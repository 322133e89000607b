package diff

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Most pairs are the same bytes but for a few scalars. Then the candidate is
// not parsed: it is the baseline's document with other scalars in the places
// of those, so its structure is known. Anything else (other members, another
// order, other white space) is left to the walk over two tapes.

// leaf is a scalar that differs: a node of the baseline and the text that the
// candidate has in its place.
type leaf struct {
	node    int32
	kind    kind
	escaped bool
	text    []byte
}

// maxLeaves is how many scalars may differ; a pair with more has little in
// common.
const maxLeaves = 64

// shadow reports the differences if the candidate is the baseline's document
// with other scalars, and says whether it was.
func (w *walker) shadow(candidate []byte) bool {
	if w.options.Arrays != nil || !w.findLeaves(candidate) || w.mayBeMoved(0, w.leaves) {
		return false
	}
	w.descend(0, w.leaves)
	return true
}

// findLeaves fills leaves; false if more than scalars differ.
func (w *walker) findLeaves(b []byte) bool {
	a := w.a.data
	w.leaves = w.leaves[:0]
	i, j, at, last := 0, 0, 0, -1
	for {
		n := commonPrefix(a[i:], b[j:])
		i, j = i+n, j+n
		if i == len(a) && j == len(b) {
			return true
		}
		// The last value that begins before the first byte that differs.
		later, _ := slices.BinarySearchFunc(w.a.nodes[at:], int32(i)+1, func(n node, i int32) int { return int(n.start - i) })
		at += later - 1
		if at <= last || len(w.leaves) == maxLeaves {
			return false
		}
		last = at
		node := &w.a.nodes[at]
		start := j - (i - int(node.start))
		if node.kind >= array || i > int(node.end) || start < 0 || start >= len(b) {
			return false
		}
		kind, end, escaped := passScalar(b, start)
		// -1, or the same value: then what follows it differs.
		if end < j || end == j && i == int(node.end) || !utf8.Valid(b[start:end]) {
			return false
		}
		if kind != node.kind || !scalarsEqual(kind, w.a.raw(node), b[start:end], escaped || node.escaped) {
			w.leaves = append(w.leaves, leaf{int32(at), kind, escaped, b[start:end]})
		}
		i, j = int(node.end), end
	}
}

// passScalar gives the kind and the end of the scalar at i; the end is -1 if
// there is none.
func passScalar(data []byte, i int) (k kind, end int, escaped bool) {
	what := ""
	switch c := data[i]; {
	case c == '"':
		k = text
		end, escaped, what = passText(data, i)
	case c == '-' || c-'0' <= 9:
		k = number
		end, what = passNumber(data, i)
	default:
		k, end, what = passWord(data, i)
	}
	if what != "" {
		return k, -1, false
	}
	return k, end, escaped
}

// block is how many bytes are compared at once before the place is looked for.
const block = 256

// commonPrefix is how many bytes a and b begin with in common.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+block <= n && bytes.Equal(a[i:i+block], b[i:i+block]) {
		i += block
	}
	for i+8 <= n {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)>>3
		}
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// mayBeMoved says whether there is an array below node i of which several
// elements differ and which may hold the same elements in another order: then
// the scalars that differ in it are the same ones on both sides.
func (w *walker) mayBeMoved(i int32, leaves []leaf) bool {
	if len(leaves) < 2 {
		return false
	}
	if w.a.nodes[i].kind == array {
		var a, b uint64
		for _, l := range leaves {
			n := &w.a.nodes[l.node]
			if v := w.options.Volatile; v != nil {
				key := w.name(n, &w.a)
				if v(key, Scalar{w.a.raw(n), n.kind.String()}) && v(key, Scalar{l.text, l.kind.String()}) {
					continue
				}
			}
			a += hashScalar(n.kind, w.a.raw(n), n.escaped)
			b += hashScalar(l.kind, l.text, l.escaped)
		}
		if a == b && a != 0 {
			return true
		}
	}
	for child := range w.differingChildren(i, leaves) {
		if w.mayBeMoved(child.node, child.leaves) {
			return true
		}
	}
	return false
}

// part is a child and the leaves in it.
type part struct {
	node, position int32
	leaves         []leaf
}

func (w *walker) differingChildren(i int32, leaves []leaf) func(yield func(part) bool) {
	return func(yield func(part) bool) {
		child := i + 1
		for position := int32(0); len(leaves) > 0; position++ {
			n := 0
			next := w.a.nodes[child].skip
			for n < len(leaves) && leaves[n].node < next {
				n++
			}
			if n > 0 && !yield(part{child, position, leaves[:n]}) {
				return
			}
			leaves, child = leaves[n:], next
		}
	}
}

// descend reports the leaves below node i.
func (w *walker) descend(i int32, leaves []leaf) {
	n := &w.a.nodes[i]
	if n.kind < array {
		for _, l := range leaves {
			k := Value
			if l.kind != n.kind {
				k = Type
			}
			w.stopped = !w.emit(Difference{
				Kind: k, walker: w,
				Baseline: Scalar{w.a.raw(n), n.kind.String()}, Candidate: Scalar{l.text, l.kind.String()},
			})
		}
		return
	}
	for child := range w.differingChildren(i, leaves) {
		if n.kind == array {
			w.steps = append(w.steps, step{index: int(child.position)})
		} else {
			w.push(&w.a.nodes[child.node], &w.a)
		}
		w.descend(child.node, child.leaves)
		w.pop()
		if w.stopped {
			return
		}
	}
}
