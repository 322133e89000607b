package proxy

import (
	"bufio"
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
