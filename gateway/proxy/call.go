package proxy

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
)

// call is one request on its way.
type call struct {
	w     http.ResponseWriter
	in    *http.Request
	body  *requestBody
	trace httptrace.ClientTrace

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

// errHandlerDone ends the Transport's reading of a body whose request has been
// answered.
var errHandlerDone = errors.New("request was answered before its body ended")

// requestBody is what the Transport reads. Closing it does not close the
// client's body, which may block until the client has sent it all; it only
// ends further reads.
type requestBody struct {
	from    io.Reader
	in      *http.Request
	trailer http.Header
	closed  atomic.Bool
	broken  atomic.Bool
}

func (b *requestBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, errHandlerDone
	}
	n, err := b.from.Read(p)
	switch {
	case err == io.EOF:
		if b.trailer != nil {
			for k, v := range b.in.Trailer {
				b.trailer[k] = v
			}
		}
	case err != nil && !b.closed.Load():
		b.broken.Store(true)
	}
	return n, err
}

func (b *requestBody) Close() error {
	b.closed.Store(true)
	return nil
}
