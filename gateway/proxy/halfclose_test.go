package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"understudy.dev/gateway/proxy"
)

// noticed starts a proxy and returns its address and a channel that is closed
// when net/http has cancelled the first request. base is the server's context.
func noticed(base context.Context, t *testing.T, upstream string, limit time.Duration) (address string, seen chan struct{}) {
	t.Helper()
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine, cfg.HalfCloseTimeout = "http://"+upstream, engine, limit
	seen = make(chan struct{})
	if engine == proxy.EngineWire {
		time.AfterFunc(200*time.Millisecond, func() { close(seen) }) // some looks at the connection later
	}
	return start(base, t, cfg, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			context.AfterFunc(r.Context(), func() { close(seen) })
			h.ServeHTTP(w, r)
		})
	}), seen
}

// TestClientThatClosesItsSideGetsItsAnswer, and all of a long one: what limits
// it is the pause between two writes that reach the client.
func TestClientThatClosesItsSideGetsItsAnswer(t *testing.T) {
	f := func(limit time.Duration, pieces int, pause time.Duration) {
		t.Helper()
		closed := make(chan struct{})
		up := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-closed:
			case <-r.Context().Done():
			}
			for range pieces {
				_, _ = io.WriteString(w, "piece")
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
		}))
		address, seen := noticed(t.Context(), t, up, limit)
		go func() { <-seen; close(closed) }()
		c, r := dial(t, address)
		io.WriteString(c, "GET / HTTP/1.0\r\nHost: h\r\n\r\n")
		_ = c.(*net.TCPConn).CloseWrite()
		got := head(r)
		body, err := io.ReadAll(r)
		if len(body) != 5*pieces || err != nil {
			t.Errorf("%q, then %d bytes, %v", got, len(body), err)
		}
	}
	f(20*time.Second, 1, 0)
	f(time.Second, 30, 50*time.Millisecond)
}

// TestGoneClientCancelsTheUpstreamWithinBound whatever the upstream is about:
// waiting, or sending to nobody; and whoever stops the server is not kept
// waiting at all.
func TestGoneClientCancelsTheUpstreamWithinBound(t *testing.T) {
	f := func(limit time.Duration, request string, leave func(c net.Conn, stop context.CancelCauseFunc), work func(w http.ResponseWriter, r *http.Request)) {
		t.Helper()
		started, canceled := make(chan struct{}), make(chan struct{})
		up := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(started)
			work(w, r)
			<-r.Context().Done()
			close(canceled)
		}))
		base, stop := context.WithCancelCause(t.Context())
		defer stop(nil)
		address, _ := noticed(base, t, up, limit)
		c, _ := dial(t, address)
		io.WriteString(c, request)
		<-started
		leave(c, stop)
		select {
		case <-canceled:
		case <-time.After(20 * time.Second):
			t.Errorf("%q: the upstream works on", request)
		}
	}
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	gone := func(c net.Conn, _ context.CancelCauseFunc) { c.Close() }
	f(time.Millisecond, get, gone, func(http.ResponseWriter, *http.Request) {})
	f(0, get, gone, func(http.ResponseWriter, *http.Request) {})
	f(time.Hour, get, gone, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	})
	f(time.Hour, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf", gone, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})
	f(time.Hour, get, func(_ net.Conn, stop context.CancelCauseFunc) { stop(errors.New("stopped")) }, func(http.ResponseWriter, *http.Request) {})
}
