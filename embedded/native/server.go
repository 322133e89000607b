package native

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// A Server answers ClickHouse's native protocol.
type Server struct {
	backend    Engine
	cfg        Config
	log        *slog.Logger
	slots      chan struct{} // one per connection
	refusal    chan struct{} // one per connection that is being refused
	engineInfo engineInfo
}

const (
	// maxRefusals bounds the connections that are told that there are too many;
	// further ones are closed without an answer.
	maxRefusals = 16
	// drainTime is how long a connection may take to end after the context.
	drainTime = 5 * time.Second
	// acceptPause is how long to wait after a temporary error of Accept.
	acceptPause = 50 * time.Millisecond
)

// New returns a server that runs statements with the engine. The config must
// be valid.
func New(backend Engine, cfg Config, log *slog.Logger) *Server {
	return &Server{
		backend:    backend,
		cfg:        cfg,
		log:        log,
		slots:      make(chan struct{}, cfg.MaxConnections),
		refusal:    make(chan struct{}, maxRefusals),
		engineInfo: engineInfo{backend: backend},
	}
}

// Serve accepts connections until ctx ends or the listener fails, closes the
// listener, and returns when all connections have ended: idle ones at once,
// those with a query when the engine has cancelled it, all after 5 seconds.
// The end of ctx is not an error.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	if err := sweep(s.cfg); err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	var connections sync.WaitGroup
	defer connections.Wait()
	defer cancel()
	closed := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer func() {
		if closed() {
			_ = listener.Close()
		}
	}()
	for {
		conn, err := listener.Accept()
		if err == nil {
			s.accept(ctx, conn, &connections)
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		var temporary net.Error
		if !errors.As(err, &temporary) || errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accepting native connections on %s: %w", listener.Addr(), err)
		}
		s.log.Warn("accept a native connection", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(acceptPause):
		}
	}
}

// accept starts a connection, or a refusal.
func (s *Server) accept(ctx context.Context, conn net.Conn, connections *sync.WaitGroup) {
	select {
	case s.slots <- struct{}{}:
		connections.Go(func() {
			defer func() { <-s.slots }()
			s.serve(ctx, conn, (*connection).run)
		})
		return
	default:
	}
	select {
	case s.refusal <- struct{}{}:
		connections.Go(func() {
			defer func() { <-s.refusal }()
			s.serve(ctx, conn, (*connection).refuse)
		})
	default:
		_ = conn.Close()
	}
}

// serve runs one connection to its end.
func (s *Server) serve(ctx context.Context, conn net.Conn, run func(*connection, context.Context) error) {
	c := newConnection(s, conn)
	defer c.close()
	done := make(chan struct{})
	var guard sync.WaitGroup
	guard.Go(func() { c.endWith(ctx, done) })
	defer guard.Wait()
	defer close(done)
	if err := run(c, ctx); err != nil && ctx.Err() == nil {
		s.log.Info("native connection ended", "client", conn.RemoteAddr().String(), "error", err)
	}
}

// endWith ends a wait for the client at once when ctx ends, and anything else
// after drainTime.
func (c *connection) endWith(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	c.source.halt()
	select {
	case <-done:
	case <-time.After(drainTime):
		_ = c.conn.Close()
	}
}
