package proxy_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/gateway/proxy"
)

// overTLS starts a Server behind TLS; told counts what it refuses.
func overTLS(t *testing.T, upstream string, told *atomic.Int64) (s *proxy.Server, address string) {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+upstream, engine
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s = proxy.NewServer(up, proxy.Serving{HTTP2: &http.Server{Handler: up}, Refused: func() { told.Add(1) }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.Serve(tls.NewListener(l, &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}}))
	}()
	t.Cleanup(func() { s.Close() })
	return s, l.Addr().String()
}

// tlsClient has ended its handshake.
func tlsClient(t *testing.T, address string, protocols ...string) (*tls.Conn, *bufio.Reader) {
	t.Helper()
	c, _ := dial(t, address)
	over := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
	if err := over.Handshake(); err != nil {
		t.Fatal(err)
	}
	return over, bufio.NewReader(over)
}

// TestWhatComesBeforeHTTP: a handshake that fails is told as refused, a look
// whether the port is open is not.
func TestWhatComesBeforeHTTP(t *testing.T) {
	onlyWire(t)
	up := rawUpstream(t, hasty(sized, make(chan int, 100)))
	f := func(want int64, raw string) {
		t.Helper()
		var told atomic.Int64
		s, address := overTLS(t, up, &told)
		c, r := dial(t, address)
		io.WriteString(c, raw)
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.ReadAll(r)
		s.Close()
		if told.Load() != want {
			t.Errorf("%.40q: told %d times, want %d", raw, told.Load(), want)
		}
	}
	f(0, "")
	f(1, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	f(1, "\x16\x03\x01\x00\xc8\x01")

	var told atomic.Int64
	_, address := overTLS(t, up, &told)
	c, r := tlsClient(t, address) // HTTP/2 over TLS is agreed on by ALPN (RFC 9113, 3.2)
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	if status := head(r); !strings.HasPrefix(status, "HTTP/1.1 505 ") || told.Load() != 1 {
		t.Errorf("got %q, told %d times", status, told.Load())
	}
}

// TestKeptAndCutOverTLS: a connection takes several requests, large bodies too, and
// an answer that is cut does not look whole.
func TestKeptAndCutOverTLS(t *testing.T) {
	onlyWire(t)
	_, address := overTLS(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		for h := head(r); h != ""; h = head(r) {
			if strings.Contains(h, "/cut") {
				io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nsome")
				time.Sleep(50 * time.Millisecond) // it must have gone through before the reset
				_ = c.(*net.TCPConn).SetLinger(0)
				return
			}
			body := make([]byte, 300_000)
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"+string(body))
		}
	}), new(atomic.Int64))
	c, r := tlsClient(t, address, "http/1.1")
	for i := range 3 {
		body := strings.Repeat(string(rune('a'+i)), 300_000)
		go io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n"+body)
		if h := head(r); !strings.HasPrefix(h, "HTTP/1.1 200") {
			t.Fatalf("got %q", h)
		}
		got := make([]byte, len(body))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != body {
			t.Fatalf("body %d is another, %v", i, err)
		}
	}
	io.WriteString(c, "GET /cut HTTP/1.1\r\nHost: h\r\n\r\n")
	head(r)
	if b, err := io.ReadAll(r); err == nil {
		t.Errorf("client took the cut body %q for whole", b)
	}
}

// TestShutdownDoesNotWaitForAHandshake that nobody begins.
func TestShutdownDoesNotWaitForAHandshake(t *testing.T) {
	onlyWire(t)
	s, address := overTLS(t, rawUpstream(t, hasty(sized, make(chan int, 100))), new(atomic.Int64))
	silent, fromSilent := dial(t, address)
	c, r := tlsClient(t, address) // accepted after the silent one
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	head(r)
	c.Close()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	_ = silent
	if b, err := io.ReadAll(fromSilent); len(b) > 0 {
		t.Errorf("got %q, %v", b, err)
	}
}
