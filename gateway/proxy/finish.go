package proxy

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/wire"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

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
		u.pool.put(u)
		return
	}
	u.pool.drop(u)
}

// finish ends an exchange, with an answer of the proxy's own if there is none.
func (c *conn) finish(err error, wait bool) bool {
	if err == nil {
		c.rest(wait && !c.asked && !c.moved.Load())
		c.giveBack()
		c.close(c.ownFailure())
		c.endTrace(c.resp.Status, nil)
		if !c.keep && (c.req.KeepAlive || !c.upload.ended || c.r < c.w) { // more may be on its way
			c.enter(other)
			c.linger()
		}
		return c.keep
	}
	kind := c.kind(err)
	f := failures[kind]
	c.to.up.count(kind, err)
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
	failure := &understudyv1.TransportError{Kind: f.kind, Message: f.message}
	c.close(failure)
	c.endTrace(status(c.began, c.resp.Status, kind), failure)
	switch {
	case c.keep:
	case c.began && c.answer.open():
		c.reset() // only so a client knows that it is cut
	case kind != kindCanceled:
		c.enter(other)
		c.linger()
	}
	return c.keep
}

// status is that of the answer which a client has got of an exchange that failed, 0
// if none.
func status(began bool, theirs int, kind string) int {
	switch {
	case began:
		return theirs
	case kind == kindCanceled:
		return 0
	}
	return failures[kind].status
}

// endTrace ends the spans of the exchange.
func (c *conn) endTrace(status int, failure *understudyv1.TransportError) {
	if c.visit == nil || c.visit.Trace == nil {
		return
	}
	if failure != nil {
		c.leg.Fail(understudyv1.Label(failure.GetKind()))
	}
	c.leg.End(trace.Status(status))
	c.visit.End(status, failure)
	c.leg = nil
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
	if c.began && c.answer.open() {
		c.reset()
	}
	c.dismiss()
	c.close(nil)
	c.endTrace(0, &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_RESET})
}

// reset breaks the connection. Over TLS no end is announced, which would say that
// the answer is whole.
func (c *conn) reset() { reset(c.raw) }

func reset(c net.Conn) {
	raw := c
	if over, ok := raw.(*tls.Conn); ok {
		raw = over.NetConn()
	}
	if tcp, ok := raw.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	if raw != c {
		raw.Close()
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
