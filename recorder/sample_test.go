package recorder_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/recorder/recordertest"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// sampled sends requests by a recorder and says which were taken.
func sampled(t *testing.T, change func(*recorder.Config), requests ...*http.Request) []bool {
	t.Helper()
	r, err := recorder.New(config(change), new(recordertest.Sink), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	var out []bool
	h := r.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for _, in := range requests {
		w, before := httptest.NewRecorder(), r.Tally()
		h.ServeHTTP(w, in)
		after := r.Tally()
		if w.Code != http.StatusTeapot || after.Served != before.Served+1 || after.Excess() != 0 {
			t.Fatalf("status %d, books %+v", w.Code, after)
		}
		out = append(out, after.Dropped[books.ReasonSampled] == before.Dropped[books.ReasonSampled])
	}
	return out
}

func request(target string, headers ...string) *http.Request {
	in := httptest.NewRequest("GET", target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		in.Header.Set(name, value)
	}
	return in
}

func TestSamplingKeepsSessionsTogether(t *testing.T) {
	var requests []*http.Request
	const sessions, each = 2000, 3
	for i := range sessions * each {
		requests = append(requests, request("/x", fmt.Sprint("X-User: u", i%sessions), "X-Tenant: t"+fmt.Sprint(i%sessions%2)))
	}
	by := func(rate float64, by string) func(*recorder.Config) {
		return func(c *recorder.Config) {
			c.Session, c.Sample = []string{"header:X-User"}, recorder.SampleConfig{Rate: rate, By: by}
		}
	}
	first := sampled(t, by(0.25, "session"), requests...)
	taken := 0
	for i, took := range first {
		if took != first[i%sessions] {
			t.Fatalf("request %d of a session was treated otherwise than its first", i)
		}
		if took {
			taken++
		}
	}
	if share := float64(taken) / float64(len(first)); math.Abs(share-0.25) > 0.05 {
		t.Errorf("%.3f of all were taken, want 0.25", share)
	}
	if diff := cmp.Diff(first, sampled(t, by(0.25, "session"), requests...)); diff != "" {
		t.Error("another recorder with the same key chooses other sessions")
	}
	for i, more := range sampled(t, by(0.5, "session"), requests...) {
		if first[i] && !more {
			t.Fatal("a higher rate has lost a session")
		}
	}
	byTenant := sampled(t, by(0.5, "header:x-tenant"), requests...)
	for i, took := range byTenant {
		if took != byTenant[i%2] {
			t.Fatalf("request %d was treated otherwise than those of its tenant", i)
		}
	}
}

func TestSamplingByRoute(t *testing.T) {
	f := func(rate float64, routes []recorder.SampleRoute, want ...bool) {
		t.Helper()
		got := sampled(t, func(c *recorder.Config) { c.Sample.Rate, c.Sample.Routes = rate, routes }, request("/health"), request("/orders/7"), request("/x"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	f(1, nil, true, true, true)
	f(0, nil, false, false, false)
	f(1, []recorder.SampleRoute{{Route: "GET /health", Rate: 0}}, false, true, true)
	f(0, []recorder.SampleRoute{{Route: "GET /orders/*", Rate: 1}}, false, true, false)
	f(0, []recorder.SampleRoute{{Route: "GET /orders/{id}", Rate: 0}, {Route: "", Rate: 1}}, true, false, true)
}

// TestAReplayIsNoUser: what a replay sends to a candidate that is behind this
// recorder is not recorded, or it would be replayed again without end.
func TestAReplayIsNoUser(t *testing.T) {
	f := func(mark string, want uint64, change func(*recorder.Config)) {
		t.Helper()
		c := config(change)
		r, err := recorder.New(c, new(recordertest.Sink), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		r.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(httptest.NewRecorder(), request("/x", mark+": monday"))
		if got := r.Tally().Dropped[books.ReasonReplay]; got != want {
			t.Errorf("%s: %d dropped as replays", mark, got)
		}
	}
	f("Understudy-Run", 1, func(*recorder.Config) {})
	f("Understudy-Run", 0, func(c *recorder.Config) { c.ServedBy = understudyv1.Side_SIDE_CANDIDATE })
	f("Understudy-Run", 0, func(c *recorder.Config) { c.RecordReplays = true })
	f("X-Rehearsal", 0, func(*recorder.Config) {})
	f("X-Rehearsal", 1, func(c *recorder.Config) { c.ReplayMark = "x-rehearsal" })
}

func TestSamplingIsChecked(t *testing.T) {
	err := config(func(c *recorder.Config) {
		c.Sample = recorder.SampleConfig{Rate: 2, By: "cookie:x", Routes: []recorder.SampleRoute{{Route: "GET /[", Rate: -1}}}
	}).Validate()
	for _, want := range []string{"sample.rate", "sample.by", "sample.routes[0].rate", "sample.routes[0].route"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

// TestTalliesNameTheBaseline, so that no run is replayed onto it unawares.
func TestTalliesNameTheBaseline(t *testing.T) {
	sink := new(recordertest.Sink)
	r, err := recorder.New(config(func(c *recorder.Config) { c.Baseline = "http://orders:8080" }), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	all := sink.Tallies()
	if len(all) == 0 || all[len(all)-1].GetBaseline() != "http://orders:8080" {
		t.Errorf("%v", all)
	}
}

// TestTheMarkOnTheWire is the user's choice there, too.
func TestTheMarkOnTheWire(t *testing.T) {
	f := func(field string, want bool, change func(*recorder.Config)) {
		t.Helper()
		r, err := recorder.New(config(change), new(recordertest.Sink), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		x := begin(t, r, "GET / HTTP/1.1\nHost: h\n"+field+": monday")
		if (x != nil) != want {
			t.Errorf("%s is recorded: %t", field, x != nil)
		}
		if x != nil {
			x.Close(nil)
		}
	}
	f("understudy-run", false, func(*recorder.Config) {})
	f("understudy-run", true, func(c *recorder.Config) { c.RecordReplays = true })
	f("x-rehearsal", true, func(*recorder.Config) {})
	f("x-rehearsal", false, func(c *recorder.Config) { c.ReplayMark = "X-Rehearsal" })
}
