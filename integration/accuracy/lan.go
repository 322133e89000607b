package accuracy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// lan is a network without sockets, in which time can be virtual: a goroutine
// that waits for a socket would hold it up.
type lan struct {
	mu    sync.Mutex
	hosts map[string]*host
}

// host is a listener; dialers hand their ends to it.
type host struct {
	at       net.Addr
	incoming chan net.Conn
	closed   chan struct{}
	close    func()
}

func newLAN() *lan { return &lan{hosts: map[string]*host{}} }

// Listen gives each listener an address of its own, whatever is asked for.
func (n *lan) Listen(context.Context, string, string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 20_000 + len(n.hosts)}
	h := &host{at: at, incoming: make(chan net.Conn), closed: make(chan struct{})}
	h.close = sync.OnceFunc(func() { close(h.closed) })
	n.hosts[at.String()] = h
	return h, nil
}

func (n *lan) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	h := n.hosts[address]
	n.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("nobody listens at %s", address)
	}
	mine, theirs := net.Pipe()
	select {
	case h.incoming <- theirs:
		return mine, nil
	case <-h.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *host) Accept() (net.Conn, error) {
	select {
	case c := <-h.incoming:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *host) Close() error   { h.close(); return nil }
func (h *host) Addr() net.Addr { return h.at }

// serve serves a handler until stop is called.
func (n *lan) serve(handler http.Handler) (address string, stop func()) {
	h, _ := n.Listen(context.Background(), "", "")
	server := &http.Server{Handler: handler} //nolint:gosec // its clients are ours
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(h) }()
	return h.Addr().String(), func() { _ = server.Close(); <-done }
}

// client is one of the network; what it leaves open is closed by stop.
func (n *lan) client() (c *http.Client, stop func()) {
	t := &http.Transport{DialContext: n.DialContext}
	return &http.Client{Transport: t}, t.CloseIdleConnections
}
