package proxy

import (
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

	// mu keeps a late 1xx of the Transport's goroutine off the final response.
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

func (c *call) endInformational() {
	c.mu.Lock()
	c.final = true
	c.mu.Unlock()
}
