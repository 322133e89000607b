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

// Names are the names of the members on the path, from the outside in.
func (d Difference) Names() []string {
	var out []string
	for _, s := range d.walker.steps {
		if s.index < 0 {
			out = append(out, string(s.value()))
		}
	}
	return out
}

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
	// Volatile says whether a scalar, the value of the member name or an element
	// of its array, may differ between elements that are the same: a time, a
	// name. Such scalars, and those at paths that Ignored covers, decide nothing
	// when elements are aligned; what is aligned is compared whole. Both may be
	// nil.
	Volatile func(name []byte, s Scalar) bool
	Ignored  func(path string) bool
}

// JSON calls emit for every place in which the documents differ, baseline's
// order first. It stops early when emit returns false. The error wraps
// ErrSyntax, or ErrLimit, and says which side it is.
func JSON(baseline, candidate []byte, o Options, emit func(Difference) bool) error {
	if bytes.Equal(baseline, candidate) {
		return nil
	}
	w := walkers.Get().(*walker)
	defer w.release()
	if err := w.a.parse(baseline); err != nil {
		return &SideError{"baseline", err}
	}
	w.options, w.emit, w.stopped = o, emit, false
	if w.shadow(candidate) {
		return nil
	}
	if err := w.b.parse(candidate); err != nil {
		return &SideError{"candidate", err}
	}
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
	leaves    []leaf
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
		if !scalarsEqual(a.kind, w.a.raw(a), w.b.raw(b), a.escaped || b.escaped) {
			w.report(Value, a, b)
		}
	}
}

// scalarsEqual compares two scalars of one kind by their texts.
func scalarsEqual(k kind, x, y []byte, escaped bool) bool {
	switch k {
	case number:
		return numbersEqual(x, y)
	case text:
		return textsEqual(x[1:len(x)-1], y[1:len(y)-1], escaped)
	}
	return bytes.Equal(x, y)
}

func (w *walker) push(n *node, t *tape) {
	w.steps = append(w.steps, step{t.key(n), n.keyEscaped, -1})
}
func (w *walker) pop() { w.steps = w.steps[:len(w.steps)-1] }

func (w *walker) key() string { return string(w.keyName()) }

func (w *walker) keyName() []byte {
	for i := len(w.steps) - 1; i >= 0; i-- {
		if s := w.steps[i]; s.index < 0 {
			return s.value()
		}
	}
	return nil
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
