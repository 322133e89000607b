package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"understudy.dev/exchange/certificate"
)

// Times and sizes of what is exported.
const (
	batch     = 512
	every     = time.Second
	patience  = 10 * time.Second
	lastWords = time.Second
	tries     = 3
	faultLog  = 30 * time.Second
)

// Tracer takes spans and sends them to a collector. Run sends; until it runs, and
// while the collector is away, what the queue has no room for is dropped.
type Tracer struct {
	share   float64
	to      string
	headers map[string]string
	queue   chan *Span
	client  *http.Client
	about   *resourcepb.Resource
	log     *slog.Logger
	said    time.Time

	sent            prometheus.Counter
	dropped, failed prometheus.Counter
}

// New makes a tracer, nil if the configuration wants none. about says who the
// process is: service.name and its like.
func New(cfg Config, about []Attr, log *slog.Logger, reg prometheus.Registerer) (*Tracer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if !cfg.On() {
		return nil, nil
	}
	tls, err := certificate.Files{CA: cfg.CAFile}.Client()
	if err != nil {
		return nil, err
	}
	dropped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "understudy_trace_dropped_total", Help: "Spans that were not exported: the queue was full, or the collector did not take them.",
	}, []string{"reason"})
	t := &Tracer{
		share: cfg.Share, to: strings.TrimSuffix(cfg.Endpoint, "/") + "/v1/traces", headers: environmentHeaders(), queue: make(chan *Span, cfg.Queue),
		client: &http.Client{
			Timeout: patience, Transport: &http.Transport{TLSClientConfig: tls, IdleConnTimeout: time.Minute, MaxIdleConns: 1, Proxy: http.ProxyFromEnvironment},
			// Spans, and the token beside them, go where they were told to.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		about: &resourcepb.Resource{Attributes: attributes(about)}, log: log,
		sent:    prometheus.NewCounter(prometheus.CounterOpts{Name: "understudy_trace_exported_total", Help: "Spans that the collector took."}),
		dropped: dropped.WithLabelValues("queue"), failed: dropped.WithLabelValues("export"),
	}
	if err := errors.Join(reg.Register(dropped), reg.Register(t.sent)); err != nil {
		return nil, fmt.Errorf("register trace metrics: %w", err)
	}
	return t, nil
}

func (t *Tracer) put(s *Span) {
	select {
	case t.queue <- s:
	default:
		t.dropped.Inc()
	}
}

// Run sends spans until ctx ends, and then, for at most a second, those that
// wait. The nil Tracer has none.
func (t *Tracer) Run(ctx context.Context) {
	if t == nil {
		return
	}
	defer t.client.CloseIdleConnections()
	again := time.NewTicker(every)
	defer again.Stop()
	var spans []*Span
	for {
		send := false
		select {
		case s := <-t.queue:
			spans = append(spans, s)
			send = len(spans) >= batch
		case <-again.C:
			send = true
		case <-ctx.Done():
			t.end(ctx, spans)
			return
		}
		if send && len(spans) > 0 {
			t.export(ctx, spans)
			spans = spans[:0]
		}
	}
}

func (t *Tracer) end(ctx context.Context, spans []*Span) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	for {
		select {
		case s := <-t.queue:
			if spans = append(spans, s); len(spans) >= batch {
				t.export(ctx, spans)
				spans = spans[:0]
			}
			continue
		default:
		}
		if len(spans) > 0 {
			t.export(ctx, spans)
		}
		return
	}
}

// export sends a batch; what the collector does not take in a few tries is dropped.
func (t *Tracer) export(ctx context.Context, spans []*Span) {
	body, err := proto.Marshal(t.message(spans))
	for try := 1; err == nil; try++ {
		var again bool
		if again, err = t.post(ctx, body); err == nil {
			t.sent.Add(float64(len(spans)))
			return
		}
		if !again || try == tries || ctx.Err() != nil {
			break
		}
		err = nil
		select {
		case <-time.After(time.Duration(try) * every):
		case <-ctx.Done():
		}
	}
	t.failed.Add(float64(len(spans)))
	if time.Since(t.said) >= faultLog {
		t.said = time.Now()
		t.log.Warn("spans cannot be exported and are dropped", "error", err, "at_most_every", faultLog)
	}
}

// post sends a batch once. again says that it may be tried again.
func (t *Tracer) post(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.to, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	for name, value := range t.headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("User-Agent", "understudy")
	answer, err := t.client.Do(r)
	if err != nil {
		return true, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, fmt.Errorf("the collector answered %s", answer.Status)
	}
	return false, fmt.Errorf("the collector answered %s", answer.Status)
}

// message is what OTLP calls an ExportTraceServiceRequest, which on the wire is a
// TracesData.
func (t *Tracer) message(spans []*Span) *tracepb.TracesData {
	out := make([]*tracepb.Span, len(spans))
	for i, s := range spans {
		out[i] = s.message()
	}
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   t.about,
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &commonpb.InstrumentationScope{Name: "understudy.dev"}, Spans: out}},
	}}}
}

func (s *Span) message() *tracepb.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &tracepb.Span{
		TraceId: s.trace[:], SpanId: s.id[:], Name: s.name, Kind: tracepb.Span_SpanKind(s.kind), Flags: 1,
		StartTimeUnixNano: uint64(s.start.UnixNano()), EndTimeUnixNano: uint64(s.end.UnixNano()), Attributes: attributes(s.attrs),
	}
	if s.parent != (spanID{}) {
		out.ParentSpanId = s.parent[:]
	}
	if s.fault != "" {
		out.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
		out.Attributes = append(out.Attributes, attributes([]Attr{Text("error.type", s.fault)})...)
	}
	return out
}

// attributes leaves out empty ones.
func attributes(all []Attr) []*commonpb.KeyValue {
	out := make([]*commonpb.KeyValue, 0, len(all))
	for _, a := range all {
		switch {
		case a.Text != "":
			out = append(out, &commonpb.KeyValue{Key: a.Key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: a.Text}}})
		case a.Number != 0:
			out = append(out, &commonpb.KeyValue{Key: a.Key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: a.Number}}})
		}
	}
	return out
}
