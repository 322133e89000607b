package diff

import (
	"bytes"
	"slices"
)

// lcsCells bounds the table of the longest common subsequence; larger arrays
// are aligned by their common head and tail only.
const lcsCells = 1 << 20

// array aligns two arrays that are not equal byte by byte. Elements that are
// equal at their own position are set aside first; a hash of the values of the
// rest (order of members and spelling of numbers and strings do not matter)
// tells moved elements from changed ones.
func (w *walker) array(i, j int32) {
	policy := Policy{}
	if w.options.Arrays != nil {
		policy = w.options.Arrays(w.path(false) + "[]")
	}
	if policy == (Policy{}) && w.a.nodes[i].count == w.b.nodes[j].count {
		w.positions(i, j)
		return
	}
	as, bs := children(&w.a, i), children(&w.b, j)
	if policy.Key != "" && w.keyed(as, bs, policy.Key) {
		return
	}
	if len(as) == len(bs) && !policy.Unordered { // not to be paired by key
		w.positions(i, j)
		return
	}
	if policy.Unordered {
		ha, hb := w.hashes(&w.a, as), w.hashes(&w.b, bs)
		if !sameMultiset(ha, hb) {
			w.unordered(without(as, ha, hb), without(bs, hb, ha))
		}
		return
	}
	w.align(as, bs, w.alignHashes(&w.a, as), w.alignHashes(&w.b, bs))
}

// steadies says whether some scalars decide nothing in an alignment.
func (w *walker) steadies() bool { return w.options.Volatile != nil || w.options.Ignored != nil }

// alignHashes are those by which elements are aligned.
func (w *walker) alignHashes(t *tape, nodes []int32) []uint64 {
	if w.steadies() {
		return w.steadyHashes(t, nodes)
	}
	return w.hashes(t, nodes)
}

// unordered compares the elements that only one side has: those that are alike
// but for what is volatile with each other, the rest by position.
func (w *walker) unordered(as, bs []int32) {
	if w.steadies() {
		ha, hb := w.steadyHashes(&w.a, as), w.steadyHashes(&w.b, bs)
		at := map[uint64][]int{}
		for n, h := range hb {
			at[h] = append(at[h], n)
		}
		var restA, restB []int32
		taken := make([]bool, len(bs))
		for n, h := range ha {
			if list := at[h]; len(list) > 0 {
				at[h], taken[list[0]] = list[1:], true
				if w.element(as[n], bs[list[0]], n); w.stopped {
					return
				}
				continue
			}
			restA = append(restA, as[n])
		}
		for n, b := range bs {
			if !taken[n] {
				restB = append(restB, b)
			}
		}
		as, bs = restA, restB
	}
	w.pair(as, bs, 0)
}

// orderDepth is how many arrays may enclose one in which moved elements are
// told from changed ones: each level looks at its elements once more.
const orderDepth = 16

// positions compares arrays of one length: element by element, unless the
// elements that differ are the same ones in another order.
func (w *walker) positions(i, j int32) {
	w.arrays++
	base := len(w.differing)
	defer func() {
		w.arrays--
		w.differing = w.differing[:base]
	}()
	a, b := i+1, j+1
	for n := range w.a.nodes[i].count {
		if w.quiet || w.arrays > orderDepth {
			w.element(a, b, int(n))
		} else if !w.equal(a, b, int(n)) {
			w.differing = append(w.differing, [3]int32{a, b, n})
		}
		if w.stopped {
			return
		}
		a, b = w.a.nodes[a].skip, w.b.nodes[b].skip
	}
	end := len(w.differing)
	if w.moved(w.differing[base:end]) {
		w.report(Order, &w.a.nodes[i], &w.b.nodes[j])
		return
	}
	if w.moving(w.differing[base:end]) {
		if w.report(Order, &w.a.nodes[i], &w.b.nodes[j]); w.stopped {
			return
		}
		w.realign(w.differing[base:end])
	}
	for n := base; n < end && !w.stopped; n++ {
		d := w.differing[n]
		w.element(d[0], d[1], int(d[2]))
	}
}

// equal looks for a difference between two elements without reporting it.
func (w *walker) equal(a, b int32, position int) bool {
	if bytes.Equal(w.a.raw(&w.a.nodes[a]), w.b.raw(&w.b.nodes[b])) {
		return true
	}
	w.quiet = true
	w.element(a, b, position)
	found := w.stopped
	w.quiet, w.stopped = false, false
	return !found
}

// glance is up to how many elements are searched for the first one, which
// mostly settles that nothing was moved without hashing all.
const glance = 64

// moved says whether the differing elements are the same on both sides.
func (w *walker) moved(differing [][3]int32) bool {
	if len(differing) < 2 {
		return false
	}
	if len(differing) <= glance {
		first, found := differing[0], false
		for _, d := range differing[1:] {
			if found = w.equal(first[0], d[1], int(d[2])); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	var a, b uint64
	for _, d := range differing {
		a += w.hash(&w.a, d[0])
		b += w.hash(&w.b, d[1])
	}
	return a == b
}

// moving says whether the differing elements are the same on both sides but for
// what is volatile, and stand in another order.
func (w *walker) moving(differing [][3]int32) bool {
	if !w.steadies() || len(differing) < 2 {
		return false
	}
	ha, hb := w.sides(differing)
	return !slices.Equal(ha, hb) && sameMultiset(ha, hb)
}

func (w *walker) sides(differing [][3]int32) (ha, hb []uint64) {
	as, bs := make([]int32, len(differing)), make([]int32, len(differing))
	for n, d := range differing {
		as[n], bs[n] = d[0], d[1]
	}
	return w.steadyHashes(&w.a, as), w.steadyHashes(&w.b, bs)
}

// realign puts beside each differing element of the baseline the one of the
// candidate that is the same but for what is volatile.
func (w *walker) realign(differing [][3]int32) {
	ha, hb := w.sides(differing)
	at := map[uint64][]int32{}
	for n, h := range hb {
		at[h] = append(at[h], differing[n][1])
	}
	for n, h := range ha {
		differing[n][1], at[h] = at[h][0], at[h][1:]
	}
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

func (w *walker) element(a, b int32, position int) {
	w.steps = append(w.steps, step{index: position})
	w.value(a, b)
	w.pop()
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
		w.same(as[head], bs[head], head)
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
	} else {
		i, j := 0, 0
		for _, p := range append(common(ma, mb), [2]int{len(ma), len(mb)}) {
			w.pair(na[i:p[0]], nb[j:p[1]], head+i)
			if p[0] < len(na) {
				w.same(na[p[0]], nb[p[1]], head+p[0])
			}
			i, j = p[0]+1, p[1]+1
		}
	}
	for n := range tail {
		w.same(as[len(as)-tail+n], bs[len(bs)-tail+n], len(as)-tail+n)
	}
}

// same compares two elements that are aligned, which are equal unless the
// alignment leaves something out.
func (w *walker) same(a, b int32, position int) {
	if w.steadies() && !w.stopped {
		w.element(a, b, position)
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
