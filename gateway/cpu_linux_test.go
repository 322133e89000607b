package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/trace"
	"understudy.dev/gateway/proxy"
)

// tracing is a tracer whose collector takes everything.
func tracing(b *testing.B) *trace.Tracer {
	b.Helper()
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(collector.Close)
	cfg := trace.DefaultConfig()
	cfg.Endpoint = collector.URL
	t, err := trace.New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); t.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-ended })
	return t
}

// BenchmarkServe is one request through the proxy, with a door, without, and with one
// that traces. cpu-ns
// is what the process has used for it, client and upstream included: the
// difference is the door's.
func BenchmarkServe(b *testing.B) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hi") }))
	defer up.Close()
	cfg := proxy.DefaultConfig()
	cfg.URL = up.URL
	for _, doors := range []string{"none", "steps", "traced"} {
		b.Run("door="+doors, func(b *testing.B) {
			upstream, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if err != nil {
				b.Fatal(err)
			}
			serving := proxy.Serving{HTTP2: new(http.Server)}
			if doors != "none" {
				g := door(b, b.TempDir(), nil)
				if doors == "traced" {
					g.TraceBy(tracing(b))
				}
				feed(g, steps(b, order("create", ""), order("promote", "canary:10%")))
				serving.Door, serving.Candidate = g, upstream
			}
			s := proxy.NewServer(upstream, serving)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- s.Serve(l) }()
			client := &http.Client{Transport: &http.Transport{}}
			before := used(b)
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+l.Addr().String()+"/orders/17", nil)
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("X-Session", "alice")
				a, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, a.Body)
				a.Body.Close()
			}
			b.ReportMetric(float64((used(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
			client.CloseIdleConnections()
			_ = s.Close()
			<-served
		})
	}
}

// used is the CPU that the process has used.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
