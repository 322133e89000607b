package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/wire"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// exchange is one request on its way. It is part of its connection.
type exchange struct {
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
	c.tap, c.began, c.asked, c.uploading = nil, false, false, nil
	c.moved.Store(false)
	c.lost.Store(false)
	c.broken.Store(false)
	c.head, c.keep = string(r.Method) == http.MethodHead, r.KeepAlive && !c.s.closing.Load()
	c.safe = r.Body == wire.None && message.IsSafe(string(r.Method))
	c.sent.Store(false)
	c.enter(asking)
	if c.s.tap != nil {
		c.tap = c.s.tap.Begin(r, c.remote, c.secure)
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
	// The head is not needed beyond here, but for what has been drawn from it.
	wait := r.Continue && r.Body != wire.None
	tunnel := upgradeTo(r) != ""
	c.r += n
	if !ok {
		return c.finish(errTarget, wait)
	}
	err := c.relay(wait, tunnel)
	if errors.Is(err, errSwitched) {
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
	u, err := c.s.pool.get(!c.safe, fresh)
	if err != nil {
		return false, err
	}
	if !c.attach(u) {
		return false, net.ErrClosed
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
	first, err := c.readAnswer(u, wait, tunnel)
	if first && failed != nil {
		err = failed
	}
	if first && u.used && (err == io.EOF || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
		c.s.pool.suspect()
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
		first = false
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
	if c.tap != nil {
		c.tap.Answer(r)
	}
	c.answer.begin(r.Body, r.Length, wire.Server, c.tap, plain)
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
		if err == io.EOF && !c.answer.ended {
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

// switchTo passes on a 101 and joins the connections.
func (c *conn) switchTo(u *upConn, n int, tunnel bool) error {
	// The rest of a body would be mistaken for the new protocol's bytes, which
	// the client may send only after it (RFC 9110, 7.8).
	if !tunnel || !c.uploaded() {
		return message.ErrUnexpectedUpgrade
	}
	if c.tap != nil {
		c.tap.Answer(&c.resp)
		c.tap.End(wire.Server, nil)
		c.tap.Close(nil)
		c.tap = nil
	}
	c.out = appendResponse(c.out[:0], &c.resp, true, false, "")
	u.r += n
	err := c.write(c.out)
	if err == nil {
		err = c.tunnel(u)
	}
	c.detach()
	if err != nil {
		c.s.up.count(kindCanceled, err)
	}
	return errSwitched
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
		c.s.pool.drop(u)
	}
}

// giveBack puts the upstream connection into the pool if nothing is left on it.
func (c *conn) giveBack() {
	c.mu.Lock()
	u := c.up
	c.up = nil
	fine := c.cause == none
	c.mu.Unlock()
	if u == nil {
		return
	}
	if fine && u.r == u.w && c.resp.KeepAlive && c.answer.framing != wire.Close && c.upload.ended && !c.lost.Load() {
		c.s.pool.put(u)
		return
	}
	c.s.pool.drop(u)
}

// finish ends an exchange, with an answer of the proxy's own if there is none.
func (c *conn) finish(err error, wait bool) bool {
	if err == nil {
		c.rest(wait && !c.asked && !c.moved.Load())
		c.giveBack()
		c.close(nil)
		if !c.keep && (c.req.KeepAlive || !c.upload.ended || c.r < c.w) { // more may be on its way
			c.enter(other)
			c.linger()
		}
		return c.keep
	}
	kind := c.kind(err)
	f := failures[kind]
	c.s.up.count(kind, err)
	c.detach()
	switch {
	case c.began || kind == kindCanceled:
		c.keep = false
	default:
		c.keep = c.keep && kind != kindRefused && kind != kindTimeout && !c.broken.Load() && !(wait && !c.asked && !c.moved.Load())
		text := strconv.Itoa(f.status) + " " + http.StatusText(f.status) + ": " + f.message + "\n"
		own := ownAnswer(nil, f.status, text, map[bool]string{false: "close"}[c.keep])
		if c.head {
			own = own[:len(own)-len(text)]
		}
		if c.write(own) != nil {
			c.keep = false
		}
	}
	c.dismiss()
	c.close(&understudyv1.TransportError{Kind: f.kind, Message: f.message})
	switch {
	case c.keep:
	case c.began && c.answer.framing == wire.Close:
		c.reset() // only so a client knows that it is cut
	case kind != kindCanceled:
		c.enter(other)
		c.linger()
	}
	return c.keep
}

// close is the end of the exchange for the tap.
func (c *conn) close(failure *understudyv1.TransportError) {
	if c.tap != nil {
		tap := c.tap
		c.tap = nil
		tap.Close(failure)
	}
}

// failed cleans up after a panic, which may have been the tap's.
func (c *conn) failed() {
	defer func() { _ = recover() }()
	c.detach()
	c.keep = false
	c.dismiss()
	c.close(nil)
}

// reset breaks the connection.
func (c *conn) reset() {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

func (c *conn) kind(err error) string {
	c.mu.Lock()
	why := c.cause
	c.mu.Unlock()
	var client *clientError
	switch {
	case errors.Is(err, errTarget):
		return kindRefused
	case why == late:
		return kindTimeout
	case why != none || errors.As(err, &client):
		return kindCanceled
	case c.broken.Load():
		return kindRequest
	}
	if kind := understudyv1.Label(message.TransportError(err).GetKind()); failures[kind].status != 0 {
		return kind
	}
	return kindReset
}

// uploadTo sends the rest of the body as it comes. When the upstream takes no
// more, the rest is read and dropped for a while, so that the client is not cut
// off from its answer.
func (c *conn) uploadTo(u *upConn) {
	defer close(c.uploading)
	defer func() {
		if p := recover(); p != nil {
			c.s.up.failure.panicked(p, nil)
			c.broken.Store(true)
			c.cancel(stopped)
		}
	}()
	buffer := c.s.up.buffers.Get().(*[]byte)
	defer c.s.up.buffers.Put(buffer)
	for !c.upload.ended {
		room := *buffer
		if c.upload.framing == wire.Length && c.upload.left < int64(len(room)) {
			room = room[:c.upload.left]
		}
		n, err := c.raw.Read(room)
		if n > 0 {
			c.moved.Store(true)
			if !c.forward(u, room[:n]) {
				return
			}
		}
		if err != nil && !c.upload.ended {
			c.breakOff(u, err)
			return
		}
	}
	c.sent.Store(true)
	c.progress()
}

// forward sends on what of p belongs to the body and keeps the rest for the next
// request.
func (c *conn) forward(u *upConn, p []byte) bool {
	n, pass, fault := c.upload.take(p)
	if n < len(p) && fault == nil {
		c.in = append(c.in[:0], p[n:]...)
		c.in, c.r, c.w = c.in[:cap(c.in)], 0, len(p)-n
	}
	if len(pass) > 0 && !c.lost.Load() {
		if _, err := u.Write(pass); err != nil {
			c.giveUp()
		} else if phase(c.phase.Load()) != asking {
			c.progress()
		}
	}
	if fault != nil {
		c.broken.Store(true)
		_ = u.SetDeadline(time.Unix(1, 0)) // the upstream must not take it for whole
		return false
	}
	return true
}

// giveUp sends no more of the body.
func (c *conn) giveUp() {
	if !c.lost.Swap(true) {
		_ = c.raw.SetReadDeadline(time.Now().Add(lingerTime))
	}
}

// breakOff passes on that the client has sent no more.
func (c *conn) breakOff(u *upConn, err error) {
	c.broken.Store(true)
	half, ok := u.Conn.(interface{ CloseWrite() error })
	switch {
	case c.lost.Load():
	case err == io.EOF && ok && c.s.up.cfg.HalfCloseTimeout > 0:
		_ = half.CloseWrite()
	case isTimeout(err):
	default:
		c.cancel(gone)
	}
}

// rest waits for the rest of an upload whose answer has gone out, unless the
// client was never asked for it.
func (c *conn) rest(unasked bool) {
	switch {
	case c.uploading == nil && c.upload.ended:
		return
	case unasked || c.uploading == nil:
		c.dismiss()
		return
	case !c.keep:
		c.closeWrite() // the answer may end with the connection
	}
	c.enter(resting)
	<-c.uploading
	c.uploading = nil
	c.settle()
}

// dismiss ends an upload that has lost its purpose.
func (c *conn) dismiss() {
	if c.uploading == nil {
		c.keep = c.keep && c.drain()
		return
	}
	if c.keep {
		c.giveUp()
	} else {
		_ = c.raw.SetReadDeadline(time.Unix(1, 0))
	}
	<-c.uploading
	c.uploading = nil
	c.settle()
}

// settle is after an upload: the connection is kept if the body was read whole.
func (c *conn) settle() {
	c.keep = c.keep && c.upload.ended && !c.broken.Load()
	if c.keep && c.lost.Load() {
		c.keep = c.raw.SetReadDeadline(time.Time{}) == nil
	}
}

// drain reads the rest of a body that nobody takes, so that the next request can
// be found.
func (c *conn) drain() bool {
	if c.upload.ended {
		return true
	}
	c.lost.Store(true)
	_ = c.raw.SetReadDeadline(time.Now().Add(lingerTime))
	buffer := c.s.up.buffers.Get().(*[]byte)
	defer c.s.up.buffers.Put(buffer)
	for !c.upload.ended {
		p, kept := c.in[c.r:c.w], true
		if len(p) == 0 {
			n, err := c.raw.Read(*buffer)
			if n == 0 && err != nil {
				return false
			}
			p, kept = (*buffer)[:n], false
		}
		n, _, fault := c.upload.take(p)
		switch {
		case fault != nil:
			return false
		case kept:
			c.r += n
		case n < len(p):
			c.in = append(c.in[:0], p[n:]...)
			c.in, c.r, c.w = c.in[:cap(c.in)], 0, len(p)-n
		}
	}
	return c.raw.SetReadDeadline(time.Time{}) == nil
}
