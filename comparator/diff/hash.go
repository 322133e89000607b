package diff

import (
	"hash/maphash"
	"math/bits"
)

var (
	seed = maphash.MakeSeed()
	salt = maphash.String(seed, "salt") | 1
)

// mix joins two hashes (the folded multiplication of wyhash); salt keeps
// an author of documents from choosing collisions.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^salt, b^0x9E3779B97F4A7C15)
	return hi ^ lo
}

func (w *walker) hashes(t *tape, nodes []int32) []uint64 {
	out := make([]uint64, len(nodes))
	for n, i := range nodes {
		out[n] = w.hash(t, i)
	}
	return out
}

// room gives a table of hashes room for all nodes.
func room(hashes []uint64, nodes int) []uint64 {
	if len(hashes) > 0 {
		return hashes
	}
	if cap(hashes) < nodes {
		return make([]uint64, nodes)
	}
	hashes = hashes[:nodes]
	clear(hashes)
	return hashes
}

// hash is equal for equal values, whatever their spelling. Each node is hashed
// once.
func (w *walker) hash(t *tape, i int32) uint64 {
	t.hashes = room(t.hashes, len(t.nodes))
	if h := t.hashes[i]; h != 0 {
		return h
	}
	n := &t.nodes[i]
	h := uint64(n.kind)
	switch n.kind {
	case array:
		child := i + 1
		for range n.count {
			h = mix(h, w.hash(t, child))
			child = t.nodes[child].skip
		}
	case object:
		var sum uint64 // independent of the order of members
		child := i + 1
		for range n.count {
			c := &t.nodes[child]
			sum += mix(hashText(t.key(c), c.keyEscaped), w.hash(t, child))
			child = c.skip
		}
		h = mix(h, sum)
	default:
		h = hashScalar(n.kind, t.raw(n), n.escaped)
	}
	h |= 1 << 63 // never 0, which is unknown
	t.hashes[i] = h
	return h
}

// steadyHashes are equal for elements that differ in volatile scalars only.
func (w *walker) steadyHashes(t *tape, nodes []int32) []uint64 {
	t.steady = room(t.steady, len(t.nodes))
	path := ""
	if w.options.Ignored != nil {
		path = w.path(false) + "[]"
	}
	name := w.keyName()
	out := make([]uint64, len(nodes))
	for n, i := range nodes {
		out[n] = w.steadyHash(t, i, name, path)
	}
	return out
}

// volatileHash stands for all volatile scalars of whatever type.
const volatileHash = 1<<63 | 1

// steadyHash is the hash of a value of the member name, at a folded path, which
// is empty when no path is ignored.
func (w *walker) steadyHash(t *tape, i int32, name []byte, path string) uint64 {
	if h := t.steady[i]; h != 0 {
		return h
	}
	n := &t.nodes[i]
	h := uint64(n.kind)
	switch {
	case path != "" && w.options.Ignored(path):
		h = volatileHash
	case n.kind == array:
		if path != "" {
			path += "[]"
		}
		child := i + 1
		for range n.count {
			h = mix(h, w.steadyHash(t, child, name, path))
			child = t.nodes[child].skip
		}
	case n.kind == object:
		var sum uint64
		child := i + 1
		for range n.count {
			c := &t.nodes[child]
			key := w.name(c, t)
			inner := path
			if path != "" {
				inner = string(appendName([]byte(path), key))
			}
			if inner != "" && w.options.Ignored(inner) {
				// Nor does it matter whether it is there.
			} else {
				sum += mix(hashText(t.key(c), c.keyEscaped), w.steadyHash(t, child, key, inner))
			}
			child = c.skip
		}
		h = mix(h, sum)
	case w.options.Volatile != nil && w.options.Volatile(name, Scalar{t.raw(n), n.kind.String()}):
		h = volatileHash
	default:
		h = hashScalar(n.kind, t.raw(n), n.escaped)
	}
	h |= 1 << 63
	t.steady[i] = h
	return h
}

// hashScalar is equal for equal scalars.
func hashScalar(k kind, raw []byte, escaped bool) uint64 {
	switch k {
	case text:
		return mix(uint64(k), hashText(raw[1:len(raw)-1], escaped))
	case number:
		var buf [64]byte
		d := decimalOf(buf[:0], raw)
		return mix(uint64(k), mix(d.place(), maphash.Bytes(seed, d.digits)))
	}
	return mix(uint64(k), maphash.Bytes(seed, raw))
}

func hashText(raw []byte, escaped bool) uint64 {
	if escaped {
		var buf [256]byte
		raw = unescape(buf[:0], raw)
	}
	return maphash.Bytes(seed, raw)
}
