package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/wire"
)

// upConn is a connection to the upstream. One exchange has it at a time.
type upConn struct {
	net.Conn
	pool  *pool
	probe *wire.Probe
	held  *[]byte // the pooled buffer behind buf, nil if that has outgrown it
	buf   []byte
	r, w  int // what has been read and not used
	used  bool
	since time.Duration // when it became idle
}

// readHead reads until the head of an answer is complete and returns its length.
func (u *upConn) readHead(r *wire.Response) (int, error) {
	for {
		if u.w > u.r {
			if n, err := r.Parse(u.buf[u.r:u.w]); n > 0 || err != nil {
				return n, err
			}
		}
		if u.r == u.w {
			u.r, u.w = 0, 0
		}
		if u.w == len(u.buf) {
			u.buf = room(u.buf, &u.r, &u.w)
		}
		n, err := u.Read(u.buf[u.w:])
		u.w += n
		if n == 0 && err != nil {
			return 0, err
		}
	}
}

// room makes room behind [r, w): it moves that to the front of the buffer or to
// one of twice the size.
func room(buf []byte, r, w *int) []byte {
	to := buf
	if *r == 0 {
		to = make([]byte, 2*len(buf))
	}
	*w = copy(to, buf[*r:*w])
	*r = 0
	return to
}

// pool keeps the idle connections to the upstream, the one that was used last on
// top, and bounds how many are open.
type pool struct {
	s       *Server
	up      *Upstream
	ctx     context.Context // of dialling
	cancel  context.CancelFunc
	address string
	dialer  net.Dialer
	tls     *tls.Config // nil: plain TCP

	mu      sync.Mutex
	idle    []*upConn
	open    int
	waiting []chan *upConn // for a connection, nil is the right to dial
	closed  bool
	// trust is that the upstream does not close connections just after an answer.
	// Until one was seen to stay open, and for a while after one was not, what
	// cannot be repeated goes over connections of its own: between the look at a
	// connection and the request on it there is time for a close.
	trust    bool
	distrust time.Duration // until then
}

const (
	distrustTime = 10 * time.Second
	// suddenly is how soon after an answer a close says that the upstream does so.
	suddenly = time.Second
)

func newPool(s *Server, up *Upstream) *pool {
	address := up.url.Host
	if up.url.Port() == "" {
		address = net.JoinHostPort(up.url.Hostname(), message.DefaultPort(up.url.Scheme))
	}
	p := &pool{s: s, up: up, address: address, dialer: net.Dialer{Timeout: up.cfg.ConnectTimeout}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if up.url.Scheme == "https" {
		p.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: up.url.Hostname(), NextProtos: []string{"http/1.1"}}
	}
	return p
}

// get returns a connection. once says that what is to be sent cannot be
// repeated; fresh that the connection must be a new one.
func (p *pool) get(once, fresh bool) (*upConn, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, net.ErrClosed
		}
		fresh = fresh || once && !p.trust
		full := p.up.cfg.MaxConns > 0 && p.open >= p.up.cfg.MaxConns
		var u *upConn
		switch n := len(p.idle); {
		case n > 0 && (full || !fresh):
			u = p.idle[n-1]
			p.idle[n-1] = nil
			p.idle = p.idle[:n-1]
			p.mu.Unlock()
		case full:
			ready := make(chan *upConn, 1)
			p.waiting = append(p.waiting, ready)
			p.mu.Unlock()
			select {
			case u = <-ready:
			case <-p.ctx.Done():
				return nil, net.ErrClosed
			}
		default:
			p.open++
			p.mu.Unlock()
		}
		switch {
		case u == nil:
			return p.dial()
		case fresh:
			p.drop(u)
		case u.probe != nil && !wire.IsQuiet(u.Conn, u.probe):
			if p.s.now()-u.since < suddenly {
				p.suspect()
			}
			p.drop(u)
		case p.s.now()-u.since > p.up.cfg.IdleTimeout:
			p.drop(u)
		default:
			p.lend(u)
			return u, nil
		}
	}
}

// dial opens a connection that is counted already.
func (p *pool) dial() (*upConn, error) {
	connect := p.up.dial
	if connect == nil {
		connect = func(ctx context.Context) (net.Conn, error) { return p.dialer.DialContext(ctx, "tcp", p.address) }
	}
	c, err := connect(p.ctx)
	if err == nil && p.tls != nil {
		c, err = p.handshake(c)
	}
	if err != nil {
		p.gone()
		return nil, err
	}
	u := &upConn{Conn: c, pool: p, probe: wire.ProbeOf(c)}
	p.lend(u)
	return u, nil
}

func (p *pool) handshake(c net.Conn) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.up.cfg.ConnectTimeout)
	defer cancel()
	over := tls.Client(c, p.tls)
	if err := over.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return over, nil
}

// lend gives a connection the buffer that it needs while it is in use.
func (p *pool) lend(u *upConn) {
	u.held = p.up.buffers.Get().(*[]byte)
	u.buf, u.r, u.w = *u.held, 0, 0
}

func (p *pool) unlend(u *upConn) {
	if u.held != nil {
		p.up.buffers.Put(u.held)
		u.held, u.buf = nil, nil
	}
}

// put takes back a connection on which nothing is left.
func (p *pool) put(u *upConn) {
	p.unlend(u)
	u.used, u.since = true, p.s.now()
	p.mu.Lock()
	switch {
	case p.closed || len(p.idle) >= p.up.cfg.MaxIdleConns:
		p.mu.Unlock()
		p.drop(u)
		return
	case len(p.waiting) > 0:
		p.next() <- u
	default:
		p.idle = append(p.idle, u)
	}
	p.mu.Unlock()
}

func (p *pool) next() chan *upConn {
	ready := p.waiting[0]
	p.waiting = p.waiting[1:]
	return ready
}

// drop closes a connection.
func (p *pool) drop(u *upConn) {
	p.unlend(u)
	u.Close()
	p.gone()
}

// suspect says that the upstream has closed a connection just after an answer.
func (p *pool) suspect() {
	p.mu.Lock()
	p.trust, p.distrust = false, p.s.now()+distrustTime
	p.mu.Unlock()
}

// gone counts a connection less, or gives its place to who waits for one.
func (p *pool) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) > 0 {
		p.next() <- nil
		return
	}
	p.open--
}

// expire closes what is idle for too long; it stands at the front.
func (p *pool) expire() {
	p.mu.Lock()
	now, n := p.s.now(), 0
	for n < len(p.idle) && p.idle[n].since < now-p.up.cfg.IdleTimeout {
		n++
	}
	old := slices.Clone(p.idle[:n])
	p.idle = slices.Delete(p.idle, 0, n)
	if !p.trust && now >= p.distrust && len(p.idle) > 0 {
		u := p.idle[0]
		p.trust = now-u.since >= tick && u.probe != nil && u.probe.Quiet()
	}
	p.mu.Unlock()
	for _, u := range old {
		p.drop(u)
	}
}

func (p *pool) close() {
	p.cancel()
	p.mu.Lock()
	p.closed = true
	all := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, u := range all {
		p.drop(u)
	}
}
