package sender

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/wire"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// engine sends HTTP/1.1 as exchange/wire has it. The goroutine that sends a
// request reads its answer: nothing is handed over.
type engine struct {
	cfg   Config
	other *transport // for HTTP/2, streams, and hosts that are not ASCII

	mu      sync.RWMutex
	origins map[place]*origin
	idle    atomic.Int64
	closed  atomic.Bool
	sweeps  atomic.Bool // a sweep is due
}

type place struct{ scheme, host string }

func newEngine(cfg Config, other *transport) *engine {
	return &engine{cfg: cfg, other: other, origins: map[place]*origin{}}
}

// Close implements Sender.
func (e *engine) Close() {
	e.closed.Store(true)
	e.sweep(time.Now().Add(time.Hour))
	e.other.Close()
}

// sweepLater sees to it that idle connections are closed.
func (e *engine) sweepLater() {
	if e.sweeps.CompareAndSwap(false, true) {
		time.AfterFunc(maxIdle/2, func() {
			e.sweeps.Store(false)
			if e.sweep(time.Now().Add(-maxIdle)) {
				e.sweepLater()
			}
		})
	}
}

func (e *engine) sweep(before time.Time) (left bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, o := range e.origins {
		left = o.sweep(before) || left
	}
	return left
}

// Open implements Sender.
func (e *engine) Open(r *http.Request) (*http.Response, error) { return e.other.Open(r) }

// origin is that of a URL, nil if it is net/http's.
func (e *engine) origin(u *url.URL) *origin {
	at := place{u.Scheme, u.Host}
	e.mu.RLock()
	o := e.origins[at]
	e.mu.RUnlock()
	if o == nil {
		for _, b := range []byte(u.Host) {
			if b >= 0x80 {
				return nil
			}
		}
		e.mu.Lock()
		if o = e.origins[at]; o == nil {
			o = e.newOrigin(u)
			e.origins[at] = o
		}
		e.mu.Unlock()
	}
	if o.isHTTP2.Load() {
		return nil
	}
	return o
}

// Exchange implements Sender.
func (e *engine) Exchange(ctx context.Context, r Request) (*understudyv1.Response, error) {
	o := e.origin(r.HTTP.URL)
	if o == nil {
		return e.other.Exchange(ctx, r)
	}
	out := outgoings.Get().(*outgoing)
	defer out.free()
	if err := out.write(&r); err != nil {
		return nil, err
	}
	since := time.Now()
	deadline := latest(since, r.At).Add(e.cfg.Timeout)
	for c := o.take(r.Session); ; {
		isNew := c == nil
		if isNew {
			var err error
			if c, err = o.dial(ctx, deadline); errors.Is(err, errHTTP2) {
				return e.other.Exchange(ctx, r)
			} else if err != nil {
				r.said(since, time.Now(), false)
				return nil, err
			}
		}
		x := &exchange{o: o, c: c, out: out, method: r.HTTP.Method, session: r.Session, look: !isNew && since.Before(r.At)}
		x.begin(ctx, deadline)
		if out.isTaken(c) {
			e.other.clock.at(r.At, x)
			r.said(since, x.began, !isNew)
		} else {
			e.other.clock.at(r.At, nothing{})
			r.said(since, time.Now(), !isNew)
			x.do()
		}
		if x.isUnwritten && !isNew && !x.isOver(deadline) {
			x.drop()
			e.cfg.Resent()
			c, r.Sent = nil, nil
			continue
		}
		return x.finish()
	}
}

// exchange is one that is under way on its connection.
type exchange struct {
	o       *origin
	c       *conn
	out     *outgoing // until it is written
	method  string
	session string
	look    bool // time has passed since the connection was looked at
	ctx     context.Context
	stop    func() bool

	began       time.Time     // of the write
	isUnwritten bool          // nothing of it went out
	failed      error         // of the write
	writing     chan struct{} // closed when a large body is written; nil: there is none
}

// begin bounds the exchange.
func (x *exchange) begin(ctx context.Context, deadline time.Time) {
	x.ctx = ctx
	_ = x.c.SetDeadline(deadline)
	x.stop = context.AfterFunc(ctx, func() { _ = x.c.SetDeadline(past) })
}

// isOver says whether the time of the exchange is over.
func (x *exchange) isOver(deadline time.Time) bool {
	return x.ctx.Err() != nil || !time.Now().Before(deadline)
}

// do writes the request, of a large one the beginning.
func (x *exchange) do() {
	x.began = time.Now()
	if x.look && x.c.probe != nil && !x.c.probe.Quiet() {
		x.failed, x.isUnwritten = io.ErrUnexpectedEOF, true
		return
	}
	n, err := x.c.Write(x.out.head)
	x.failed = err
	if err == nil && len(x.out.rest) > 0 {
		x.writing = make(chan struct{})
		go func(rest []byte) {
			defer close(x.writing)
			_, x.failed = x.c.Write(rest)
		}(x.out.rest)
	}
	x.isUnwritten = n == 0 && err != nil
}

// drop ends the exchange and closes its connection.
func (x *exchange) drop() {
	x.stop()
	x.c.Close()
	if x.writing != nil {
		<-x.writing
	}
	x.c.unlend()
}

// finish reads the answer.
func (x *exchange) finish() (*understudyv1.Response, error) {
	refused := x.writing == nil && x.failed != nil
	if refused {
		// A server that refuses a request may have said so before it closed.
		_ = x.c.SetReadDeadline(time.Now().Add(lastWords))
	}
	r, again, err := x.c.read(x.method, x.o.engine.cfg.CaptureLimit)
	if err == nil && again {
		again = x.isWritten()
	}
	if err != nil && refused {
		err = x.failed
	}
	if err == nil && again && x.stop() {
		if value, ok := x.c.answer.Get("keep-alive"); ok {
			x.o.announced(value)
		}
		x.o.put(x.session, x.c)
		return r, nil
	}
	x.drop()
	if err != nil && x.ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.Cause(x.ctx)
	}
	return r, err
}

// lastWords is how long the answer of a server is waited for that does not take
// the request.
const lastWords = 50 * time.Millisecond

// isWritten says whether the request has gone out whole. An answer that came
// before is an answer all the same.
func (x *exchange) isWritten() bool {
	if x.writing != nil {
		late := time.NewTimer(settled) // the goroutine that writes may only have to notice
		defer late.Stop()
		select {
		case <-x.writing:
		case <-late.C:
			return false
		}
	}
	return x.failed == nil
}

// errHTTP2 says that a server has chosen HTTP/2.
var errHTTP2 = errors.New("the server speaks HTTP/2")

// dial opens a connection.
func (o *origin) dial(ctx context.Context, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	c := &conn{}
	if o.tls == nil {
		raw, err := o.engine.cfg.Dial(ctx, "tcp", o.address)
		if err != nil {
			return nil, err
		}
		c.Conn = raw
	} else {
		over, err := o.engine.cfg.dialTLS(ctx, o.address, o.tls)
		if err != nil {
			return nil, err
		}
		if over.ConnectionState().NegotiatedProtocol == "h2" {
			o.isHTTP2.Store(true)
			over.Close()
			return nil, errHTTP2
		}
		c.Conn, c.over = over, over
	}
	c.probe = wire.ProbeOf(c.Conn)
	c.lend()
	return c, nil
}
