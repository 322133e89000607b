package blocks

// A Reader reads fields until the first error, which it keeps.
type Reader struct {
	In  *Scanner
	Err error
}

// Str reads a string of at most limit bytes; what names it in the error.
func (r *Reader) Str(what string, limit int) string {
	if r.Err != nil {
		return ""
	}
	var s string
	s, r.Err = r.In.Str(what, limit)
	return s
}

// Uvarint reads a number of variable length.
func (r *Reader) Uvarint() uint64 {
	if r.Err != nil {
		return 0
	}
	var n uint64
	n, r.Err = r.In.Uvarint()
	return n
}

// Uint8 reads one byte.
func (r *Reader) Uint8() byte {
	if r.Err != nil {
		return 0
	}
	var b byte
	b, r.Err = r.In.uint8()
	return b
}

// Skip passes over n bytes.
func (r *Reader) Skip(n uint64) {
	if r.Err == nil {
		r.Err = r.In.skip(n)
	}
}
