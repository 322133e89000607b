package proxy

import (
	"io"
	"net"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/wire"
)

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
		c.to.up.count(kindCanceled, err)
	}
	return errSwitched
}

// tunnel joins the two connections until both directions have ended or one has
// failed. Splice does it where the system has that: nothing looks at the bytes.
func (c *conn) tunnel(u *upConn) error {
	c.enter(other)
	c.to.up.metrics.upgrades.Inc()
	defer c.to.up.metrics.upgrades.Dec()
	if err := c.write(u.buf[u.r:u.w]); err != nil {
		return err
	}
	if _, err := u.Write(c.in[c.r:c.w]); err != nil {
		return err
	}
	u.pool.unlend(u)
	ended := make(chan error, 2)
	go func() { ended <- join(u.Conn, c.raw) }()
	go func() { ended <- join(c.raw, u.Conn) }()
	if <-ended != nil {
		c.raw.Close()
		u.Close()
	}
	<-ended //nolint:errcheck // one direction ends as the other does
	return nil
}

// join copies until the end and passes the end on; an error means that the other
// direction cannot go on either.
func join(to, from net.Conn) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	half, ok := to.(interface{ CloseWrite() error })
	if !ok {
		return io.EOF
	}
	return half.CloseWrite()
}
