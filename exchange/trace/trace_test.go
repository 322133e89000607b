package trace_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/trace/tracetest"
)

func tracer(t *testing.T, cfg trace.Config) (*trace.Tracer, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	tr, err := trace.New(cfg, []trace.Attr{trace.Text("service.name", "understudy")}, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	return tr, reg
}

func config(endpoint string) trace.Config {
	cfg := trace.DefaultConfig()
	cfg.Endpoint = endpoint
	return cfg
}

const (
	theirTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan  = "00f067aa0ba902b7"
)

// TestContext: a client's trace is gone on with as its flag says; what is no
// context begins a trace.
func TestContext(t *testing.T) {
	tr, _ := tracer(t, config("http://127.0.0.1:1"))
	const sampled = "00-" + theirTrace + "-" + theirSpan + "-01"
	f := func(want string, headers ...string) {
		t.Helper()
		s, got := tr.Enter(headers), "none"
		if s != nil {
			if got = "new"; !s.NewTrace {
				got = "goes on"
			}
			if p := s.Parent(); !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(p) || strings.Contains(p, theirTrace) != (got == "goes on") || strings.Contains(p, theirSpan) {
				t.Errorf("%q: is gone on with by %s", headers, p)
			}
		}
		if got != want {
			t.Errorf("%q: %s, want %s", headers, got, want)
		}
	}
	f("goes on", sampled)
	f("goes on", " "+sampled+"\t")
	f("goes on", "00-"+theirTrace+"-"+theirSpan+"-ff")
	f("goes on", "cc-"+theirTrace+"-"+theirSpan+"-01-what-comes-later")
	f("none", "00-"+theirTrace+"-"+theirSpan+"-00")
	f("none", "00-"+theirTrace+"-"+theirSpan+"-02")
	for _, bad := range []string{
		"", "x", sampled + "x", sampled + "-x", "ff-" + theirTrace + "-" + theirSpan + "-01", "cc-" + theirTrace + "-" + theirSpan + "-01x",
		"00-" + strings.Repeat("0", 32) + "-" + theirSpan + "-01", "00-" + theirTrace + "-" + strings.Repeat("0", 16) + "-01",
		strings.ToUpper(sampled), strings.ReplaceAll(sampled, "-", "_"), "00-" + strings.Repeat("g", 32) + "-" + theirSpan + "-01",
		strings.Repeat(sampled, 1000),
	} {
		f("new", bad)
	}
	f("new")
	f("new", sampled, sampled)
	cfg := config("http://127.0.0.1:1")
	cfg.Share = 0
	tr, _ = tracer(t, cfg)
	f("none")
	f("none", "x")
	f("goes on", sampled)
	tr, _ = tracer(t, config(""))
	f("none", sampled)
	var off *trace.Span
	off.Child("x", trace.Client).Set("y")
	off.Fail("z")
	off.End()
}

// TestExport: a collector gets spans whole, once each, with what they are within.
func TestExport(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=a%20b, x-tenant = shop")
	c := tracetest.Start(t)
	tr, reg := tracer(t, config(c.URL+"/"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); tr.Run(ctx) }()
	s := tr.Enter([]string{"00-" + theirTrace + "-" + theirSpan + "-01"})
	leg := s.Child("GET /a", trace.Client, trace.Text("understudy.side", "candidate"))
	leg.Fail("timeout")
	leg.Fail("other")
	leg.End(trace.Status(504))
	leg.End(trace.Status(200))
	s.Set("GET /a/{id}", trace.Text("empty", ""))
	s.End(trace.Status(200))
	spans := c.Wait(t, 2)
	cancel()
	<-done
	first, second := spans[0], spans[1]
	if first.Trace != theirTrace || second.Trace != theirTrace || second.Parent != theirSpan || first.Parent != second.ID || first.Kind != 3 || second.Kind != 2 {
		t.Errorf("not within each other: %+v", spans)
	}
	if first.Name != "GET /a" || first.Attrs["error.type"] != "timeout" || !first.Failed || first.Attrs["http.response.status_code"] != "504" || first.Attrs["understudy.side"] != "candidate" {
		t.Errorf("%+v", first)
	}
	if _, ok := second.Attrs["empty"]; ok || second.Failed || second.Name != "GET /a/{id}" || second.Resource["service.name"] != "understudy" || second.End.Before(second.Start) {
		t.Errorf("%+v", second)
	}
	if h := c.Header(); h.Get("X-Token") != "a b" || h.Get("X-Tenant") != "shop" || h.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("fields %v", h)
	}
	if n, err := testutil.GatherAndCount(reg, "understudy_trace_exported_total", "understudy_trace_dropped_total"); n != 3 || err != nil {
		t.Errorf("%d metrics, %v", n, err)
	}
	tracetest.Count(t, reg, "understudy_trace_exported_total", "", 2)
}

