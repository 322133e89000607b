package target_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"understudy.dev/exchange/target"
)

// pipes is a network within the program, with one server.
type pipes chan net.Conn

func (p pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case p <- theirs:
		return mine, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Listen(context.Context, string, string) (net.Listener, error) { return p, nil }

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error { close(p); return nil }
func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestNetwork: a program that holds both ends needs no sockets.
func TestNetwork(t *testing.T) {
	network := make(pipes)
	listener, _ := network.Listen(t.Context(), "", "")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })} //nolint:gosec // its client is ours
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	cfg := target.DefaultConfig()
	cfg.URL, cfg.Network = "http://nowhere.invalid", network
	direct, err := target.NewDirect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://nowhere.invalid/", nil)
	if o := direct.Ask(t.Context(), request, nil); string(o.GetAck().GetBody().GetContent()) != "nowhere.invalid" {
		t.Errorf("%v", o)
	}
	direct.Close()
	_ = server.Close()
	<-done
}
