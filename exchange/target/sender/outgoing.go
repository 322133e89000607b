package sender

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"understudy.dev/exchange/message"
)

// outgoing is a request as it stands on the wire: its head with as much of the
// body as comes with it, and the rest.
type outgoing struct {
	head []byte
	rest []byte
	// sorted is memory for the order of the fields.
	sorted []string
}

var outgoings = sync.Pool{New: func() any { return &outgoing{head: make([]byte, 0, 4<<10)} }}

// small is up to how many bytes a body stands in one piece with its head. What
// is longer is written while the answer is awaited, because a server may answer
// before it has read everything, or anything.
const small = 16 << 10

// atOnce is up to how many bytes any socket takes on which nothing is under way,
// without a wait.
const atOnce = 4 << 10

// isTaken says whether a connection takes the request without making anybody
// wait: the clock may write it.
func (o *outgoing) isTaken(c *conn) bool {
	return c.probe != nil && len(o.head) <= atOnce && len(o.rest) == 0
}

// maxOutgoing bounds the memory that is kept for the next request.
const maxOutgoing = 64 << 10

func (o *outgoing) free() {
	if o.rest = nil; cap(o.head) <= maxOutgoing {
		outgoings.Put(o)
	}
}

// framed are fields that the framing of the request, or its host, makes anew.
var framed = []string{"Host", "Content-Length", "Transfer-Encoding", "Trailer"}

// write makes the bytes of a request. It refuses what would end a line early.
func (o *outgoing) write(q *Request) error {
	r := q.HTTP
	if !message.IsToken(r.Method) {
		return message.ErrUnsendable
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if !message.IsField("Host", host) || host == "" {
		return message.ErrUnsendable
	}
	o.head = append(append(o.head[:0], r.Method...), ' ')
	if err := o.target(r); err != nil {
		return err
	}
	o.head = append(o.head, " HTTP/1.1\r\n"...)
	o.line("Host", host)
	if err := o.fields(r.Header, framed); err != nil {
		return err
	}
	isChunked := slices.Contains(r.TransferEncoding, "chunked")
	switch {
	case isChunked:
		o.line("Transfer-Encoding", "chunked")
		if names := o.order(r.Trailer, nil); len(names) > 0 {
			o.line("Trailer", strings.Join(names, ","))
		}
	case len(q.Body) > 0, r.Method == http.MethodPost, r.Method == http.MethodPut, r.Method == http.MethodPatch:
		o.head = strconv.AppendInt(append(o.head, "Content-Length: "...), int64(len(q.Body)), 10)
		o.head = append(o.head, "\r\n"...)
	}
	o.head = append(o.head, "\r\n"...)
	if isChunked {
		return o.chunks(q.Body, r.Trailer)
	}
	o.body(q.Body)
	return nil
}

// body puts a body behind what there is, or keeps it for later.
func (o *outgoing) body(p []byte) {
	if len(p) <= small {
		o.head = append(o.head, p...)
		return
	}
	o.rest = p
}

// target writes that of the request line, byte for byte.
func (o *outgoing) target(r *http.Request) error {
	begin := len(o.head)
	switch u := r.URL; {
	case strings.HasPrefix(u.Opaque, "//"):
		o.head = append(append(append(o.head, u.Scheme...), ':'), u.Opaque...)
	case u.Opaque != "":
		o.head = append(o.head, u.Opaque...)
	default:
		path := u.EscapedPath()
		if path == "" {
			path = "/"
		}
		o.head = append(o.head, path...)
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		o.head = append(append(o.head, '?'), r.URL.RawQuery...)
	}
	for _, b := range o.head[begin:] {
		if b <= ' ' || b == 0x7f {
			return message.ErrUnsendable
		}
	}
	return nil
}

// chunks writes a body in one chunk, and the trailer section.
func (o *outgoing) chunks(body []byte, trailer http.Header) error {
	if len(body) > 0 {
		size := strconv.AppendInt(nil, int64(len(body)), 16)
		if len(body) > small { // with all that comes after it
			end := &outgoing{head: make([]byte, 0, len(size)+len(body)+64)}
			end.head = append(append(append(append(end.head, size...), "\r\n"...), body...), "\r\n0\r\n"...)
			if err := end.fields(trailer, framed); err != nil {
				return err
			}
			o.rest = append(end.head, "\r\n"...)
			return nil
		}
		o.head = append(append(append(append(o.head, size...), "\r\n"...), body...), "\r\n"...)
	}
	o.head = append(o.head, "0\r\n"...)
	if err := o.fields(trailer, framed); err != nil {
		return err
	}
	o.head = append(o.head, "\r\n"...)
	return nil
}

// order is that of the names of fields, without some.
func (o *outgoing) order(h http.Header, without []string) []string {
	o.sorted = o.sorted[:0]
	for name := range h {
		if !slices.Contains(without, name) {
			o.sorted = append(o.sorted, name)
		}
	}
	slices.Sort(o.sorted)
	return o.sorted
}

func (o *outgoing) fields(h http.Header, without []string) error {
	for _, name := range o.order(h, without) {
		for _, value := range h[name] {
			if !message.IsField(name, value) {
				return message.ErrUnsendable
			}
			o.line(name, value)
		}
	}
	return nil
}

func (o *outgoing) line(name, value string) {
	o.head = append(append(append(append(o.head, name...), ": "...), value...), "\r\n"...)
}
