package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/exchange/trace/tracetest"
	"understudy.dev/stream"
)

const (
	clientTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan   = "00f067aa0ba902b7"
	clientParent = "00-" + clientTrace + "-" + clientSpan + "-01"
)

// tracedSide answers; orders are accepted and completed later. It notes the
// traceparent and tracestate of each request.
func tracedSide(t *testing.T) (url string, seen func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		all = append(all, r.Method+" "+r.URL.Path+" "+strings.Join(r.Header.Values("Traceparent"), "+")+" "+r.Header.Get("Tracestate"))
		mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case r.Method == http.MethodPost:
			w.Header().Set("Location", "/jobs/1?key=hush-monitor")
			w.WriteHeader(http.StatusAccepted)
		case strings.HasPrefix(r.URL.Path, "/broken"):
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, `{"secret":"hush-answer"}`)
		}
	}))
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// TestTraces follows requests from a client through a gateway to the candidate and
// its completion, over HTTP/1.1 and HTTP/2. What is recorded is what the client
// sent, and no span has anything of what a request carries.
func TestTraces(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	for _, args := range [][]string{{"topics", "apply", "--partitions", "1"}, {"migration", "create", "shop", "live"}} {
		if code, _, errOut := run1(t, args...); code != exitOK {
			t.Fatal(errOut)
		}
	}
	collector := tracetest.Start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	baseline, _ := tracedSide(t)
	candidate, seen := tracedSide(t)
	traffic, admin := freeAddress(t), freeAddress(t)
	cfg := writeFile(t, "gateway: {face: {routes: [{route: POST /orders}]}}\nrecord: {drain_delay: 0s}\n")
	ctx, cancel := context.WithCancel(t.Context())
	var errOut bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"gateway", "--config", cfg, "--listen", traffic, "--admin", admin, "--baseline", baseline, "--candidate", candidate,
			"--migration", "shop", "--state-dir", t.TempDir(), "--session", "header:X-Session"}, nil, io.Discard, &errOut)
	}()
	until(t, "http://"+admin+"/metrics", "\nunderstudy_gateway_stages_version 1\n")
	until(t, "http://"+admin+"/metrics", "\nunderstudy_recorder_kafka_ready 1\n")
	h2c := &http.Transport{Protocols: new(http.Protocols)}
	h2c.Protocols.SetUnencryptedHTTP2(true)
	for _, over := range []*http.Transport{{}, h2c} {
		client := &http.Client{Transport: over}
		ask := func(method, target, parent string) int {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, "http://"+traffic+target, strings.NewReader(map[string]string{http.MethodPost: "hush-body"}[method]))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Session", "hush-session")
			r.Header.Set("Cookie", "sid=hush-cookie")
			if parent != "" {
				r.Header.Set("Traceparent", parent)
				r.Header.Set("Tracestate", "vendor=theirs")
			}
			a, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, a.Body)
			a.Body.Close()
			return a.StatusCode
		}
		before, asked := len(collector.Spans()), len(seen())
		if got := ask(http.MethodPost, "/orders?token=hush-query", clientParent); got != http.StatusOK {
			t.Errorf("the order: %d", got)
		}
		if got := ask(http.MethodGet, "/broken/17", ""); got != http.StatusServiceUnavailable {
			t.Errorf("broken: %d", got)
		}
		ask(http.MethodGet, "/quiet", strings.TrimSuffix(clientParent, "1")+"0")
		ask(http.MethodGet, "/odd", "no context")
		checkSpans(t, collector.Wait(t, before+7)[before:], seen()[asked:])
		over.CloseIdleConnections()
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit %d: %s", got, errOut.String())
	}
	if i := bytes.Index(collector.Bytes(), []byte("hush")); i >= 0 {
		t.Errorf("a span holds %q", collector.Bytes()[i:min(i+20, len(collector.Bytes()))])
	}
	recorded := recordedParents(t, cluster.ListenAddrs(), 8)
	for what, n := range map[string]int{clientParent: 2, "": 2, "no context": 2, strings.TrimSuffix(clientParent, "1") + "0": 2} {
		if got := len(slices.DeleteFunc(slices.Clone(recorded), func(s string) bool { return s != what })); got != n {
			t.Errorf("recorded with the traceparent %q: %d times, want %d, of %q", what, got, n, recorded)
		}
	}
}

// checkSpans: the order's three spans within the client's, two of each other one
// that is traced, and what the candidate was sent.
func checkSpans(t *testing.T, spans []tracetest.Span, sent []string) {
	t.Helper()
	find := func(name string, kind int) tracetest.Span {
		t.Helper()
		for _, s := range spans {
			if s.Name == name && s.Kind == kind {
				return s
			}
		}
		t.Errorf("there is no span %s of kind %d in %+v", name, kind, spans)
		return tracetest.Span{}
	}
	attrs := func(s tracetest.Span, want string) {
		t.Helper()
		var got []string
		for k, v := range s.Attrs {
			got = append(got, k+"="+v)
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s:\n got %s\nwant %s", s.Name, text, want)
		}
	}
	request, leg, await := find("POST /orders", 2), find("POST /orders", 3), find("await completion", 1)
	if request.Trace != clientTrace || request.Parent != clientSpan || leg.Parent != request.ID || await.Parent != request.ID || await.Trace != clientTrace || await.Start.Before(leg.Start) {
		t.Errorf("not within each other: %+v", spans)
	}
	attrs(request, "http.request.method=POST http.response.status_code=200 http.route=/orders understudy.attempts=1 understudy.decision=stage understudy.migration=shop understudy.served_by=candidate understudy.stage=live understudy.step=1")
	attrs(leg, "http.response.status_code=202 understudy.side=candidate")
	attrs(await, "http.response.status_code=200 understudy.completion.channel=poll understudy.completion.polls=1 understudy.completion.seen=1")
	broken, brokenLeg := find("GET /broken/{id}", 2), find("GET /broken/{id}", 3)
	if broken.Parent != "" || !broken.Failed || broken.Attrs["error.type"] != "503" || brokenLeg.Attrs["http.response.status_code"] != "503" || broken.Resource["service.name"] != "understudy" {
		t.Errorf("%+v, %+v", broken, brokenLeg)
	}
	odd := find("GET /odd", 3)
	want := []string{
		"POST /orders 00-" + clientTrace + "-" + leg.ID + "-01 vendor=theirs",
		"GET /jobs/1 00-" + clientTrace + "-" + leg.ID + "-01 vendor=theirs",
		"GET /broken/17 00-" + broken.Trace + "-" + brokenLeg.ID + "-01 ",
		"GET /quiet 00-" + clientTrace + "-" + clientSpan + "-00 vendor=theirs",
		"GET /odd 00-" + odd.Trace + "-" + odd.ID + "-01 ",
	}
	for _, w := range want {
		if !slices.Contains(sent, w) {
			t.Errorf("the candidate was not sent %q but %q", w, sent)
		}
	}
	if len(spans) != 7 || odd.Trace == clientTrace {
		t.Errorf("%d spans: %+v", len(spans), spans)
	}
}

// recordedParents are the traceparents of n recorded exchanges.
func recordedParents(t *testing.T, brokers []string, n int) []string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics("understudy.exchanges.v1"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []string
	for len(out) < n {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d exchanges in 30 s, want %d", len(out), n)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			e, err := stream.DecodeExchange(r)
			if err != nil {
				t.Error(err)
				return
			}
			parent := ""
			for _, h := range e.GetRequest().GetHeaders() {
				if strings.EqualFold(h.GetName(), "traceparent") {
					parent += string(h.GetValue())
				}
			}
			out = append(out, parent)
		})
	}
	return out
}
