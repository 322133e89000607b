package recorder_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/exchange/session"
	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/recorder/recordertest"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// tapped is a recorder whose tap a test plays the proxy to.
func tapped(t *testing.T, change ...func(*recorder.Config)) (r *recorder.Recorder, done func() []*understudyv1.Exchange) {
	t.Helper()
	sink := new(recordertest.Sink)
	r, err := recorder.New(config(change...), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return r, func() []*understudyv1.Exchange {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if n := r.Tally(); n.Bytes != 0 || n.Excess() != 0 {
			t.Errorf("books %+v", n)
		}
		return sink.Exchanges()
	}
}

func begin(t *testing.T, r *recorder.Recorder, head string) wire.Exchange {
	t.Helper()
	raw := []byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")
	q := new(wire.Request)
	q.Reset()
	if n, err := q.Parse(raw); n != len(raw) {
		t.Fatal(n, err)
	}
	x := r.Tap().Begin(q, "192.0.2.1:7", false, nil)
	for i := range raw {
		raw[i] = '!' // nothing may be used after the call
	}
	return x
}

func answer(t *testing.T, x wire.Exchange, head string) {
	t.Helper()
	raw := []byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")
	a := new(wire.Response)
	a.Reset()
	if n, err := a.Parse(raw); n != len(raw) {
		t.Fatal(n, err)
	}
	x.Answer(a)
	for i := range raw {
		raw[i] = '!'
	}
}

func body(x wire.Exchange, s wire.Side, parts ...string) {
	for _, part := range parts {
		b := []byte(part)
		x.Body(s, b)
		clear(b)
	}
}

// trailer is what a chunked body ends with.
func trailer(t *testing.T, lines string) *wire.Head {
	t.Helper()
	var c wire.Chunks
	for rest := []byte("0\r\n" + lines + "\r\n"); len(rest) > 0; {
		_, n, err := c.Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	return c.Fields()
}

func TestWholeExchangeOnTheWire(t *testing.T) {
	r, done := tapped(t)
	x := begin(t, r, "POST http://shop/orders/42?a=1;b=%zz HTTP/1.1\nx-b:  2\nhost: other\nTransfer-Encoding: chunked\nX-B: \xe4\nConnection: close\nX-Tenant: me\ntraceparent: 00-a-b-01")
	body(x, wire.Client, "hel", "lo")
	x.End(wire.Client, trailer(t, "X-Sum: 7\r\nx-a: 8\r\n"))
	answer(t, x, "HTTP/1.1 201 Made It\nX-a: 1\nConnection: X-Hop\nX-Hop: 1\nDATE: now\nx-A: 2\nContent-Length: 5")
	body(x, wire.Server, "hello")
	x.End(wire.Server, nil)
	x.Close(nil)
	got := done()[0]
	if got.FirstByteNano <= 0 || got.DurationNano < got.FirstByteNano || len(got.Id) != 36 {
		t.Errorf("times %d, %d, id %q", got.FirstByteNano, got.DurationNano, got.Id)
	}
	seen := &understudyv1.Exchange{
		Recorder: got.Recorder, Sequence: got.Sequence, Route: got.Route, Request: got.Request, Response: got.Response,
		ServedBy: got.ServedBy, Source: got.Source, Traceparent: got.Traceparent, Error: got.Error,
	}
	want := &understudyv1.Exchange{
		Recorder: "test-1", Sequence: 1, Route: "POST /orders/{id}",
		Request: &understudyv1.Request{
			Method: "POST", Target: []byte("/orders/42?a=1;b=%zz"), Authority: "shop", Scheme: "http", Protocol: "HTTP/1.1",
			Headers:  header("x-b: 2", "X-B: \xe4", "Connection: close", "X-Tenant: me", "traceparent: 00-a-b-01"),
			Trailers: header("X-Sum: 7", "x-a: 8"),
			Body:     &understudyv1.Body{Content: []byte("hello"), DeclaredLength: -1, Length: 5, Sha256: digest("hello")},
		},
		Response: &understudyv1.Response{
			Status: 201, Protocol: "HTTP/1.1", Headers: header("X-a: 1", "DATE: now", "x-A: 2", "Content-Length: 5"),
			Body: &understudyv1.Body{Content: []byte("hello"), DeclaredLength: 5, Length: 5, Sha256: digest("hello")},
		},
		ServedBy: understudyv1.Side_SIDE_BASELINE, Source: "proxy", Traceparent: "00-a-b-01",
	}
	if diff := cmp.Diff(want, seen, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestLargeHeadOnTheWire: a proxy may allow more than package wire does by itself.
func TestLargeHeadOnTheWire(t *testing.T) {
	r, done := tapped(t)
	x := begin(t, r, "GET / HTTP/1.0\nA: b")
	x.End(wire.Client, nil)
	a := new(wire.Response)
	a.Reset()
	a.Limit = 4 << 20
	raw := []byte("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20) + "\r\nContent-Length: 0\r\n\r\n")
	if n, err := a.Parse(raw); n != len(raw) {
		t.Fatal(n, err)
	}
	x.Answer(a)
	x.End(wire.Server, nil)
	x.Close(nil)
	e := done()[0]
	if h := e.Response.Headers; e.Request.Protocol != "HTTP/1.0" || len(h) != 2 || len(h[0].Value) != 2<<20 {
		t.Errorf("protocol %s, %d fields", e.Request.Protocol, len(h))
	}
}

// TestSessionAndRedactionOnTheWire do not depend on how names are spelled.
func TestSessionAndRedactionOnTheWire(t *testing.T) {
	r, done := tapped(t)
	for _, name := range []string{"x-session-id", "X-Session-Id"} {
		x := begin(t, r, "GET /x?token=hunter2 HTTP/1.1\nHost: h\n"+name+": hunter2\nAUTHORIZATION: Bearer hunter2\ncookie: sid=hunter2")
		x.End(wire.Client, nil)
		answer(t, x, "HTTP/1.1 200 OK\nset-cookie: sid=hunter2\nContent-Length: 0")
		x.End(wire.Server, nil)
		x.Close(nil)
	}
	got := done()
	if got[0].Session != got[1].Session {
		t.Errorf("sessions %s, %s", got[0].Session, got[1].Session)
	}
	for _, e := range got {
		if strings.Contains(e.String(), "hunter2") || len(e.Redactions) != 5 {
			t.Errorf("a secret left, or %d redactions are not 5: %v", len(e.Redactions), e)
		}
	}
}

func TestBrokenExchangesOnTheWire(t *testing.T) {
	failure := &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_RESET, Message: "no"}
	f := func(play func(x wire.Exchange), check func(e *understudyv1.Exchange) bool) {
		t.Helper()
		r, done := tapped(t)
		play(begin(t, r, "POST / HTTP/1.1\nHost: h\nContent-Length: 5"))
		if got := done(); len(got) != 1 || !check(got[0]) {
			t.Errorf("got %v", got)
		}
	}
	f(func(x wire.Exchange) { // no answer: the client gets one of the proxy's own
		body(x, wire.Client, "abc")
		x.Close(failure)
	}, func(e *understudyv1.Exchange) bool {
		return e.Response == nil && e.Error.GetKind() == failure.Kind && e.DurationNano > 0 && e.Request.Body.Truncated && e.Request.Body.Sha256 == nil && e.Request.Body.Length == 3
	})
	f(func(x wire.Exchange) {
		body(x, wire.Client, "abcde")
		x.End(wire.Client, nil)
		answer(t, x, "HTTP/1.1 200 OK\nContent-Length: 10")
		body(x, wire.Server, "abc")
		x.Close(failure)
	}, func(e *understudyv1.Exchange) bool {
		b := e.Response.Body
		return e.Error != nil && b.Truncated && b.Sha256 == nil && b.Length == 3 && b.DeclaredLength == 10 && !e.Request.Body.Truncated
	})
	f(func(x wire.Exchange) { // an early answer, and a client that breaks off after it
		body(x, wire.Client, "ab")
		answer(t, x, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked")
		body(x, wire.Server, "abc")
		x.End(wire.Server, trailer(t, "X: 1\r\n"))
		x.Close(nil)
	}, func(e *understudyv1.Exchange) bool {
		return e.Error == nil && e.Request.Body.Truncated && !e.Response.Body.Truncated && len(e.Response.Trailers) == 1
	})
	f(func(x wire.Exchange) {
		body(x, wire.Client, "abcde")
		x.End(wire.Client, nil)
		answer(t, x, "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: x")
		x.End(wire.Server, nil)
		x.Close(nil)
	}, func(e *understudyv1.Exchange) bool {
		return e.Response.Status == 101 && len(e.Response.Headers) == 2 && e.DurationNano == 0 && !e.Response.Body.Truncated
	})
	f(func(x wire.Exchange) { // to HEAD
		x.End(wire.Client, nil)
		answer(t, x, "HTTP/1.1 200 OK\nContent-Length: 10")
		x.End(wire.Server, nil)
		x.Close(nil)
	}, func(e *understudyv1.Exchange) bool {
		return !e.Response.Body.Truncated && e.Response.Body.DeclaredLength == 10 && e.Response.Body.Length == 0
	})
}

// TestWhatIsNotRecordedOnTheWire is counted.
func TestWhatIsNotRecordedOnTheWire(t *testing.T) {
	r, done := tapped(t, func(c *recorder.Config) { c.MemoryLimit = 1 << 20 })
	r.Pause(true)
	if begin(t, r, "GET / HTTP/1.1\nHost: h") != nil {
		t.Error("paused: recorded")
	}
	r.Pause(false)
	if begin(t, r, "GET / HTTP/1.1\nHost: h\nunderstudy-control: run") != nil {
		t.Error("a control is recorded")
	}
	if begin(t, r, "GET / HTTP/1.1\nHost: h\nX: "+strings.Repeat("x", 1<<20-100)) != nil {
		t.Error("a head beyond the memory limit is recorded")
	}
	if begin(t, r, "GET / HTTP/1.1\nHost: h\nunderstudy-run: run") != nil {
		t.Error("a replay is recorded")
	}
	begin(t, r, "GET / HTTP/1.1\nHost: h").Close(nil) // the proxy has failed
	x := begin(t, r, "GET / HTTP/1.1\nHost: h")
	answer(t, x, "HTTP/1.1 200 OK\nX: "+strings.Repeat("x", 1<<20-100))
	x.End(wire.Server, nil)
	x.Close(nil)
	if got := done(); len(got) > 0 {
		t.Errorf("recorded %v", got)
	}
	n := r.Tally()
	want := map[string]uint64{books.ReasonPaused: 1, books.ReasonControl: 1, books.ReasonMemory: 2, books.ReasonReplay: 1, books.ReasonPanic: 1}
	if diff := cmp.Diff(want, n.Dropped); diff != "" || n.Served != 6 {
		t.Errorf("served %d, -want +got\n%s", n.Served, diff)
	}
}

func TestBodyLimitsOnTheWire(t *testing.T) {
	r, done := tapped(t, func(c *recorder.Config) {
		c.CaptureLimit, c.CaptureLimits, c.Redact.Off = 4, map[string]int64{"POST /b/{id}": 6}, true
	})
	for _, target := range []string{"/a", "/b/7"} {
		x := begin(t, r, "POST "+target+" HTTP/1.1\nHost: h\nContent-Length: 8")
		body(x, wire.Client, "12345", "678")
		x.End(wire.Client, nil)
		answer(t, x, "HTTP/1.1 200 OK\nContent-Length: 3")
		body(x, wire.Server, "123")
		x.End(wire.Server, nil)
		x.Close(nil)
	}
	got := done()
	for i, want := range []string{"1234", "123456"} {
		b := got[i].Request.Body
		if string(b.Content) != want || !b.Truncated || b.Length != 8 || !cmp.Equal(b.Sha256, digest("12345678")) || got[i].Response.Body.Truncated {
			t.Errorf("got %v", b)
		}
	}
}

// TestSamplingOnTheWire goes by the same values in whatever case they come.
func TestSamplingOnTheWire(t *testing.T) {
	r, done := tapped(t, func(c *recorder.Config) { c.Sample = recorder.SampleConfig{Rate: 0.5, By: "header:X-User"} })
	taken := 0
	for i := range 200 {
		user := fmt.Sprint("u", i)
		a := begin(t, r, "GET / HTTP/1.1\nHost: h\nX-User: "+user)
		b := begin(t, r, "POST /x HTTP/1.1\nHost: h\nx-user: "+user)
		if (a == nil) != (b == nil) {
			t.Errorf("user %s is taken by halves", user)
		}
		for _, x := range []wire.Exchange{a, b} {
			if x != nil {
				taken++
				answer(t, x, "HTTP/1.1 200 OK\nContent-Length: 0")
				x.End(wire.Server, nil)
				x.Close(nil)
			}
		}
	}
	if got := len(done()); got != taken || taken < 100 || taken > 300 {
		t.Errorf("%d of 400 taken, %d recorded", taken, got)
	}
}

// TestADoorsWordIsRecorded: who served it and why, by both ways.
func TestADoorsWordIsRecorded(t *testing.T) {
	check := func(what string, exchanges []*understudyv1.Exchange) {
		t.Helper()
		if len(exchanges) != 1 {
			t.Fatalf("%s: %d exchanges", what, len(exchanges))
		}
		if e := exchanges[0]; e.ServedBy != understudyv1.Side_SIDE_CANDIDATE || e.Stage != "canary:1%" || e.Decision != "bucket" || e.Attempts != 2 || e.Migration != "shop" || e.Step != 7 {
			t.Errorf("%s: %v", what, e)
		}
	}
	v := func() *visit.Visit {
		return &visit.Visit{Session: "s_x", Side: understudyv1.Side_SIDE_CANDIDATE, Stage: "canary:1%", Decision: "bucket", Attempts: 1, Migration: "shop", Step: 7}
	}
	r, done := tapped(t)
	q, raw := new(wire.Request), []byte("GET / HTTP/1.1\r\nHost: h\r\nX-Session-Id: s\r\n\r\n")
	q.Reset()
	if n, err := q.Parse(raw); n != len(raw) {
		t.Fatal(n, err)
	}
	one := v()
	x := r.Tap().Begin(q, "192.0.2.1:7", false, one)
	one.Attempts = 2 // as when the first side was not reached
	answer(t, x, "HTTP/1.1 204 No Content")
	x.End(wire.Client, nil)
	x.End(wire.Server, nil)
	x.Close(nil)
	check("raw", done())

	r, done = tapped(t)
	other := v()
	in := httptest.NewRequest(http.MethodGet, "/", nil)
	in.Header.Set("X-Session-Id", "s")
	r.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { other.Attempts = 2 })).ServeHTTP(httptest.NewRecorder(), in.WithContext(visit.With(in.Context(), other)))
	check("handler", done())
}

// TestALoginThroughADoor, which knew it only by its address, or not at all: it is
// of the session that its answer begins, by both ways.
func TestALoginThroughADoor(t *testing.T) {
	f := func(rules ...string) {
		t.Helper()
		pass := func(head, set string) (sessions []string) {
			t.Helper()
			for _, raw := range []bool{true, false} {
				r, done := tapped(t, func(c *recorder.Config) { c.Session = rules })
				q, text := new(wire.Request), []byte(strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n")
				q.Reset()
				if n, err := q.Parse(text); n != len(text) {
					t.Fatal(n, err)
				}
				v := &visit.Visit{Session: r.Sessions().Session(session.OfHead(q, "192.0.2.1:7")), Side: understudyv1.Side_SIDE_BASELINE, Attempts: 1}
				if raw {
					x := r.Tap().Begin(q, "192.0.2.1:7", false, v)
					answer(t, x, "HTTP/1.1 204 No Content\nSet-Cookie: "+set)
					x.End(wire.Client, nil)
					x.End(wire.Server, nil)
					x.Close(nil)
				} else {
					in := httptest.NewRequest(http.MethodPost, "/", nil)
					in.RemoteAddr = "192.0.2.1:7"
					for i := range q.Len() {
						in.Header.Add(string(q.Name(i)), string(q.Value(i)))
					}
					r.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Set-Cookie", set) })).
						ServeHTTP(httptest.NewRecorder(), in.WithContext(visit.With(in.Context(), v)))
				}
				for _, e := range done() {
					sessions = append(sessions, e.Session)
				}
			}
			return sessions
		}
		login, after := pass("POST / HTTP/1.1\nHost: h", "sid=alice"), pass("POST / HTTP/1.1\nHost: h\nCookie: sid=alice", "sid=bob")
		if len(login) != 2 || !strings.HasPrefix(login[0], "s_") || login[0] != login[1] || !slices.Equal(login, after) {
			t.Errorf("%v: the login is of %v, what follows of %v", rules, login, after)
		}
	}
	f("cookie:sid")
	f("cookie:sid", "ip")
}
