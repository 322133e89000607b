package wire

import (
	"bytes"

	"understudy.dev/exchange/message"
)

// Framing says how a body ends.
type Framing uint8

// Framings.
const (
	None    Framing = iota // there is no body
	Length                 // after Content-Length bytes
	Chunked                // with the last chunk and its trailer section
	Close                  // with the connection
)

// Request is the head of a request.
type Request struct {
	Head
	// Method and Target are as they came.
	Method, Target []byte
	// Minor is the minor version, 0 or 1.
	Minor int
	// Body says how the body ends, Length how long it is if that is declared.
	Body   Framing
	Length int64
	// KeepAlive says that the client can send more requests on the connection.
	KeepAlive bool
	// Continue says that the client waits for 100 Continue with its body.
	Continue bool
	// Switch says that the client wants another protocol.
	Switch bool

	method, target int // where they end in the request line
}

// Reset makes r ready for the next head.
func (r *Request) Reset() {
	head := r.Head
	head.Reset()
	*r = Request{Head: head}
}

// Parse takes all bytes that have come since Reset and returns the length of
// the head when that is complete, 0 before. The error is an *Error.
func (r *Request) Parse(buf []byte) (int, error) {
	n, fault := r.feed(buf, r.line)
	if n > 0 {
		r.Method, r.Target = r.raw[:r.method], r.raw[r.method+1:r.target]
		fault = r.complete()
	}
	if fault != nil {
		return 0, fault
	}
	return n, nil
}

func (r *Request) line(line []byte) *Error {
	a, b := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if a <= 0 || b <= a+1 || !all(line[:a], &inName) {
		return errStartLine
	}
	for _, c := range line[a+1 : b] {
		if c <= ' ' || c == 0x7f {
			return errStartLine
		}
	}
	var fault *Error
	if r.Minor, fault = minor(line[b+1:]); fault != nil {
		return fault
	}
	r.method, r.target = a, b
	return nil
}

// minor is the minor version of "HTTP/1.0" or "HTTP/1.1".
func minor(version []byte) (int, *Error) {
	if len(version) != 8 || string(version[:5]) != "HTTP/" || version[6] != '.' || !digit(version[5]) || !digit(version[7]) {
		return 0, errStartLine
	}
	if version[5] != '1' || version[7] > '1' {
		return 0, errVersion
	}
	return int(version[7] - '0'), nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// complete draws the conclusions of a whole head.
func (r *Request) complete() *Error {
	var fault *Error
	if r.Body, r.Length, fault = r.framingOf(false); fault != nil {
		return fault
	}
	switch {
	case r.Body == Chunked && r.Length >= 0:
		return errBoth
	case r.Body == Chunked && r.Minor == 0:
		return errOldCoding
	}
	hosts, lists := 0, false
	for i := range r.fields {
		switch r.fields[i].kind {
		case Host:
			if hosts++; hosts > 1 || !all(r.Value(i), &inHost) {
				return errHosts
			}
		case Connection, ProxyConnection:
			lists = true
		case Expect:
			r.Continue = r.Continue || equalFold(r.Value(i), "100-continue") && r.Minor > 0
		}
	}
	if hosts == 0 && r.Minor > 0 {
		return errHosts
	}
	r.KeepAlive = r.Minor > 0
	if lists {
		r.KeepAlive, r.Switch, fault = r.options(r.KeepAlive)
		r.Switch = r.Switch && r.Minor > 0
	}
	return fault
}

// options reads Connection. The nominated fields are marked after the lists have
// been read, since one of them may be nominated itself.
func (h *Head) options(keep bool) (keepAlive, upgrade bool, fault *Error) {
	var some [4][]byte
	nominated, closes := some[:0], false
	h.elements(Connection, func(e []byte) {
		switch kind := kindOf(e); {
		case kind == Upgrade:
			upgrade = true
		case kind == KeepAlive:
			keep = true
		case equalFold(e, "close"):
			closes = true
		case !kind.HopByHop() && !kind.framing():
			nominated = append(nominated, e)
		}
	})
	if len(nominated) > maxNominated {
		return false, false, errTooMany
	}
	for _, e := range nominated {
		for i := range h.fields {
			if f := &h.fields[i]; bytes.EqualFold(h.Name(i), e) {
				f.kind = Connection
			}
		}
	}
	return keep && !closes, upgrade, nil
}

// Response is the head of an answer.
type Response struct {
	Head
	Status int
	Minor  int
	// Body says how the body ends if there may be one (see Frame), Length how long
	// it is if that is declared.
	Body   Framing
	Length int64
	// KeepAlive says that the server takes more requests on the connection.
	KeepAlive bool
}

// Reset makes r ready for the next head.
func (r *Response) Reset() {
	head := r.Head
	head.Reset()
	*r = Response{Head: head}
	r.response = true
}

// Parse is as Request.Parse.
func (r *Response) Parse(buf []byte) (int, error) {
	n, fault := r.feed(buf, r.line)
	if n > 0 {
		fault = r.complete()
	}
	if fault != nil {
		return 0, fault
	}
	return n, nil
}

// line takes a status line. The reason and the blank before it may be absent, as
// with many servers.
func (r *Response) line(line []byte) *Error {
	if len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return errStatusLine
	}
	var fault *Error
	if r.Minor, fault = minor(line[:8]); fault != nil {
		return errStatusLine
	}
	n, ok := decimal(line[9:12])
	if r.Status = int(n); !ok || n < 100 || !all(line[12:], &inValue) {
		return errStatusLine
	}
	return nil
}

