package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"syscall"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
)

// exchange is one request on its way. It is part of its connection.
type exchange struct {
	visit  *visit.Visit  // nil: there is no door
	leg    *trace.Span   // of asking the side; nil: it is not traced, or the face's
	to     *pool         // of the side that serves it
	tap    wire.Exchange // nil: nobody looks
	upload flow
	answer flow
	head   bool // the method is HEAD
	safe   bool // the request can be repeated
	began  bool // the head of the final answer has gone out
	asked  bool // 100 has gone out
	keep   bool // the connection stays open after the answer

	uploading chan struct{} // closed when the upload has ended; nil if the body came with the head
	moved     atomic.Bool   // some of the body has come
	lost      atomic.Bool   // the upstream takes no more of the body
	broken    atomic.Bool   // the client has broken the body off
}

// serveOne answers the request whose head are the first n bytes. It returns
// false when the connection cannot take another.
func (c *conn) serveOne(n int) bool {
	r := &c.req
	if c.cameBack() {
		c.refuse(&wire.Error{Status: http.StatusLoopDetected, Fault: "the proxy has sent this request on itself: its upstream leads to it"})
		return false
	}
	c.tap, c.began, c.asked, c.uploading = nil, false, false, nil
	c.moved.Store(false)
	c.lost.Store(false)
	c.broken.Store(false)
	c.head, c.keep = string(r.Method) == http.MethodHead, r.KeepAlive && !c.s.closing.Load()
	c.safe = r.Body != wire.Chunked && r.Length <= 0 && message.IsSafe(string(r.Method))
	c.sent.Store(false)
	c.choose()
	c.enter(asking)
	if c.s.serving.Tap != nil {
		c.tap = c.s.serving.Tap.Begin(r, c.remote, c.secure, c.visit)
	}
	buffer := c.s.small.Get().(*[]byte)
	c.out = (*buffer)[:0]
	defer func() {
		c.out = nil
		c.s.small.Put(buffer)
	}()
	c.answer.begin(wire.Close, 0, wire.Server, nil, false)
	c.upload.begin(r.Body, max(r.Length, 0), wire.Client, c.tap, false)
	target, authority, own, ok := r.Address()
	if ok {
		c.out = c.appendRequest(c.out, target, authority, own)
	}
	head := len(c.out)
	wait := r.Continue && r.Body != wire.None
	tunnel := upgradeTo(r) != ""
	c.r += n
	if !ok {
		return c.finish(errTarget, wait)
	}
	err := c.relay(wait, tunnel)
	for c.retreat(err, head, target, authority, own) {
		head = len(c.out)
		err = c.again(wait, tunnel)
	}
	if errors.Is(err, errSwitched) {
		c.endTrace(http.StatusSwitchingProtocols, nil)
		return false
	}
	return c.finish(err, wait)
}

var (
	// errTarget refuses a request.
	errTarget = errors.New("the target cannot be sent on")
	// errSwitched says that the connection was a tunnel and has ended.
	errSwitched = errors.New("switched protocols")
)

// relay sends the request and passes the answer on.
func (c *conn) relay(wait, tunnel bool) error {
	n, pass, err := c.upload.take(c.in[c.r:c.w])
	c.r += n
	c.out = append(c.out, pass...)
	if n > 0 {
		c.moved.Store(true)
	}
	if err != nil {
		c.broken.Store(true)
		return err
	}
	return c.again(wait, tunnel)
}

// again sends what is ready, over another connection if the first turns out to
// be closed.
func (c *conn) again(wait, tunnel bool) error {
	fresh := false
	for {
		again, err := c.send(fresh, wait, tunnel)
		if !again {
			return err
		}
		fresh = true
	}
}

