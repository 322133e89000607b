package wire

import understudyv1 "understudy.dev/schemas/understudy/v1"

// OfAnswer reports whether a field of an answer says something of it, and not
// only of the connection or the framing in which it came.
func (k Kind) OfAnswer() bool { return !k.HopByHop() && k != TransferEncoding }

// Headers are the fields of the kinds that are wanted, in their order and
// spelling. Their values are parts of raw: of Bytes, if nobody parses into that
// again, or of a copy.
func (h *Head) Headers(raw []byte, wanted func(Kind) bool) []*understudyv1.Header {
	n := h.Len()
	if n == 0 {
		return nil
	}
	names := string(h.raw)
	block, out := make([]understudyv1.Header, n), make([]*understudyv1.Header, 0, n)
	for i := range n {
		if f := &h.fields[i]; wanted(f.kind) {
			x := &block[len(out)]
			x.Name, x.Value = names[f.start:f.name], raw[f.value:f.end:f.end]
			out = append(out, x)
		}
	}
	return out
}