// complete draws the conclusions of a whole head. A length that is given twice or
// beside chunks does not count and is not passed on (RFC 9112, 6.3).
func (r *Response) complete() *Error {
	var fault *Error
	if r.Body, r.Length, fault = r.framingOf(true); fault != nil {
		return fault
	}
	lengths, lists := 0, false
	for i := range r.fields {
		switch r.fields[i].kind {
		case ContentLength:
			if lengths++; lengths > 1 || r.Body == Chunked {
				r.fields[i].kind = Connection
			}
		case Connection:
			lists = true
		}
	}
	switch r.Body {
	case Chunked:
		if r.Minor == 0 {
			return errOldCoding
		}
		r.Length = -1
	case None:
		r.Body = Close
	}
	r.KeepAlive = r.Minor > 0
	if lists {
		r.KeepAlive, _, fault = r.options(r.KeepAlive)
	}
	return fault
}

// Frame sets how the body ends, by what was asked for (RFC 9112, 6.3).
func (r *Response) Frame(head bool) {
	if head || r.Status < 200 || r.Status == 204 || r.Status == 304 {
		r.Body = None
	}
}

// StatusLine is the first line without its end.
func (h *Head) StatusLine() []byte {
	end := bytes.IndexByte(h.raw, '\n')
	if end > 0 && h.raw[end-1] == '\r' {
		end--
	}
	return h.raw[:end]
}

// FieldsAt is where the fields begin.
func (h *Head) FieldsAt() int { return bytes.IndexByte(h.raw, '\n') + 1 }

// Address is where a request goes: its target in origin form (or "*"), and the
// authority, which is the value of Host unless the target is in absolute form
// (RFC 9112, 3.2.2). false says that it cannot be sent on: CONNECT, or a target
// in no such form. own reports that the authority is not that of Host.
func (r *Request) Address() (target, authority []byte, own, ok bool) {
	for i := range r.fields {
		if r.fields[i].kind == Host {
			authority = r.Value(i)
			break
		}
	}
	switch {
	case string(r.Method) == "CONNECT":
		return r.Target, authority, false, false
	case r.Target[0] == '/' || string(r.Target) == "*":
		return r.Target, authority, false, true
	}
	origin, ok := message.OriginForm(string(r.Target))
	if !ok {
		return r.Target, authority, false, false
	}
	_, rest, _ := bytes.Cut(r.Target, []byte("://"))
	if i := bytes.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	rest = rest[bytes.LastIndexByte(rest, '@')+1:]
	return []byte(origin), rest, true, len(rest) > 0 && all(rest, &inHost)
}
