package proxy_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/gateway/proxy"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// ledger knows what the tap saw and what a baseline on net/http saw.
type ledger struct {
	mu       sync.Mutex
	begun    map[string]int
	open     int
	answered []string
}

func (l *ledger) Begin(r *wire.Request, _ string, _ bool, _ *visit.Visit) wire.Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	target, authority, _, _ := r.Address()
	l.begun[fmt.Sprintf("%s %s at %s", r.Method, target, authority)]++
	l.open++
	return entry{l}
}

type entry struct{ l *ledger }

func (entry) Answer(*wire.Response)     {}
func (entry) Body(wire.Side, []byte)    {}
func (entry) End(wire.Side, *wire.Head) {}
func (e entry) Close(*understudyv1.TransportError) {
	e.l.mu.Lock()
	e.l.open--
	e.l.mu.Unlock()
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.answered = append(l.answered, fmt.Sprintf("%s %s at %s", r.Method, r.RequestURI, r.Host))
	l.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "hi")
}

// FuzzNothingPassesUnseen sends anything at all: a baseline on net/http must not
// find a request in it that the tap has not seen as the same, and every exchange
// that has begun ends.
func FuzzNothingPassesUnseen(f *testing.F) {
	l := &ledger{begun: map[string]int{}}
	base := serve(f, l)
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+base, proxy.EngineWire
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		f.Fatal(err)
	}
	s := proxy.NewServer(up, proxy.Serving{HTTP2: new(http.Server), Tap: l})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	go func() { _ = s.Serve(listener) }()
	f.Cleanup(func() { s.Close() })
	for i, x := range oddTrials() {
		if i%10 == 0 && len(x.request) < 1000 {
			f.Add([]byte(x.request + plainHead))
		}
	}
	f.Add([]byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n" + plainHead))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.HasPrefix(string(data), "PRI * HTTP/2.0\r\n") {
			return // net/http's own
		}
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			_, _ = c.Write(data)
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Fatalf("no end: %v", err)
		}
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Microsecond) {
			l.mu.Lock()
			open := l.open
			l.mu.Unlock()
			if open == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%d exchanges have no end", open)
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, request := range l.answered {
			if l.begun[request] == 0 {
				t.Errorf("passed unseen: %q of %v", request, l.begun)
			}
		}
		l.answered = nil
		clear(l.begun)
	})
}
