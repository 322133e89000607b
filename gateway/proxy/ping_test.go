package proxy

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// hole passes on what comes until it is shut: from then on nothing of the
// connections that there are goes anywhere, and nobody is told.
type hole struct {
	to   string
	mu   sync.Mutex
	shut []*atomic.Bool // of each connection
}

func (h *hole) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		u, err := net.Dial("tcp", h.to)
		if err != nil {
			c.Close()
			continue
		}
		shut := new(atomic.Bool)
		h.mu.Lock()
		h.shut = append(h.shut, shut)
		h.mu.Unlock()
		pass := func(to, from net.Conn) {
			defer to.Close()
			b := make([]byte, 4096)
			for {
				n, err := from.Read(b)
				if n > 0 && !shut.Load() {
					_, _ = to.Write(b[:n])
				}
				if err != nil {
					return
				}
			}
		}
		go pass(u, c)
		go pass(c, u)
	}
}

// TestASilentHTTP2ConnectionIsGivenUp: requests that hang on it fail, later ones
// go over another.
func TestASilentHTTP2ConnectionIsGivenUp(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hi") }))
	up.Config.Protocols = new(http.Protocols)
	up.Config.Protocols.SetUnencryptedHTTP2(true)
	up.Start()
	defer up.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := &hole{to: up.Listener.Addr().String()}
	go h.serve(l)
	cfg := DefaultConfig()
	cfg.URL, cfg.Protocol = "http://"+l.Addr().String(), ProtocolH2C
	proxy, err := NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []*http.Transport{proxy.plain, proxy.h2c} {
		if transport.HTTP2.SendPingTimeout != pingAfter || transport.HTTP2.PingTimeout != pingPatience {
			t.Error("a transport does not ping")
		}
	}
	proxy.h2c.HTTP2.SendPingTimeout, proxy.h2c.HTTP2.PingTimeout = 20*time.Millisecond, time.Second
	ask := func(want int) {
		t.Helper()
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil)
		proxy.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("status %d, want %d: %s", w.Code, want, w.Body)
		}
	}
	ask(http.StatusOK)
	h.mu.Lock()
	for _, shut := range h.shut {
		shut.Store(true)
	}
	h.mu.Unlock()
	ask(http.StatusBadGateway)
	ask(http.StatusOK)
	proxy.h2c.CloseIdleConnections()
}
