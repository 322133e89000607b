package proxy

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/wire"
)

// smallBuffer is what a connection has while nothing is asked: most heads fit.
const smallBuffer = 4 << 10

// preface begins a connection that speaks HTTP/2 (RFC 9113, 3.4).
var preface = []byte("PRI * HTTP/2.0\r\n")

// conn is the connection of a client. Its goroutine reads heads, sends requests
// on and answers back; while an upload is under way, what comes from the client
// is for the uploading goroutine.
type conn struct {
	s      *Server
	raw    net.Conn
	remote string
	secure bool
	handed bool // to the server of HTTP/2

	in   []byte
	r, w int // what has been read and not used
	req  wire.Request
	resp wire.Response
	exchange
	out     []byte // of the pooled buffer
	vectors [2][]byte

	// The watch looks at these, and alone has the ones after.
	phase          atomic.Int32
	since          atomic.Int64 // of the phase, or of the last progress in it
	sent           atomic.Bool  // the request has gone out whole
	patience       atomic.Int64 // for the answer's head; 0 is without end
	client         *wire.Probe
	nextLook, left time.Duration
	lookedAt       int64
	mu             sync.Mutex
	up             *upConn // as long as it may be cancelled
	cause          cause
	interrupted    bool
}

func newConn(s *Server, raw net.Conn) *conn {
	c := &conn{s: s, raw: raw, client: wire.ProbeOf(raw)}
	c.req.Limit = http.DefaultMaxHeaderBytes
	c.since.Store(int64(s.now()))
	return c
}

// enter begins a phase.
func (c *conn) enter(p phase) {
	c.since.Store(int64(c.s.now()))
	c.phase.Store(int32(p))
}

func (c *conn) progress() { c.since.Store(int64(c.s.now())) }

func (c *conn) serve() {
	defer c.s.remove(c)
	buffer := c.s.small.Get().(*[]byte)
	c.in = *buffer
	defer c.s.small.Put(buffer)
	defer func() {
		if p := recover(); p != nil {
			c.s.up.failure.panicked(p, debug.Stack())
			c.failed()
		}
		if !c.handed {
			c.raw.Close()
		}
	}()
	if !c.open() {
		return
	}
	for first := true; ; first = false {
		n, err := c.readHead()
		if err != nil {
			var fault *wire.Error
			switch {
			case first && !c.secure && bytes.HasPrefix(c.in[c.r:c.w], preface):
				c.hand(&begun{c.raw, bytes.Clone(c.in[c.r:c.w])})
			case errors.As(err, &fault):
				c.s.serving.Refused()
				c.refuse(fault)
			case c.w > c.r && phase(c.phase.Load()) == reading:
				c.s.serving.Refused() // it broke off
			}
			return
		}
		if !c.serveOne(n) {
			return
		}
		c.enter(idle)
		if c.w == c.r {
			runtime.Gosched() // as in send: meanwhile the next request may come
		}
		if c.w == c.r && len(c.in) > smallBuffer {
			c.in, c.r, c.w = *buffer, 0, 0
		}
		if c.s.closing.Load() && c.w == c.r {
			return
		}
	}
}

// readHead reads until a head is complete and returns its length.
func (c *conn) readHead() (int, error) {
	c.req.Reset()
	for {
		if c.r < c.w && c.phase.Load() == int32(idle) && !c.begin() {
			return 0, net.ErrClosed
		}
		if c.r < c.w {
			if n, err := c.req.Parse(c.in[c.r:c.w]); n > 0 || err != nil {
				return n, err
			}
		}
		if c.r == c.w {
			c.r, c.w = 0, 0
		}
		if c.w == len(c.in) {
			c.in = room(c.in, &c.r, &c.w)
		}
		n, err := c.raw.Read(c.in[c.w:])
		c.w += n
		if n == 0 && err != nil {
			return 0, err
		}
	}
}

