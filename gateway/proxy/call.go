package proxy

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/trace"
)

// call is one request on its way.
type call struct {
	w     http.ResponseWriter
	in    *http.Request
	body  *requestBody
	trace httptrace.ClientTrace
	leg   *trace.Span // nil: it is not traced

	ctx      context.Context // of the request to the upstream; see follow
	patience time.Duration
	goodbye  atomic.Pointer[time.Timer] // cancels ctx

	left    bool // to another upstream, with the client's body untouched
	closing bool // the answer says that the connection is closed after it

	// mu keeps the Transport's two goroutines from writing a 1xx into the final
	// response or into each other's.
	mu    sync.Mutex
	final bool
	asked bool // 100 has been sent

	// shared says that the upstream connection carries other requests too.
	shared bool
	hints  hints
}

// hints are 1xx on their way to one client that come over a connection which
// other requests use: its reading goroutine must not wait for this client.
// What does not fit is left out, since no answer depends on it.
type hints struct {
	mu      sync.Mutex
	ended   bool
	waiting chan func()
	written chan struct{}
}

// maxHints is how many wait at most; each is a head within MaxHeaderBytes.
const maxHints = 16

func (q *hints) add(write func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return
	}
	if q.waiting == nil {
		q.waiting, q.written = make(chan func(), maxHints), make(chan struct{})
		go func() {
			defer close(q.written)
			for write := range q.waiting {
				write()
			}
		}()
	}
	select {
	case q.waiting <- write:
	default:
	}
}

// end returns when those that wait are written.
func (q *hints) end() {
	q.mu.Lock()
	q.ended = true
	waiting := q.waiting
	q.mu.Unlock()
	if waiting != nil {
		close(waiting)
		<-q.written
	}
}

// copied makes net/http send a copy of the header map with a 1xx. Its HTTP/2
// server otherwise hands the map to the goroutine that writes the frame, and
// does not wait for that goroutine when the client resets the stream, so that
// whatever is set later ends the process (concurrent map read and map write).
// The length itself is sent with no 1xx.
var copied = []string{"0"}

// informational forwards a 1xx. It runs in the Transport's reading goroutine.
// An upstream's 100 is not forwarded: it makes the Transport read the body, and
// that makes continueBody ask for it.
func (c *call) informational(code int, header textproto.MIMEHeader) error {
	switch {
	case code == http.StatusContinue || !c.in.ProtoAtLeast(1, 1):
	case c.shared:
		c.hints.add(func() { c.pass(code, header) })
	default:
		c.pass(code, header)
	}
	return nil
}

func (c *call) pass(code int, header textproto.MIMEHeader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.final {
		return
	}
	h := c.w.Header()
	copyEndToEnd(h, http.Header(header))
	h["Content-Length"] = copied
	c.w.WriteHeader(code)
	clear(h)
}

// continueBody asks a client for the body that it announced with
// Expect: 100-continue. It runs in the Transport's writing goroutine, before the
// first byte is read. On HTTP/1.1 net/http would write the 100 at that read by
// itself, into the same buffer as a 1xx that is forwarded at the moment; after
// this it does not.
func (c *call) continueBody() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked || c.final || c.in.ProtoMajor != 1 || !c.in.ProtoAtLeast(1, 1) || !message.HasToken(c.in.Header["Expect"], "100-continue") {
		return
	}
	c.asked = true
	c.w.WriteHeader(http.StatusContinue)
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
	c.hints.end()
	c.mu.Lock()
	c.final = true
	c.mu.Unlock()
}