// send sends the request once. again says that no answer came and that it may be
// sent over another connection.
func (c *conn) send(fresh, wait, tunnel bool) (again bool, err error) {
	u, err := c.to.get(!c.safe, fresh)
	if err != nil {
		return false, &unsentError{err}
	}
	if !c.attach(u) {
		return false, net.ErrClosed
	}
	if inside, ok := u.Conn.(*laneEnd); ok {
		inside.carry(c.visit, c.remote, c.secure)
	}
	n, failed := u.Write(c.out)
	if failed != nil && n == 0 && u.used {
		c.detach()
		return true, nil
	}
	switch {
	case c.upload.ended:
		c.sent.Store(true)
		c.progress()
	case failed == nil:
		c.uploading = make(chan struct{})
		go c.uploadTo(u)
	default:
		c.lost.Store(true)
	}
	// While others are served the answer may come: a read before it costs a system
	// call and a wait.
	runtime.Gosched()
	first, err := c.readAnswer(u, wait, tunnel)
	if first && failed != nil {
		err = failed
	}
	if first && u.used && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
		u.pool.suspect()
		if c.safe {
			c.detach()
			return true, nil
		}
	}
	return false, err
}

// readAnswer reads heads until the final one and passes everything on. first
// says that nothing came at all.
func (c *conn) readAnswer(u *upConn, wait, tunnel bool) (first bool, err error) {
	r := &c.resp
	for first = true; ; first = false {
		r.Reset()
		n, err := u.readHead(r)
		if err != nil {
			return first && u.w == u.r, err
		}
		switch {
		case r.Status == http.StatusSwitchingProtocols:
			return false, c.switchTo(u, n, tunnel)
		case r.Status >= 200:
			r.Frame(c.head)
			return false, c.passAnswer(u, n, wait)
		case c.req.Minor > 0:
			c.asked = c.asked || r.Status == http.StatusContinue
			c.out = appendResponse(c.out[:0], r, false, false, "")
			if err := c.write(c.out); err != nil {
				return false, err
			}
		}
		u.r += n
	}
}

// passAnswer passes on the final answer, whose head are the next n bytes.
func (c *conn) passAnswer(u *upConn, n int, wait bool) error {
	r := &c.resp
	plain := c.req.Minor == 0 && r.Body == wire.Chunked
	if !c.enterAnswer() {
		return net.ErrClosed
	}
	tap := c.tap
	if c.ownFailure() != nil {
		tap = nil
	}
	if tap != nil {
		tap.Answer(r)
	}
	c.answer.begin(r.Body, r.Length, wire.Server, tap, plain)
	// A client that waits for 100 Continue need not send the body any more, and
	// what comes next could be either.
	c.keep = c.keep && !c.s.closing.Load() && r.Body != wire.Close && r.Minor > 0 && !plain && !(wait && !c.asked && !c.moved.Load() && c.uploading != nil)
	connection := ""
	switch {
	case !c.keep:
		connection = "close"
	case c.req.Minor == 0:
		connection = "keep-alive"
	}
	c.out = appendResponse(c.out[:0], r, false, plain, connection)
	u.r += n
	n, pass, err := c.answer.take(u.buf[u.r:u.w])
	c.began = true
	if failed := c.write2(c.out, pass); failed != nil {
		return failed
	}
	u.r += n
	for err == nil && !c.answer.ended {
		u.r, u.w = 0, 0
		var got int
		got, err = u.Read(u.buf)
		if got > 0 {
			var fault error
			u.w = got
			if u.r, pass, fault = c.answer.take(u.buf[:got]); len(pass) > 0 {
				if failed := c.write(pass); failed != nil {
					return failed
				}
			}
			if fault != nil {
				return fault
			}
		}
		if errors.Is(err, io.EOF) && !c.answer.ended {
			return c.answer.eof()
		}
	}
	if c.answer.ended {
		return nil
	}
	return err
}

// enterAnswer begins the answer, false if the request has been cancelled.
func (c *conn) enterAnswer() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(answering)
	return c.cause == none
}

// uploaded reports whether the body has gone out whole.
func (c *conn) uploaded() bool {
	if c.uploading == nil {
		return c.upload.ended
	}
	select {
	case <-c.uploading:
		return c.upload.ended && !c.lost.Load()
	default:
		return false
	}
}

// attach makes u the connection of the exchange; false if that has been
// cancelled.
func (c *conn) attach(u *upConn) bool {
	c.mu.Lock()
	c.up = u
	ok := c.cause == none
	c.mu.Unlock()
	if !ok {
		c.detach()
	}
	return ok
}

// detach closes the upstream connection.
func (c *conn) detach() {
	c.mu.Lock()
	u := c.up
	c.up = nil
	c.mu.Unlock()
	if u != nil {
		u.pool.drop(u)
	}
}
