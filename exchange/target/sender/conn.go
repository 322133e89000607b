package sender

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/wire"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// conn is a connection; one exchange has it at a time.
type conn struct {
	net.Conn
	probe  *wire.Probe // nil where a connection is no socket
	over   *tls.Conn   // nil: cleartext
	since  time.Time   // when it became idle
	held   *[]byte     // the pooled buffer behind buf
	buf    []byte
	r, w   int // what has been read and not used
	answer wire.Response
	chunks wire.Chunks
}

var inputs = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// lend gives a connection the buffer that it needs while it is in use.
func (c *conn) lend() {
	c.held = inputs.Get().(*[]byte)
	c.buf, c.r, c.w = *c.held, 0, 0
}

func (c *conn) unlend() {
	if c.held != nil {
		inputs.Put(c.held)
		c.held, c.buf = nil, nil
		c.answer.Reset() // its bytes are another's
		c.chunks.Reset()
	}
}

// past ends every wait.
var past = time.Unix(1, 0)

// fill reads more.
func (c *conn) fill() error {
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.w == len(c.buf):
		to := c.buf
		if c.r == 0 {
			to = make([]byte, 2*len(c.buf))
		}
		c.w = copy(to, c.buf[c.r:c.w])
		c.r, c.buf = 0, to
	}
	n, err := c.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// read reads the answer to a request with a method. again says that the
// connection can take another request.
func (c *conn) read(method string, limit int64) (r *understudyv1.Response, again bool, err error) {
	if err := c.head(); err != nil {
		return nil, false, err
	}
	a := &c.answer
	a.Frame(method == http.MethodHead)
	r = &understudyv1.Response{Status: uint32(a.Status), Protocol: "HTTP/1.1", Headers: a.Headers(bytes.Clone(a.Bytes()), wire.Kind.OfAnswer)}
	if a.Minor == 0 {
		r.Protocol = "HTTP/1.0"
	}
	again = a.KeepAlive && a.Body != wire.Close
	var kept message.Capture
	kept.Expect(limit, a.Length)
	if err := c.body(&kept, r); err != nil {
		return nil, false, err
	}
	r.Body = new(understudyv1.Body)
	kept.Fill(r.Body, true)
	return r, again && c.r == c.w, nil
}

// head reads up to the end of the head of the final answer.
func (c *conn) head() error {
	for left := maxHead; ; {
		a := &c.answer
		a.Reset()
		a.Limit = left
		n := 0
		for {
			var err error
			if c.w > c.r {
				if n, err = a.Parse(c.buf[c.r:c.w]); err != nil {
					return err
				}
			}
			if n > 0 {
				break
			}
			if err = c.fill(); errors.Is(err, io.EOF) && c.w > c.r {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
		}
		c.r += n
		switch {
		case a.Status == http.StatusSwitchingProtocols:
			return message.ErrUnexpectedUpgrade // no replay asks for it
		case a.Status >= http.StatusOK:
			return nil
		}
		if left -= n; left <= 0 {
			return errHeads
		}
	}
}

// body reads the body in its framing.
func (c *conn) body(kept *message.Capture, r *understudyv1.Response) error {
	more := func() error {
		if kept.Length() > maxBody {
			return errEndless
		}
		if err := c.fill(); err != nil {
			return brokeOff(kept, err)
		}
		return nil
	}
	switch a := &c.answer; a.Body {
	case wire.Length:
		for left := a.Length; left > 0; {
			if c.r == c.w {
				if err := more(); err != nil {
					return unexpected(err)
				}
			}
			n := int(min(left, int64(c.w-c.r)))
			_, _ = kept.Write(c.buf[c.r : c.r+n])
			c.r, left = c.r+n, left-int64(n)
		}
	case wire.Chunked:
		c.chunks.Answer = true
		c.chunks.Reset()
		for !c.chunks.Done() {
			if c.r == c.w {
				if err := more(); err != nil {
					return unexpected(err)
				}
			}
			data, n, err := c.chunks.Next(c.buf[c.r:c.w])
			if err != nil {
				return err
			}
			_, _ = kept.Write(data)
			c.r += n
		}
		if trailer := c.chunks.Fields(); trailer.Len() > 0 {
			r.Trailers = trailer.Headers(bytes.Clone(trailer.Bytes()), func(wire.Kind) bool { return true })
		}
	case wire.Close:
		for {
			_, _ = kept.Write(c.buf[c.r:c.w])
			c.r = c.w
			if err := more(); errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// unexpected is the error of an end that comes within a body.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	return err
}

// cutFold is strings.CutPrefix in ASCII without regard to case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}
