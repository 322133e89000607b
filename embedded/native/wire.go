package native

import (
	"net"
	"os"
	"sync/atomic"
	"time"
)

// deadlineReader reads from a connection, each time for at most the timeout.
type deadlineReader struct {
	conn    net.Conn
	timeout time.Duration
	stopped atomic.Bool // until resume
	halted  atomic.Bool // for good
}

func (r *deadlineReader) Read(p []byte) (int, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(r.timeout)); err != nil {
		return 0, err
	}
	if r.stopped.Load() || r.halted.Load() { // after the deadline is set: stop may have come before it
		return 0, os.ErrDeadlineExceeded
	}
	return r.conn.Read(p)
}

// stop ends the Read that runs, and those to come until resume.
func (r *deadlineReader) stop() {
	r.stopped.Store(true)
	// An error means that the connection is closed, which ends Read as well.
	_ = r.conn.SetReadDeadline(time.Unix(1, 0))
}

// halt ends the Read that runs and all to come.
func (r *deadlineReader) halt() {
	r.halted.Store(true)
	r.stop()
}

func (r *deadlineReader) resume() { r.stopped.Store(false) }

// outputSize is how much of an answer is held back at most.
const outputSize = 256 << 10

// output collects packets for the client. What belongs to a packet that was
// begun can be taken back until some of it has been sent.
type output struct {
	conn    net.Conn
	timeout time.Duration
	buf     []byte
	begun   int  // where the present packet begins in buf
	inside  bool // a packet was begun and is not ended
	sent    bool // some of the present packet has been sent
	err     error
}

// begin starts a packet that may have to be taken back.
func (o *output) begin() { o.begun, o.inside, o.sent = len(o.buf), true, false }

func (o *output) end() { o.inside = false }

// rollback takes back the present packet and reports whether the answer now
// ends where a packet does.
func (o *output) rollback() bool {
	if !o.inside {
		return true
	}
	if o.sent || o.err != nil {
		return false
	}
	o.buf, o.inside = o.buf[:o.begun], false
	return true
}

func (o *output) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		n := min(len(p), outputSize-len(o.buf))
		o.buf = append(o.buf, p[:n]...)
		p = p[n:]
		if len(o.buf) >= outputSize {
			if err := o.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

// flush sends what was collected.
func (o *output) flush() error {
	if o.err != nil {
		return o.err
	}
	if len(o.buf) == 0 {
		return nil
	}
	if o.err = o.conn.SetWriteDeadline(time.Now().Add(o.timeout)); o.err != nil {
		return o.err
	}
	_, o.err = o.conn.Write(o.buf)
	o.sent = o.sent || o.inside
	o.buf, o.begun = o.buf[:0], 0
	return o.err
}
