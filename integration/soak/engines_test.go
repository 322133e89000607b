package soak_test

import (
	"bufio"
	"cmp"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	"understudy.dev/recorder/recordertest"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// recordedBy sends raw requests one by one through a recorder on an engine and
// returns what it records.
func recordedBy(t *testing.T, engine, baseline string, requests []string) []*understudyv1.Exchange {
	t.Helper()
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	cfg, rc := proxy.DefaultConfig(), recorder.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+baseline, engine
	rc.Instance, rc.Key, rc.CaptureLimit = "r", "0123456789abcdef", 5000
	upstream, err := proxy.NewUpstream(cfg, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	sink := new(recordertest.Sink)
	rec, err := recorder.New(rc, sink, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- rec.Run(t.Context()) }()
	s := httptest.NewUnstartedServer(rec.Wrap(upstream))
	address := s.Listener.Addr().String()
	if engine == proxy.EngineNetHTTP {
		s.Start()
		defer s.Close()
	} else {
		defer s.Close()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		onWire := proxy.NewServer(upstream, proxy.Serving{HTTP2: new(http.Server), Tap: rec.Tap()})
		go func() { _ = onWire.Serve(l) }()
		defer onWire.Close()
		address = l.Addr().String()
	}
	for i, request := range requests {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(c, request)
		r := bufio.NewReader(c)
		_ = head(r)
		for end := time.Now().Add(20 * time.Second); len(sink.Exchanges()) <= i && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		c.Close()
	}
	return sink.Exchanges()
}

// alike leaves out what differs from run to run, and what net/http does not keep:
// order and case of fields, and what docs/record.md lists.
func alike(all []*understudyv1.Exchange) []*understudyv1.Exchange {
	lines := func(fields []*understudyv1.Header) {
		for _, f := range fields {
			f.Name = http.CanonicalHeaderKey(f.Name)
		}
		slices.SortStableFunc(fields, func(a, b *understudyv1.Header) int { return cmp.Compare(a.Name, b.Name) })
	}
	for i, e := range all {
		e = &understudyv1.Exchange{
			Sequence: e.Sequence, Session: e.Session, Route: e.Route, Request: e.Request, Response: e.Response, Error: e.Error,
			Redactions: e.Redactions, ServedBy: e.ServedBy, Source: e.Source, Traceparent: e.Traceparent,
		}
		all[i] = e
		lines(e.Request.GetHeaders())
		lines(e.Request.GetTrailers())
		lines(e.Response.GetHeaders())
		lines(e.Response.GetTrailers())
		slices.SortStableFunc(e.Redactions, func(a, b *understudyv1.Redaction) int { return strings.Compare(a.String(), b.String()) })
	}
	return all
}

// TestEnginesRecordAlike: what is recorded does not depend on the engine.
func TestEnginesRecordAlike(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nX-A: 1\r\n\r\nok"
	cases := [][2]string{
		{"GET /orders/42?a=1;b=%zz HTTP/1.1\r\nHost: shop\r\nX-B: 2\r\nx-b: 3\r\nCookie: sid=1\r\n\r\n", ok},
		{"GET http://other:8/x HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer abc\r\n\r\n", ok},
		{"GET / HTTP/1.0\r\nHost: shop\r\n\r\n", ok},
		{"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\nhello", ok},
		{"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", ok},
		{"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n" + strings.Repeat("x", 9000), ok},
		{"DELETE /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
		{"GET /x HTTP/1.1\r\nHost: h\r\nIf-None-Match: x\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + strings.Repeat("y", 9000)},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + ok},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut"},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ncut"},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nto the end"},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", ""},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "nonsense\r\n\r\n"},
		{"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\n"},
		{"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\nhello"},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	next := 0
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(c)
			h := head(r)
			if strings.Contains(h, "chunked") {
				_, _ = unframed(r, 0, true)
			} else if n, err := lengthIn(h); err == nil {
				_, _ = io.CopyN(io.Discard, r, int64(n))
			}
			io.WriteString(c, cases[next%len(cases)][1])
			next++
			c.Close()
		}
	}()
	var requests []string
	for _, c := range cases {
		requests = append(requests, c[0])
	}
	want := alike(recordedBy(t, proxy.EngineNetHTTP, l.Addr().String(), requests))
	got := alike(recordedBy(t, proxy.EngineWire, l.Addr().String(), requests))
	if len(want) != len(cases) || len(got) != len(cases) {
		t.Fatalf("%d and %d exchanges of %d", len(want), len(got), len(cases))
	}
	for i := range cases {
		if d := diff.Diff(want[i], got[i], protocmp.Transform()); d != "" {
			t.Errorf("%q answered by %.100q: -net/http +wire\n%s", cases[i][0][:min(100, len(cases[i][0]))], cases[i][1], d)
		}
	}
}
