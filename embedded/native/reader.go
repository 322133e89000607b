package native

// A reader reads fields until the first error, which it keeps.
type reader struct {
	t   *tap
	err error
}

func (r *reader) str(what string, limit int) string {
	if r.err != nil {
		return ""
	}
	var s string
	s, r.err = r.t.str(what, limit)
	return s
}

func (r *reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	var n uint64
	n, r.err = r.t.uvarint()
	return n
}

func (r *reader) uint8() byte {
	if r.err != nil {
		return 0
	}
	var b byte
	b, r.err = r.t.uint8()
	return b
}

func (r *reader) skip(n uint64) {
	if r.err == nil {
		r.err = r.t.skip(n)
	}
}
