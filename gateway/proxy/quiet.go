package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"runtime"
	"sync/atomic"
	"time"
)

// quietConn knows whether someone waits in Read. The Transport's reading
// goroutine does so on an idle HTTP/1 connection once it has nothing more in its
// buffer.
type quietConn struct {
	*net.TCPConn
	reading atomic.Bool
	closed  atomic.Bool
}

// Read implements net.Conn.
func (c *quietConn) Read(p []byte) (int, error) {
	c.reading.Store(true)
	n, err := c.TCPConn.Read(p)
	c.reading.Store(false)
	return n, err
}

// Close implements net.Conn.
func (c *quietConn) Close() error {
	c.closed.Store(true)
	return c.TCPConn.Close()
}

func quietly(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			return &quietConn{TCPConn: tcp}, nil
		}
		return conn, err
	}
}

// quietLimit bounds how long a request waits for its connection to be quiet.
const quietLimit = 100 * time.Millisecond

// whenQuiet waits, before a request is written to a connection that has carried
// another, until the Transport has looked for bytes beyond the answer to that
// one. The Transport puts the connection back before it looks, so that an
// upstream that sends two answers to one request would now and then have the
// second one delivered to the next client. If there are such bytes, the Transport
// closes the connection, and the request goes over another one. Bytes that arrive later than the next request is written
// cannot be told from its answer.
//
// On HTTP/2 streams are numbered; there the connection is shared.
func (c *call) whenQuiet(info httptrace.GotConnInfo) {
	conn := info.Conn
	if over, ok := conn.(*tls.Conn); ok && over.ConnectionState().NegotiatedProtocol != "h2" {
		conn = over.NetConn()
	}
	quiet, ok := conn.(*quietConn)
	if c.shared = !ok; c.shared || !info.Reused {
		return
	}
	for tries := 0; !quiet.reading.Load() && !quiet.closed.Load(); tries++ {
		switch {
		case tries < 20:
			runtime.Gosched()
		case tries < 20+int(quietLimit/quietPause):
			time.Sleep(quietPause)
		default:
			_ = quiet.Close()
		}
	}
}

const quietPause = 100 * time.Microsecond
