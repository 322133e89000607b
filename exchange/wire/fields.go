package wire

import (
	"bytes"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// OfAnswer reports whether a field of an answer says something of it, and not
// only of the connection or the framing in which it came.
func (k Kind) OfAnswer() bool { return !k.HopByHop() && k != TransferEncoding }

// Headers are the fields of the kinds that are wanted, in their order and
// spelling. They do not share memory with the bytes that were parsed.
func (h *Head) Headers(wanted func(Kind) bool) []*understudyv1.Header {
	n := 0
	for i := range h.fields {
		if wanted(h.fields[i].kind) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	raw := bytes.Clone(h.raw)
	out, all := make([]*understudyv1.Header, 0, n), make([]understudyv1.Header, n)
	for i := range h.fields {
		if f := &h.fields[i]; wanted(f.kind) {
			x := &all[len(out)]
			x.Name, x.Value = spelled(raw[f.start:f.name]), raw[f.value:f.end:f.end]
			out = append(out, x)
		}
	}
	return out
}

// spellings are names as most servers write them, which need no memory.
var spellings = func() map[string]string {
	known := map[string]string{}
	for _, name := range []string{
		"Access-Control-Allow-Origin", "Cache-Control", "Content-Encoding", "Content-Language", "Content-Length", "Content-Type",
		"Date", "ETag", "Etag", "Expires", "Last-Modified", "Link", "Location", "Pragma", "Referrer-Policy", "Retry-After", "Server",
		"Set-Cookie", "Strict-Transport-Security", "Vary", "Via", "WWW-Authenticate", "X-Content-Type-Options", "X-Frame-Options",
		"X-Powered-By", "X-Request-Id", "content-length", "content-type", "date", "location", "server", "vary",
	} {
		known[name] = name
	}
	return known
}()

func spelled(name []byte) string {
	if s, ok := spellings[string(name)]; ok {
		return s
	}
	return string(name)
}
