package listener

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/pires/go-proxyproto"

	"understudy.dev/exchange/wire"
)

// announced is a connection of a trusted load balancer. It must begin with a
// header of version 1 or 2 of the PROXY protocol: a receiver "must not try to
// guess whether the protocol header is present or not" (its specification, 2),
// or a client could write one where the balancer does not.
type announced struct {
	*net.TCPConn
	once   sync.Once
	client net.Addr // nil: the balancer speaks for itself, or names none
	first  []byte   // what came with the header
	fault  error
}

// errHeader is what a proxy answers.
var errHeader = &wire.Error{Status: http.StatusBadRequest, Fault: "connections from this address must begin with a valid header of the PROXY protocol"}

func (c *announced) open() {
	c.once.Do(func() {
		in := bufio.NewReader(c.TCPConn)
		header, err := proxyproto.Read(in)
		switch {
		case err == nil:
		case errors.Is(err, proxyproto.ErrNoProxyProtocol) && in.Buffered() == 0:
			c.fault = io.EOF // it only looked whether the port is open
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.fault = err
			return
		default:
			c.fault = errHeader
			return
		}
		if from, _, ok := header.TCPAddrs(); ok && header.Command.IsProxy() {
			c.client = from
		}
		c.first, _ = in.Peek(in.Buffered())
	})
}

// Read implements net.Conn.
func (c *announced) Read(p []byte) (int, error) {
	c.open()
	if c.fault != nil {
		return 0, c.fault
	}
	if len(c.first) > 0 {
		n := copy(p, c.first)
		if c.first = c.first[n:]; len(c.first) == 0 {
			c.first = nil
		}
		return n, nil
	}
	return c.TCPConn.Read(p)
}

// RemoteAddr is the client's address. It waits for the header.
func (c *announced) RemoteAddr() net.Addr {
	if c.open(); c.client != nil {
		return c.client
	}
	return c.TCPConn.RemoteAddr()
}
