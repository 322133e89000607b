package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
)

// open ends what a connection begins with before HTTP: the header of a load
// balancer, by which the listener's connection knows the client's address, and
// the handshake of TLS. false says that there is nothing more to do here.
func (c *conn) open() bool {
	c.enter(opening)
	c.remote = c.raw.RemoteAddr().String()
	over, ok := c.raw.(*tls.Conn)
	if !ok {
		return c.opened()
	}
	c.secure = true
	if err := over.HandshakeContext(context.Background()); err != nil {
		if !errors.Is(err, io.EOF) && !c.s.closing.Load() { // who only looks whether the port is open says nothing
			c.s.serving.Refused()
		}
		return false
	}
	if !c.opened() {
		return false
	}
	if over.ConnectionState().NegotiatedProtocol == "h2" {
		c.hand(over)
		return false
	}
	return true
}

// opened leaves the opening phase; false says that the time for it had just run
// out.
func (c *conn) opened() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(idle)
	return !c.interrupted
}
