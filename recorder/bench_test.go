package recorder_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"understudy.dev/recorder"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// encoding is a sink that does what producing costs before compression.
type encoding struct{ size int }

func (s *encoding) Exchange(e *understudyv1.Exchange, done func(error)) error {
	b, err := proto.Marshal(e)
	s.size += len(b)
	done(err)
	return nil
}
func (s *encoding) Tally(_ *understudyv1.Tally, done func(error)) error { done(nil); return nil }
func (s *encoding) Flush(context.Context) error                         { return nil }

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkCapture is what a recorder adds to a request without any network:
// a browser's GET with an answer of 1 KiB, recorded, redacted and encoded.
func BenchmarkCapture(b *testing.B) {
	answer := []byte(strings.Repeat(`{"sku":"a"},`, 90))
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{"1080"}
		_, _ = w.Write(answer)
	})
	in := httptest.NewRequest("GET", "http://shop/orders/1042?page=2", nil)
	in.Header = http.Header{
		"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64)"}, "Accept": {"*/*"}, "Accept-Encoding": {"gzip, br"},
		"Cookie": {"sid=8f14e45fceea167a; theme=dark"}, "Authorization": {"Bearer abcdefghijklmnopqrstuvwxyz"},
	}
	run := func(b *testing.B, wrap func(http.Handler) http.Handler) {
		w := &discard{http.Header{}}
		wrapped := wrap(h)
		b.ReportAllocs()
		for b.Loop() {
			clear(w.h)
			wrapped.ServeHTTP(w, in)
		}
	}
	b.Run("off", func(b *testing.B) { run(b, func(h http.Handler) http.Handler { return h }) })
	b.Run("on", func(b *testing.B) {
		c := config(func(c *recorder.Config) { c.QueueSize = 1 << 20 })
		r, err := recorder.New(c, new(encoding), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		run(b, r.Wrap)
		cancel()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(r.Tally().Recorded)/float64(r.Tally().Served), "recorded/served")
	})
}

// BenchmarkProxy is a whole request through httputil.ReverseProxy in one
// process, with and without a recorder around it.
func BenchmarkProxy(b *testing.B) {
	answer := []byte(strings.Repeat("x", 1024))
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	defer up.Close()
	target, _ := url.Parse(up.URL)
	run := func(b *testing.B, wrap func(http.Handler) http.Handler) {
		transport := &http.Transport{MaxIdleConnsPerHost: 64}
		defer transport.CloseIdleConnections()
		s := httptest.NewServer(wrap(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}))
		defer s.Close()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			r, err := client.Get(s.URL + "/orders/42")
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	}
	b.Run("plain", func(b *testing.B) { run(b, func(h http.Handler) http.Handler { return h }) })
	b.Run("recorded", func(b *testing.B) {
		r, err := recorder.New(config(), new(encoding), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		run(b, r.Wrap)
		cancel()
		<-ended
	})
}
