package proxy

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"

	"understudy.dev/exchange/message"
)

// upgrade joins the two connections after a 101 until both directions have
// ended or one has failed. Bytes that either side sent along with its part of
// the handshake are passed on first: they are in the readers' buffers.
func (u *Upstream) upgrade(c *call, response *http.Response) {
	back, ok := response.Body.(io.ReadWriteCloser)
	// The rest of a body would be mistaken for the new protocol's bytes, which
	// the client may send only after it (RFC 9110, 7.8).
	if !ok || c.pending() || len(upgradeOf(c.in)) == 0 {
		response.Body.Close()
		u.fail(c, message.ErrUnexpectedUpgrade)
		return
	}
	defer back.Close()
	h := c.w.Header()
	for name, values := range response.Header {
		h[name] = values
	}
	conn, client, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		clear(h)
		u.fail(c, message.ErrUnexpectedUpgrade)
		return
	}
	defer conn.Close()
	if err := writeHead(client.Writer, response); err != nil {
		u.count(kindCanceled, err)
		return
	}
	u.metrics.upgrades.Inc()
	defer u.metrics.upgrades.Dec()
	c.keep() // a tunnel ends by its own ends
	stop := context.AfterFunc(c.ctx, func() { conn.Close(); back.Close() })
	defer stop()
	u.tunnel(conn, client.Reader, back)
}

func writeHead(w *bufio.Writer, response *http.Response) error {
	_, _ = w.WriteString("HTTP/1.1 101 " + http.StatusText(http.StatusSwitchingProtocols) + "\r\n")
	_ = response.Header.Write(w)
	_, _ = w.WriteString("\r\n")
	return w.Flush() // reports the first error of the three
}

func (u *Upstream) tunnel(conn net.Conn, client *bufio.Reader, back io.ReadWriteCloser) {
	ended := make(chan error, 2)
	go func() {
		// Beyond its buffer the server's reader must not be used: it would take
		// the client's half-close for the end of the connection and cancel the
		// request.
		early, _ := client.Peek(client.Buffered())
		ended <- u.pipe(back, io.MultiReader(bytes.NewReader(early), conn))
	}()
	go func() { ended <- u.pipe(conn, back) }()
	if err := <-ended; err != nil {
		conn.Close()
		back.Close()
	}
	if err := <-ended; err != nil {
		return // the first end has closed both
	}
}

// pipe copies until the end and passes the end on; an error means that the
// other direction cannot go on either.
func (u *Upstream) pipe(to io.Writer, from io.Reader) error {
	buffer := u.buffers.Get().(*[]byte)
	defer u.buffers.Put(buffer)
	// The wrappers hide ReadFrom and WriteTo, which would bypass the buffer.
	if _, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, *buffer); err != nil {
		return err
	}
	half, ok := to.(interface{ CloseWrite() error })
	if !ok {
		return io.EOF
	}
	return half.CloseWrite()
}
