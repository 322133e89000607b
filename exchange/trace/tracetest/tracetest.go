// Package tracetest is a collector for tests: it takes OTLP over HTTP.
package tracetest

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one that the collector was given; ids are hexadecimal, values text.
type Span struct {
	Trace, ID, Parent, Name string
	Kind                    int
	Failed                  bool
	Start, End              time.Time
	Attrs, Resource         map[string]string
}

// Collector keeps what it is given.
type Collector struct {
	// URL is its address.
	URL string

	mu     sync.Mutex
	spans  []Span
	header http.Header
	raw    []byte
}

// Start runs a collector until the test ends.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		data := &tracepb.TracesData{}
		if err != nil || r.URL.Path != "/v1/traces" || r.Method != http.MethodPost || proto.Unmarshal(body, data) != nil {
			t.Errorf("the collector got %s %s, %v", r.Method, r.URL.Path, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.header, c.raw = r.Header.Clone(), append(c.raw, body...)
		for _, rs := range data.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				for _, s := range ss.GetSpans() {
					c.spans = append(c.spans, Span{
						Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
						Name: s.GetName(), Kind: int(s.GetKind()), Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR,
						Start: time.Unix(0, int64(s.GetStartTimeUnixNano())), End: time.Unix(0, int64(s.GetEndTimeUnixNano())),
						Attrs: values(s.GetAttributes()), Resource: values(rs.GetResource().GetAttributes()),
					})
				}
			}
		}
	}))
	t.Cleanup(s.Close)
	c.URL = s.URL
	return c
}

func values(all []*commonpb.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range all {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[kv.GetKey()] = strconv.FormatInt(v.IntValue, 10)
		}
	}
	return out
}

// Spans are those that have come.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Wait returns the spans when n have come.
func (c *Collector) Wait(t testing.TB, n int) []Span {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if got := c.Spans(); len(got) >= n {
			return got
		} else if time.Now().After(end) {
			t.Fatalf("%d spans in 30 s, want %d: %+v", len(got), n, got)
		}
	}
}

// Header are the fields of the last request.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header
}

// Bytes are all that was sent to it.
func (c *Collector) Bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.raw...)
}

// Value is that of a counter, of its only label if that is not empty.
func Value(t testing.TB, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && (label == "" || len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("there is no metric %s of %s", name, label)
	return 0
}

// Count says if a counter is not at want.
func Count(t testing.TB, reg *prometheus.Registry, name, label string, want float64) {
	t.Helper()
	if got := Value(t, reg, name, label); got != want {
		t.Errorf("%s of %q is %v, want %v", name, label, got, want)
	}
}
