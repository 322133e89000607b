package diff

import (
	"bytes"
	"strconv"
	"sync"
)

// Kind is how a place differs.
type Kind string

// The kinds of difference.
const (
	Value   Kind = "value"
	Type    Kind = "type"
	Missing Kind = "missing"
	Extra   Kind = "extra"
	Order   Kind = "order"
)

// Scalar is a value as it stands in its document.
type Scalar struct {
	// Raw is the JSON text; nil on the side that lacks the place.
	Raw []byte
	// Type is null, boolean, number, string, array or object.
	Type string
}

// Text is the value of a string, and the JSON text of anything else.
func (s Scalar) Text() string {
	if s.Type == "string" && len(s.Raw) >= 2 {
		return string(unescape(nil, s.Raw[1:len(s.Raw)-1]))
	}
	return string(s.Raw)
}

// Difference is one place. It is valid until the callback returns.
type Difference struct {
	Kind                Kind
	Baseline, Candidate Scalar
	walker              *walker
}

// Path is the place with array positions folded: $.items[].price.
func (d Difference) Path() string { return d.walker.path(false) }

// Location is the place with positions: $.items[3].price.
func (d Difference) Location() string { return d.walker.path(true) }

// Key is the name of the innermost object member on the path.
func (d Difference) Key() string { return d.walker.key() }

// Policy says how an array that differs is aligned.
type Policy struct {
	// Unordered: the order of the elements is irrelevant.
	Unordered bool
	// Key: elements are objects that are paired by this member.
	Key string
}

// Options of a comparison; the zero value compares arrays by position.
type Options struct {
	// Arrays gives the policy for the array at a folded path; nil is none.
	Arrays func(path string) Policy
}

// JSON calls emit for every place in which the documents differ, baseline's
// order first. It stops early when emit returns false. The error wraps
// ErrSyntax and says which side is not JSON.
func JSON(baseline, candidate []byte, o Options, emit func(Difference) bool) error {
	if bytes.Equal(baseline, candidate) {
		return nil
	}
	w := walkers.Get().(*walker)
	defer w.release()
	if err := w.a.parse(baseline); err != nil {
		return &SideError{"baseline", err}
	}
	if err := w.b.parse(candidate); err != nil {
		return &SideError{"candidate", err}
	}
	w.options, w.emit, w.stopped = o, emit, false
	w.value(0, 0)
	return nil
}

// Valid reports whether data is a JSON document within the limits.
func Valid(data []byte) error {
	w := walkers.Get().(*walker)
	defer w.release()
	return w.a.parse(data)
}

// SideError says which document could not be parsed.
type SideError struct {
	Side string // "baseline" or "candidate"
	Err  error
}

func (e *SideError) Error() string { return e.Side + ": " + e.Err.Error() }

// Unwrap gives the syntax error.
func (e *SideError) Unwrap() error { return e.Err }

var walkers = sync.Pool{New: func() any { return &walker{} }}

// step is one segment of the path: a member's raw name or a position.
type step struct {
	name    []byte
	escaped bool
	index   int // -1 for a member
}

type walker struct {
	a, b    tape
	steps   []step
	options Options
	emit    func(Difference) bool
	stopped bool
	// quiet: a difference is looked for and not reported.
	quiet bool
	// arrays is the number of arrays around the current place.
	arrays    int
	used      []bool
	differing [][3]int32
	scratch   []byte
}

// keepNodes is the largest tape that is kept for reuse.
const keepNodes = 1 << 16

func (w *walker) release() {
	w.a.data, w.b.data, w.emit, w.options = nil, nil, nil, Options{}
	w.steps, w.arrays = w.steps[:0], 0
	if cap(w.a.nodes) <= keepNodes && cap(w.b.nodes) <= keepNodes {
		walkers.Put(w)
	}
}

func (w *walker) report(k Kind, a, b *node) {
	if w.stopped {
		return
	}
	if w.quiet {
		w.stopped = true
		return
	}
	d := Difference{Kind: k, walker: w}
	if a != nil {
		d.Baseline = Scalar{w.a.raw(a), a.kind.String()}
	}
	if b != nil {
		d.Candidate = Scalar{w.b.raw(b), b.kind.String()}
	}
	w.stopped = !w.emit(d)
}

// value compares the values at two places of the tapes.
func (w *walker) value(i, j int32) {
	if w.stopped {
		return
	}
	a, b := &w.a.nodes[i], &w.b.nodes[j]
	if bytes.Equal(w.a.raw(a), w.b.raw(b)) {
		return
	}
	if a.kind != b.kind {
		w.report(Type, a, b)
		return
	}
	switch a.kind {
	case object:
		w.object(i, j)
	case array:
		w.array(i, j)
	default:
		if !w.scalarsEqual(a, b) {
			w.report(Value, a, b)
		}
	}
}

