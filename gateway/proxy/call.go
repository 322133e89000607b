package proxy

import (
	"iter"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
)

// call is one request on its way.
type call struct {
	w     http.ResponseWriter
	in    *http.Request
	body  *requestBody
	trace httptrace.ClientTrace

	closing bool // the answer says that the connection is closed after it

	// mu keeps the Transport's goroutine from writing a late 1xx into the final
	// response.
	mu    sync.Mutex
	final bool
}

// informational forwards a 1xx. 100 is left to the server: it answers
// Expect: 100-continue as soon as the upstream makes the Transport read the
// body.
func (c *call) informational(code int, header textproto.MIMEHeader) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.final || code == http.StatusContinue || !c.in.ProtoAtLeast(1, 1) {
		return nil
	}
	h := c.w.Header()
	copyEndToEnd(h, http.Header(header))
	c.w.WriteHeader(code)
	clear(h)
	return nil
}

// layers are a ResponseWriter and those that it wraps, from the outside in, as
// http.ResponseController finds them.
func layers(w http.ResponseWriter) iter.Seq[http.ResponseWriter] {
	return func(yield func(http.ResponseWriter) bool) {
		for w != nil && yield(w) {
			wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
			if !ok {
				return
			}
			w = wrapper.Unwrap()
		}
	}
}

func (c *call) endInformational() {
	c.mu.Lock()
	c.final = true
	c.mu.Unlock()
}
