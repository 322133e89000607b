package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/wire"
)

// Limits of clients' connections.
const (
	// headTimeout bounds a head from its first byte to its last.
	headTimeout = 30 * time.Second
	// clientIdle is above the 600 s for which common load balancers keep
	// connections: who closes first must be the client, or a request is lost.
	clientIdle = 620 * time.Second
	// uploadPause is how long the rest of an upload may stand still after its
	// answer has gone out.
	uploadPause = 30 * time.Second
)

// Server takes the traffic for an upstream: HTTP/1.1 on package wire, one
// goroutine for each connection and a second one while a body is uploaded that
// did not come with its head. A connection that begins with HTTP/2's preface, or
// over TLS has agreed on HTTP/2, is handed to an http.Server.
type Server struct {
	up      *Upstream
	serving Serving
	handed  *handed
	pool    *pool // to the upstream
	other   *pool // to the candidate; nil without one
	face    *pool // to the synchronous face; nil without one
	small   sync.Pool
	clock   atomic.Int64 // nanoseconds since start, as of the last tick
	start   time.Time
	closing atomic.Bool
	stop    chan struct{} // closed when the server ends

	mu        sync.Mutex
	listeners map[net.Listener]bool
	conns     map[*conn]bool
	running   sync.WaitGroup
	began     bool
	ended     bool
}

// Serving is what a Server is given beside its upstream.
type Serving struct {
	// HTTP2 is served by the Server; its Handler gets what comes over HTTP/2.
	HTTP2 *http.Server
	// Tap sees what passes over HTTP/1.1; nil is nobody.
	Tap wire.Tap
	// Refused, if it is set, is called for each connection that ends with a request
	// whose head was refused or broke off, or in what comes before HTTP: no tap has
	// seen it.
	Refused func()
	// Door chooses who serves what comes over HTTP/1.1; with none everything goes
	// to the Server's upstream, which is the baseline.
	Door Door
	// Candidate is the other upstream that a Door can choose.
	Candidate *Upstream
	// Face answers what the door has sent to it; nil without one.
	Face *Inside
	// Mark is put on what is sent on over HTTP/1.1.
	Mark Mark
}

// Mark is a field by which a proxy knows what it has sent on itself. What comes
// back with it would go round until something breaks; it gets a 508, and no tap
// sees it.
type Mark struct {
	// Name is the field's, Value tells this proxy from others. No name is no mark.
	Name, Value string
	// Met, if it is set, is called for each request that comes back.
	Met func()
}

// NewServer returns a server that is to be started by Serve.
func NewServer(up *Upstream, serving Serving) *Server {
	s := &Server{
		up: up, serving: serving, handed: &handed{conns: make(chan net.Conn), closed: make(chan struct{})},
		start: time.Now(), stop: make(chan struct{}), listeners: map[net.Listener]bool{}, conns: map[*conn]bool{},
	}
	if s.serving.Refused == nil {
		s.serving.Refused = func() {}
	}
	if s.serving.Mark.Met == nil {
		s.serving.Mark.Met = func() {}
	}
	s.small.New = func() any { b := make([]byte, smallBuffer); return &b }
	s.pool = newPool(s, up)
	if serving.Candidate != nil {
		s.other = newPool(s, serving.Candidate)
	}
	if serving.Face != nil {
		s.face = newPool(s, serving.Face.Upstream)
	}
	return s
}

// Serve answers the connections of l, *tls.Conn or such as have the methods of a
// *net.TCPConn, until the server is shut down, and then returns
// http.ErrServerClosed, at once.
func (s *Server) Serve(l net.Listener) error {
	if !s.add(l) {
		l.Close()
		return http.ErrServerClosed
	}
	defer func() {
		l.Close()
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	pause := time.Duration(0)
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.serve(c)
		case s.closing.Load():
			return http.ErrServerClosed
		case !temporary(err):
			return err
		default: // too many open files, for one
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(pause):
			case <-s.stop:
			}
		}
	}
}

func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

func (s *Server) add(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	s.listeners[l] = true
	if !s.began {
		s.began = true
		s.running.Go(s.watch)
		s.running.Go(func() { _ = s.serving.HTTP2.Serve(s.handed) })
		if s.face != nil {
			s.running.Go(s.serving.Face.serve)
		}
	}
	return true
}

func (s *Server) serve(raw net.Conn) {
	c := newConn(s, raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		raw.Close()
		return
	}
	s.conns[c] = true
	s.running.Go(c.serve)
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// all are the connections that there are now.
func (s *Server) all(into []*conn) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		into = append(into, c)
	}
	return into
}

// Shutdown takes no further connections, closes idle ones, and returns when the
// others have ended, tunnels too, or with the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.refuse()
	over := make(chan error, 1)
	go func() { over <- s.serving.HTTP2.Shutdown(ctx) }()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		open := s.all(nil)
		if len(open) == 0 {
			break
		}
		for _, c := range open {
			c.leaveIdle()
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			<-over //nolint:errcheck // the end of ctx is what is told
			return ctx.Err()
		}
	}
	err := <-over
	s.end()
	return err
}

// Close ends everything at once.
func (s *Server) Close() error {
	s.refuse()
	_ = s.serving.HTTP2.Close()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	for _, c := range s.all(nil) {
		c.cancel(stopped)
	}
	s.end()
	return nil
}

func (s *Server) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing.Store(true)
	for l := range s.listeners {
		l.Close()
	}
	s.handed.Close()
}

// pools are those that there are.
func (s *Server) pools() []*pool {
	all := []*pool{s.pool}
	for _, p := range []*pool{s.other, s.face} {
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

// end returns when all goroutines have.
func (s *Server) end() {
	s.mu.Lock()
	if s.ended = true; s.stop != nil {
		select {
		case <-s.stop:
		default:
			close(s.stop)
		}
	}
	s.mu.Unlock()
	for _, p := range s.pools() {
		p.close()
	}
	if s.face != nil {
		s.serving.Face.close()
	}
	s.running.Wait()
}

// handed is the listener of the connections that speak HTTP/2.
type handed struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handed) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handed) Addr() net.Addr { return &net.TCPAddr{} }

func (h *handed) hand(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		c.Close()
	}
}

// begun is a connection of which some bytes have been read.
type begun struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}
