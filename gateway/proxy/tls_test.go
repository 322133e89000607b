package proxy

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
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
)

// TestUpstreamOverTLS: connections are kept, which what TLS sends by itself (a
// session ticket) does not prevent, and ones that the upstream closes are not
// used.
func TestUpstreamOverTLS(t *testing.T) {
	var opened atomic.Int64
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		fmt.Fprintf(w, "%s over %s", r.Method, r.Proto)
	}))
	up.EnableHTTP2 = true
	up.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	up.StartTLS()
	defer up.Close()
	cfg := DefaultConfig()
	cfg.URL, cfg.IdleTimeout = up.URL, time.Hour
	proxy, err := NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(proxy, Serving{HTTP2: new(http.Server)})
	s.pool.tls.RootCAs = x509.NewCertPool()
	s.pool.tls.RootCAs.AddCert(up.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	ask := func() {
		t.Helper()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello")
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(a.Body); a.StatusCode != http.StatusOK || !strings.HasSuffix(string(b), "POST over HTTP/1.1") {
			t.Fatalf("status %d, %q", a.StatusCode, b)
		}
	}
	ask()
	for trust := false; !trust; time.Sleep(time.Millisecond) { // POSTs wait for it
		s.pool.mu.Lock()
		trust = s.pool.trust
		s.pool.mu.Unlock()
	}
	for range 4 {
		ask()
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 5 requests", n)
	}
	up.CloseClientConnections()
	ask()
}

// atOnce sends what is written to it when it is told to.
type atOnce struct {
	net.Conn
	held []byte
	hold bool
}

func (c *atOnce) Write(p []byte) (int, error) {
	if c.held = append(c.held, p...); c.hold {
		return len(p), nil
	}
	_, err := c.Conn.Write(c.held)
	c.held = nil
	return len(p), err
}

// TestASecondAnswerOverTLSIsNobodys: TLS takes it from the socket with the first
// one, where no look at the socket sees it.
func TestASecondAnswerOverTLSIsNobodys(t *testing.T) {
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	up, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	go func() {
		for {
			raw, err := up.Accept()
			if err != nil {
				return
			}
			go func() {
				defer raw.Close()
				once := &atOnce{Conn: raw}
				over := tls.Server(once, certified.TLS)
				for r := bufio.NewReader(over); ; {
					in, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					answer := func(text string) {
						fmt.Fprintf(over, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
					}
					once.hold = in.URL.Path == "/twice"
					answer("of " + in.URL.Path)
					once.hold = false
					if in.URL.Path == "/twice" {
						answer("of nothing")
					}
				}
			}()
		}
	}()
	cfg := DefaultConfig()
	cfg.URL, cfg.IdleTimeout = "https://"+up.Addr().String(), time.Hour
	proxy, err := NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(proxy, Serving{HTTP2: new(http.Server)})
	s.pool.tls.RootCAs = x509.NewCertPool()
	s.pool.tls.RootCAs.AddCert(certified.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	for _, path := range []string{"/one", "/twice", "/other"} {
		a, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil || string(b) != "of "+path {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
}