// begin skips empty lines before a head (RFC 9112, 2.2) and leaves the idle
// phase when there is more. false says that the server had just closed the
// connection for being idle.
func (c *conn) begin() bool {
	for c.r < c.w && (c.in[c.r] == '\n' || c.in[c.r] == '\r' && (c.r+1 == c.w || c.in[c.r+1] == '\n')) {
		c.r++
	}
	if c.r == c.w {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(reading)
	if c.interrupted {
		c.interrupted = false
		return c.raw.SetReadDeadline(time.Time{}) == nil
	}
	return true
}

// leaveIdle ends the connection if nothing is asked on it.
func (c *conn) leaveIdle() {
	c.interrupt(opening)
	c.interrupt(idle)
}

// interrupt ends the reading of the next head, unless the phase is over.
func (c *conn) interrupt(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if phase(c.phase.Load()) == p {
		c.interrupted = true
		_ = c.raw.SetReadDeadline(time.Unix(1, 0))
	}
}

// cancel ends what is under way.
func (c *conn) cancel(why cause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if why == late && (c.up == nil || phase(c.phase.Load()) != asking) {
		return // the answer came
	}
	if c.cause == none {
		c.cause = why
	}
	if c.up != nil {
		_ = c.up.SetDeadline(time.Unix(1, 0))
	}
	if why != late {
		_ = c.raw.SetDeadline(time.Unix(1, 0))
	}
}

// hand gives the connection to the server of HTTP/2.
func (c *conn) hand(as net.Conn) {
	c.handed = true
	c.s.handed.hand(as)
}

// refuse answers a head that is not valid.
func (c *conn) refuse(fault *wire.Error) {
	c.enter(other)
	text := strconv.Itoa(fault.Status) + " " + http.StatusText(fault.Status) + ": " + fault.Fault + "\n"
	if c.write(ownAnswer(nil, fault.Status, text, "close")) == nil {
		c.linger()
	}
}

// cameBack reports whether the request has been here before.
func (c *conn) cameBack() bool {
	mark := &c.s.serving.Mark
	if mark.Name == "" {
		return false
	}
	for i := range c.req.Len() {
		if string(c.req.Value(i)) == mark.Value && strings.EqualFold(string(c.req.Name(i)), mark.Name) {
			mark.Met()
			return true
		}
	}
	return false
}

// ownAnswer is an answer of the proxy itself.
func ownAnswer(dst []byte, status int, text, connection string) []byte {
	dst = append(dst, "HTTP/1.1 "+strconv.Itoa(status)+" "+http.StatusText(status)+"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "+strconv.Itoa(len(text))+"\r\n"...)
	if connection != "" {
		dst = append(dst, "Connection: "+connection+"\r\n"...)
	}
	return append(append(dst, "\r\n"...), text...)
}

// linger half-closes the connection and waits for the client to do so, since
// a close with unread bytes would take back what it has not read yet.
func (c *conn) linger() {
	if !c.closeWrite() || c.isStopped() {
		return
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(lingerTime))
	for end := time.Now().Add(lingerTime); time.Now().Before(end); {
		if _, err := c.raw.Read(c.in); err != nil {
			return
		}
	}
}

func (c *conn) closeWrite() bool {
	half, ok := c.raw.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

func (c *conn) isStopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause == stopped
}

// write sends bytes to the client.
func (c *conn) write(p []byte) error {
	_, err := c.raw.Write(p)
	if err == nil {
		c.progress()
		return nil
	}
	return &clientError{err}
}

// write2 sends two pieces, in one call where the system has one for it.
func (c *conn) write2(a, b []byte) error {
	switch {
	case len(b) == 0:
		return c.write(a)
	case len(a)+len(b) <= cap(a):
		return c.write(append(a, b...))
	}
	c.vectors = [2][]byte{a, b}
	both := net.Buffers(c.vectors[:])
	_, err := both.WriteTo(c.raw)
	c.vectors = [2][]byte{}
	if err == nil {
		c.progress()
		return nil
	}
	return &clientError{err}
}

// clientError is why a client could not be written to.
type clientError struct{ err error }

func (e *clientError) Error() string { return "write to the client: " + e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
