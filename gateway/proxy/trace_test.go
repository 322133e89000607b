package proxy_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/trace/tracetest"
	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
)

// tracedDoor sends everything to the candidate, and traces it.
type tracedDoor struct {
	byHeader
	tracer *trace.Tracer
}

func (d *tracedDoor) enter(parent string) *visit.Visit {
	v := d.visit("candidate")
	v.Route, v.Trace = "GET /", d.tracer.Enter([]string{parent})
	return v
}

func (d *tracedDoor) Enter(q *wire.Request, _ string) *visit.Visit {
	parent, _ := q.Get("traceparent")
	return d.enter(string(parent))
}

func (d *tracedDoor) EnterHTTP(in *http.Request) *visit.Visit {
	return d.enter(in.Header.Get("Traceparent"))
}

// TestLegs: each side that is asked has a span of its own, from which it goes on.
func TestLegs(t *testing.T) {
	collector := tracetest.Start(t)
	cfg := trace.DefaultConfig()
	cfg.Endpoint = collector.URL
	tracer, err := trace.New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); tracer.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	var mu sync.Mutex
	var parents []string
	baseline := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		parents = append(parents, strings.Join(r.Header.Values("Traceparent"), "+"))
	}))
	defer baseline.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	door := &tracedDoor{tracer: tracer}
	engines := 0
	twoSided(t, door, upstream(t, baseline.URL, ""), upstream(t, gone.URL, ""), func(t *testing.T, address string, client *http.Client) {
		const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["traceparent"] = []string{parent}
		a, err := client.Do(r)
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatal(a, err)
		}
		a.Body.Close()
		engines++
		var legs []tracetest.Span
		for wait := 2 * engines; len(legs) < wait; {
			collector.Wait(t, wait)
			legs = slices.DeleteFunc(collector.Spans(), func(s tracetest.Span) bool { return s.Kind != 3 })
		}
		legs = legs[2*(engines-1):]
		mu.Lock()
		defer mu.Unlock()
		if first, second := legs[0], legs[1]; !first.Failed || first.Attrs["error.type"] != "connect" || first.Attrs["understudy.side"] != "candidate" ||
			second.Failed || second.Attrs["understudy.side"] != "baseline" || second.Attrs["http.response.status_code"] != "200" ||
			parents[len(parents)-1] != "00-4bf92f3577b34da6a3ce929d0e0e4736-"+second.ID+"-01" || first.Parent != second.Parent {
			t.Errorf("legs %+v; the baseline goes on from %s", legs, parents[len(parents)-1])
		}
	})
}
