package proxy

import (
	"errors"
	"io"
	"time"

	"understudy.dev/exchange/wire"
)

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
	case errors.Is(err, io.EOF) && ok && c.s.up.cfg.HalfCloseTimeout > 0:
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
