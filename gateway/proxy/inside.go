package proxy

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/visit"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Inside is an upstream within this process: a handler at the other end of
// connections in memory. A Server sends it what it would send to anybody, so
// that bodies, framing and clients that go away are the Server's business all the
// same.
//
// The handler finds the visit in the request's context and may change it until
// it begins the answer. TransportError of its ResponseWriter says that the answer
// is the handler's own, which is not recorded.
type Inside struct {
	*Upstream
	server *http.Server
	ends   *handed
}

// NewInside makes one that a Server starts and ends.
func NewInside(h http.Handler, log *slog.Logger, reg prometheus.Registerer) (*Inside, error) {
	cfg := DefaultConfig()
	cfg.URL = "http://inside"
	up, err := NewUpstream(cfg, log, reg)
	if err != nil {
		return nil, err
	}
	in := &Inside{Upstream: up, ends: &handed{conns: make(chan net.Conn), closed: make(chan struct{})}}
	in.server = &http.Server{
		Handler: inward(h), ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), DisableGeneralOptionsHandler: true,
		MaxHeaderBytes: 2 * http.DefaultMaxHeaderBytes, // the Server has bounded it
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, laneKey{}, c.(*laneEnd).lane)
		},
	}
	up.dial = in.connect
	return in, nil
}

func (in *Inside) serve() { _ = in.server.Serve(in.ends) }

func (in *Inside) close() {
	_ = in.server.Close()
	in.ends.Close()
}

func (in *Inside) connect(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	l := new(lane)
	in.ends.hand(&laneEnd{Conn: far, lane: l})
	return &laneEnd{Conn: near, lane: l, isNear: true}, nil
}

// lane is what goes beside the bytes of a connection in memory, for one request
// at a time.
type lane struct {
	mu     sync.Mutex
	visit  *visit.Visit
	remote string
	secure bool
}

type laneKey struct{}

// laneEnd is an end of the connection; the near one is the Server's.
type laneEnd struct {
	net.Conn
	*lane
	isNear bool
}

// Close implements net.Conn. After it the visit is the Server's alone.
func (e *laneEnd) Close() error {
	if e.isNear {
		e.carry(nil, "", false)
	}
	return e.Conn.Close()
}

func (l *lane) carry(v *visit.Visit, remote string, secure bool) {
	l.mu.Lock()
	l.visit, l.remote, l.secure = v, remote, secure
	l.mu.Unlock()
}

// inward gives a handler its requests as if they had come from the client.
func inward(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := r.Context().Value(laneKey{}).(*lane)
		l.mu.Lock()
		theirs, remote, secure := l.visit, l.remote, l.secure
		out := &insideWriter{ResponseWriter: w, lane: l, theirs: theirs}
		if theirs != nil {
			out.own = *theirs
		}
		l.mu.Unlock()
		if theirs == nil {
			return // the client is gone already
		}
		r = r.WithContext(visit.With(r.Context(), &out.own))
		if r.RemoteAddr = remote; secure {
			r.TLS = new(tls.ConnectionState)
		}
		h.ServeHTTP(out, r)
		out.publish()
	})
}

// insideWriter tells the Server what became of the visit before the answer
// begins.
type insideWriter struct {
	http.ResponseWriter
	lane      *lane
	theirs    *visit.Visit
	own       visit.Visit
	published bool
}

func (w *insideWriter) publish() {
	if w.published {
		return
	}
	w.published = true
	w.lane.mu.Lock()
	defer w.lane.mu.Unlock()
	if w.lane.visit == w.theirs {
		*w.theirs = w.own
	}
}

// TransportError says that there is no answer of a side.
func (w *insideWriter) TransportError(e *understudyv1.TransportError) {
	if !w.published && w.own.Failure == nil {
		w.own.Failure = e
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *insideWriter) WriteHeader(status int) {
	if status >= 200 {
		w.publish()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *insideWriter) Write(p []byte) (int, error) {
	w.publish()
	return w.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController the writer underneath.
func (w *insideWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ownFailure is why the answer is not that of a side, nil if it is.
func (c *conn) ownFailure() *understudyv1.TransportError {
	if c.visit == nil || c.to != c.s.face {
		return nil
	}
	return c.visit.Failure
}
