package diff

import (
	"hash/maphash"
	"slices"
)

// lcsCells bounds the table of the longest common subsequence; larger arrays
// are aligned by their common head and tail only.
const lcsCells = 1 << 20

var seed = maphash.MakeSeed()

// array aligns two arrays that are not equal byte by byte. Elements are
// compared by a hash of their value first (order of members and spelling of
// numbers and strings do not matter), which tells moved elements from changed
// ones.
func (w *walker) array(i, j int32) {
	as, bs := children(&w.a, i), children(&w.b, j)
	policy := Policy{}
	if w.options.Arrays != nil {
		policy = w.options.Arrays(w.path(false) + "[]")
	}
	if policy.Key != "" && w.keyed(as, bs, policy.Key) {
		return
	}
	if len(as) == len(bs) && !policy.Unordered && !w.moved(as, bs) {
		for n := range as {
			w.element(as[n], bs[n], n)
		}
		return
	}
	ha, hb := w.hashes(&w.a, as), w.hashes(&w.b, bs)
	if sameMultiset(ha, hb) {
		if !policy.Unordered && !slices.Equal(ha, hb) {
			w.report(Order, &w.a.nodes[i], &w.b.nodes[j])
		}
		return
	}
	if policy.Unordered {
		as, bs = without(as, ha, hb), without(bs, hb, ha)
		w.pair(as, bs, 0)
		return
	}
	w.align(as, bs, ha, hb)
}

func children(t *tape, i int32) []int32 {
	out := make([]int32, 0, t.nodes[i].count)
	child := i + 1
	for range t.nodes[i].count {
		out = append(out, child)
		child = t.nodes[child].skip
	}
	return out
}

// moved says whether more than one element of two arrays of equal length
// stands elsewhere; then it is worth hashing. Two scalars or elements that
// differ in place are simply compared.
func (w *walker) moved(as, bs []int32) bool {
	differ := 0
	for n := range as {
		a, b := &w.a.nodes[as[n]], &w.b.nodes[bs[n]]
		if string(w.a.raw(a)) != string(w.b.raw(b)) {
			differ++
		}
	}
	if differ < 2 {
		return false
	}
	return sameMultiset(w.hashes(&w.a, as), w.hashes(&w.b, bs))
}

func (w *walker) element(a, b int32, position int) {
	w.steps = append(w.steps, step{index: position})
	w.value(a, b)
	w.pop()
}

func (w *walker) hashes(t *tape, nodes []int32) []uint64 {
	out := make([]uint64, len(nodes))
	for n, i := range nodes {
		out[n] = w.hash(t, i)
	}
	return out
}

// hash is equal for equal values, whatever their spelling.
func (w *walker) hash(t *tape, i int32) uint64 {
	n := &t.nodes[i]
	raw := t.raw(n)
	var h maphash.Hash
	h.SetSeed(seed)
	_ = h.WriteByte(byte(n.kind))
	switch n.kind {
	case text:
		if n.escaped {
			raw = unescape(nil, raw[1:len(raw)-1])
		} else {
			raw = raw[1 : len(raw)-1]
		}
		_, _ = h.Write(raw)
	case number:
		var buf [64]byte
		d, huge := decimalOf(buf[:0], raw)
		if huge {
			_, _ = h.Write(raw)
			break
		}
		maphash.WriteComparable(&h, d.negative)
		maphash.WriteComparable(&h, d.exp)
		_, _ = h.Write(d.digits)
	case array:
		for _, c := range children(t, i) {
			maphash.WriteComparable(&h, w.hash(t, c))
		}
	case object:
		var sum uint64 // independent of the order of members
		for _, c := range children(t, i) {
			var m maphash.Hash
			m.SetSeed(seed)
			_, _ = m.Write(w.name(&t.nodes[c], t))
			maphash.WriteComparable(&m, w.hash(t, c))
			sum += m.Sum64()
		}
		maphash.WriteComparable(&h, sum)
	default:
		_, _ = h.Write(raw)
	}
	return h.Sum64()
}

func sameMultiset(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// without removes the elements that the other side has as well.
func without(nodes []int32, hashes, other []uint64) []int32 {
	left := map[uint64]int{}
	for _, h := range other {
		left[h]++
	}
	var out []int32
	for n, h := range hashes {
		if left[h] > 0 {
			left[h]--
			continue
		}
		out = append(out, nodes[n])
	}
	return out
}

// pair compares elements by position; the longer side's rest is missing or
// extra.
func (w *walker) pair(as, bs []int32, from int) {
	for n := range max(len(as), len(bs)) {
		w.steps = append(w.steps, step{index: from + n})
		switch {
		case n >= len(bs):
			w.report(Missing, &w.a.nodes[as[n]], nil)
		case n >= len(as):
			w.report(Extra, nil, &w.b.nodes[bs[n]])
		default:
			w.value(as[n], bs[n])
		}
		w.pop()
		if w.stopped {
			return
		}
	}
}

// align finds the elements that both arrays have in the same order and
// compares what lies between them.
func (w *walker) align(as, bs []int32, ha, hb []uint64) {
	head := 0
	for head < len(as) && head < len(bs) && ha[head] == hb[head] {
		head++
	}
	tail := 0
	for tail < len(as)-head && tail < len(bs)-head && ha[len(as)-1-tail] == hb[len(bs)-1-tail] {
		tail++
	}
	ma, mb := ha[head:len(ha)-tail], hb[head:len(hb)-tail]
	na, nb := as[head:len(as)-tail], bs[head:len(bs)-tail]
	if len(ma)*len(mb) > lcsCells {
		w.pair(na, nb, head)
		return
	}
	i, j := 0, 0
	for _, p := range append(common(ma, mb), [2]int{len(ma), len(mb)}) {
		w.pair(na[i:p[0]], nb[j:p[1]], head+i)
		i, j = p[0]+1, p[1]+1
	}
}

// common gives the index pairs of a longest common subsequence.
func common(a, b []uint64) [][2]int {
	width := len(b) + 1
	table := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, [2]int{i, j})
			i++
			j++
		case table[(i+1)*width+j] >= table[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// keyed pairs objects by a member. It declines (false) when an element is no
// object, lacks the member or shares its value with another.
func (w *walker) keyed(as, bs []int32, key string) bool {
	ka, ok := w.keys(&w.a, as, key)
	if !ok {
		return false
	}
	kb, ok := w.keys(&w.b, bs, key)
	if !ok {
		return false
	}
	at := map[uint64]int{}
	for n, k := range kb {
		at[k] = n
	}
	for n, k := range ka {
		w.steps = append(w.steps, step{index: n})
		if m, ok := at[k]; ok {
			w.value(as[n], bs[m])
			delete(at, k)
		} else {
			w.report(Missing, &w.a.nodes[as[n]], nil)
		}
		w.pop()
	}
	for n, k := range kb {
		if _, ok := at[k]; ok {
			w.steps = append(w.steps, step{index: n})
			w.report(Extra, nil, &w.b.nodes[bs[n]])
			w.pop()
		}
	}
	return true
}

func (w *walker) keys(t *tape, nodes []int32, key string) ([]uint64, bool) {
	seen := map[uint64]bool{}
	out := make([]uint64, 0, len(nodes))
	for _, i := range nodes {
		if t.nodes[i].kind != object {
			return nil, false
		}
		found := false
		for _, c := range children(t, i) {
			if !found && string(w.name(&t.nodes[c], t)) == key {
				h := w.hash(t, c)
				if seen[h] {
					return nil, false
				}
				seen[h], found = true, true
				out = append(out, h)
			}
		}
		if !found {
			return nil, false
		}
	}
	return out, true
}