// TestNothingWaits: a full queue costs its spans, which are counted, and no time.
func TestNothingWaits(t *testing.T) {
	cfg := config("http://127.0.0.1:1")
	cfg.Queue = 10
	tr, reg := tracer(t, cfg)
	for range 100 {
		tr.Enter(nil).End()
	}
	tracetest.Count(t, reg, "understudy_trace_dropped_total", "queue", 90)
	// And what nobody takes is counted too.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr.Run(ctx)
	tracetest.Count(t, reg, "understudy_trace_dropped_total", "export", 10)
}

// TestACollectorThatFails is asked again where it says so, and no other host is.
func TestACollectorThatFails(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("spans went elsewhere") }))
	defer elsewhere.Close()
	f := func(status int, asked, dropped int) {
		t.Helper()
		n := 0
		c := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n++
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
		}))
		defer c.Close()
		tr, reg := tracer(t, config(c.URL))
		tr.Enter(nil).End()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); tr.Run(ctx) }()
		for end := time.Now().Add(30 * time.Second); tracetest.Value(t, reg, "understudy_trace_dropped_total", "export")+tracetest.Value(t, reg, "understudy_trace_exported_total", "") == 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("nothing became of the span in 30 s")
			}
		}
		cancel()
		<-done
		tracetest.Count(t, reg, "understudy_trace_dropped_total", "export", float64(dropped))
		if n != asked {
			t.Errorf("%d: asked %d times, want %d", status, n, asked)
		}
	}
	f(http.StatusOK, 1, 0)
	f(http.StatusBadRequest, 1, 1)
	f(http.StatusTemporaryRedirect, 1, 1)
	f(http.StatusServiceUnavailable, 3, 1)
}

// TestMistakes name their key, and nothing of what may be a secret.
func TestMistakes(t *testing.T) {
	f := func(want string, change func(*trace.Config)) {
		t.Helper()
		cfg := config("http://127.0.0.1:4318")
		change(&cfg)
		_, err := trace.New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, bad := range []string{"collector:4318", "ftp://h", "http://", "http://hush@h", "http://h?hush", "http://h#hush"} {
		f("does not look like http://host:4318", func(c *trace.Config) { c.Endpoint = bad })
	}
	f("share: 2 is not between", func(c *trace.Config) { c.Share = 2 })
	f("queue: 0 is not between", func(c *trace.Config) { c.Queue = 0 })
	f("no such file", func(c *trace.Config) { c.CAFile = "/nowhere" })
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://env:4318")
	if got := (trace.Config{}).FromEnvironment().Endpoint; got != "http://env:4318" {
		t.Errorf("of the environment: %q", got)
	}
	if got := config("http://own:1").FromEnvironment().Endpoint; got != "http://own:1" {
		t.Errorf("the configuration before the environment: %q", got)
	}
}

// BenchmarkSpan is a request with one side asked, with tracing off and on.
func BenchmarkSpan(b *testing.B) {
	for _, endpoint := range []string{"", "http://127.0.0.1:1"} {
		b.Run("on="+map[bool]string{true: "true", false: "false"}[endpoint != ""], func(b *testing.B) {
			cfg := config(endpoint)
			cfg.Queue = 1
			tr, err := trace.New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				s := tr.Enter(nil)
				leg := s.Child("GET /orders/{id}", trace.Client)
				if leg != nil {
					_ = leg.Parent()
				}
				leg.End(trace.Status(200))
				s.Set("GET /orders/{id}")
				s.End(trace.Status(200))
			}
		})
	}
}