func (w *walker) scalarsEqual(a, b *node) bool {
	x, y := w.a.raw(a), w.b.raw(b)
	switch a.kind {
	case number:
		return numbersEqual(x, y)
	case text:
		return textsEqual(x[1:len(x)-1], y[1:len(y)-1], a.escaped || b.escaped)
	}
	return bytes.Equal(x, y)
}

func (w *walker) push(n *node, t *tape) {
	w.steps = append(w.steps, step{t.key(n), n.keyEscaped, -1})
}
func (w *walker) pop() { w.steps = w.steps[:len(w.steps)-1] }

// mapFrom is the number of members from which names are looked up in a map
// when they are not in the same order.
const mapFrom = 24

func (w *walker) object(i, j int32) {
	a, b := &w.a.nodes[i], &w.b.nodes[j]
	base := len(w.used)
	for range b.count {
		w.used = append(w.used, false)
	}
	defer func() { w.used = w.used[:base] }()
	var index map[string][]member
	// hint is where the next member stands if both sides have the same order.
	hint, hintNo := j+1, int32(0)
	child := i + 1
	for range a.count {
		m := &w.a.nodes[child]
		var at, no int32
		if hintNo < b.count && !w.used[base+int(hintNo)] && w.sameKey(m, &w.b.nodes[hint]) {
			at, no = hint, hintNo
		} else if b.count < mapFrom {
			at, no = w.search(m, j, base)
		} else {
			if index == nil {
				index = w.index(j)
			}
			at, no = take(index, string(w.name(m, &w.a)), w.used[base:])
		}
		w.push(m, &w.a)
		if at < 0 {
			w.report(Missing, m, nil)
		} else {
			w.used[base+int(no)] = true
			hint, hintNo = w.b.nodes[at].skip, no+1
			w.value(child, at)
		}
		w.pop()
		if w.stopped {
			return
		}
		child = m.skip
	}
	child = j + 1
	for no := range b.count {
		m := &w.b.nodes[child]
		if !w.used[base+int(no)] {
			w.push(m, &w.b)
			w.report(Extra, nil, m)
			w.pop()
		}
		child = m.skip
	}
}

// member is an entry of an index of an object: node and position.
type member struct{ at, no int32 }

func (w *walker) index(j int32) map[string][]member {
	index := make(map[string][]member, w.b.nodes[j].count)
	child := j + 1
	for no := range w.b.nodes[j].count {
		m := &w.b.nodes[child]
		name := string(w.name(m, &w.b))
		index[name] = append(index[name], member{child, no})
		child = m.skip
	}
	return index
}

func take(index map[string][]member, name string, used []bool) (at, no int32) {
	list := index[name]
	for len(list) > 0 && used[list[0].no] {
		list = list[1:]
	}
	index[name] = list
	if len(list) == 0 {
		return -1, 0
	}
	return list[0].at, list[0].no
}

// search looks for the first unused member of the name.
func (w *walker) search(m *node, j int32, base int) (at, no int32) {
	name, plain := w.a.key(m), !m.keyEscaped
	used := w.used[base:]
	child := j + 1
	for no := range w.b.nodes[j].count {
		n := &w.b.nodes[child]
		possible := !plain || n.keyEscaped || int(n.keyEnd-n.keyStart) == len(name)
		if possible && !used[no] && w.sameKey(m, n) {
			return child, no
		}
		child = n.skip
	}
	return -1, 0
}

func (w *walker) sameKey(m, n *node) bool {
	return textsEqual(w.a.key(m), w.b.key(n), m.keyEscaped || n.keyEscaped)
}

func (w *walker) name(n *node, t *tape) []byte {
	if n.keyEscaped {
		return unescape(nil, t.key(n))
	}
	return t.key(n)
}

func (w *walker) key() string {
	for i := len(w.steps) - 1; i >= 0; i-- {
		if s := w.steps[i]; s.index < 0 {
			return string(s.value())
		}
	}
	return ""
}

func (s step) value() []byte {
	if s.escaped {
		return unescape(nil, s.name)
	}
	return s.name
}

func (w *walker) path(positions bool) string {
	buf := make([]byte, 1, 64)
	buf[0] = '$'
	for _, s := range w.steps {
		switch {
		case s.index >= 0 && positions:
			buf = strconv.AppendInt(append(buf, '['), int64(s.index), 10)
			buf = append(buf, ']')
		case s.index >= 0:
			buf = append(buf, "[]"...)
		default:
			buf = appendName(buf, s.value())
		}
	}
	return string(buf)
}

// Member is the path of a member of the object at path: path.name, or
// path["odd name"].
func Member(path, name string) string { return string(appendName([]byte(path), []byte(name))) }

// appendName adds .name, or ["odd name"] where the name would be read wrongly.
func appendName(buf, name []byte) []byte {
	simple := len(name) > 0
	for _, c := range name {
		simple = simple && (c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80)
	}
	if simple {
		return append(append(buf, '.'), name...)
	}
	return append(strconv.AppendQuote(append(buf, '['), string(name)), ']')
}
