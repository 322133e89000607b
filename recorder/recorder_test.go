package recorder_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/recorder/recordertest"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(change ...func(*recorder.Config)) recorder.Config {
	c := recorder.DefaultConfig()
	c.Instance, c.Key = "test-1", "0123456789abcdef"
	for _, f := range change {
		f(&c)
	}
	return c
}

// start runs a recorder before h behind a real server. stop shuts both down in
// order and returns Run's error.
func start(t testing.TB, c recorder.Config, sink recorder.Sink, h http.HandlerFunc) (address string, r *recorder.Recorder, stop func() error) {
	t.Helper()
	r, err := recorder.New(c, sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(r.Wrap(h))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	var once sync.Once
	var result error
	stop = func() error {
		once.Do(func() {
			http.DefaultClient.CloseIdleConnections()
			s.Close()
			cancel()
			result = <-ended
		})
		return result
	}
	t.Cleanup(func() { _ = stop() })
	return s.Listener.Addr().String(), r, stop
}

// send writes a raw request and returns the raw answer.
func send(t testing.TB, address, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, raw)
	b, _ := io.ReadAll(c)
	return string(b)
}

// one records a single raw request and returns its exchange without what
// differs from run to run.
func one(t *testing.T, h http.HandlerFunc, raw string, change ...func(*recorder.Config)) *understudyv1.Exchange {
	t.Helper()
	sink := new(recordertest.Sink)
	address, _, stop := start(t, config(change...), sink, h)
	send(t, address, raw)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got := sink.Exchanges()
	if len(got) != 1 {
		t.Fatalf("%d exchanges for one request", len(got))
	}
	e := got[0]
	if e.StartUnixNano == 0 || e.RecorderStartUnixNano == 0 || e.RecorderStartUnixNano > e.StartUnixNano || len(e.Id) != 36 || e.Session == "" {
		t.Errorf("start %d, id %q, session %q", e.StartUnixNano, e.Id, e.Session)
	}
	e.StartUnixNano, e.FirstByteNano, e.DurationNano, e.Id, e.RecorderStartUnixNano = 0, 0, 0, "", 0
	return e
}

func digest(s string) []byte { sum := sha256.Sum256([]byte(s)); return sum[:] }

func header(lines ...string) (out []*understudyv1.Header) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		out = append(out, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return out
}

func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Header().Add("X-A", "1")
	w.Header().Add("X-A", "2")
	w.WriteHeader(201)
	_, _ = w.Write(b)
}

func TestWholeExchange(t *testing.T) {
	got := one(t, echo, "POST /orders/42?a=1;b=%zz HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n"+
		"Content-Length: 5\r\nX-B: 2\r\nX-B: \xe4\r\nX-Tenant: me\r\nTraceparent: 00-a-b-01\r\n\r\nhello")
	want := &understudyv1.Exchange{
		Recorder: "test-1", Sequence: 1, Session: got.Session, Route: "POST /orders/{id}",
		Request: &understudyv1.Request{
			Method: "POST", Target: []byte("/orders/42?a=1;b=%zz"), Authority: "shop", Scheme: "http", Protocol: "HTTP/1.1",
			Headers: header("Connection: close", "Content-Length: 5", "Traceparent: 00-a-b-01", "X-B: 2", "X-B: \xe4", "X-Tenant: me"),
			Body:    &understudyv1.Body{Content: []byte("hello"), DeclaredLength: 5, Length: 5, Sha256: digest("hello")},
		},
		Response: &understudyv1.Response{
			Status: 201, Protocol: "HTTP/1.1", Headers: header("X-A: 1", "X-A: 2"),
			Body: &understudyv1.Body{Content: []byte("hello"), DeclaredLength: -1, Length: 5, Sha256: digest("hello")},
		},
		ServedBy: understudyv1.Side_SIDE_BASELINE, Source: "proxy", Traceparent: "00-a-b-01", RedactionKey: got.RedactionKey,
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTargetIsRecordedAsItIsSentOn(t *testing.T) {
	f := func(target, want, authority string) {
		t.Helper()
		got := one(t, echo, "OPTIONS "+target+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if string(got.Request.Target) != want || got.Request.Authority != authority {
			t.Errorf("%s: target %q, authority %q", target, got.Request.Target, got.Request.Authority)
		}
	}
	f("/a%2Fb?x=%zz", "/a%2Fb?x=%zz", "h")
	f("http://shop.example/abs?x=%2f", "/abs?x=%2f", "shop.example")
	f("http://shop.example?x=1", "/?x=1", "shop.example")
}

func TestBodyBeyondTheLimitIsCutAndHashedWhole(t *testing.T) {
	body := strings.Repeat("0123456789", 10_000)
	f := func(route string, limits map[string]int64, keep int64) {
		t.Helper()
		got := one(t, echo, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", route, len(body), body),
			func(c *recorder.Config) { c.CaptureLimit, c.CaptureLimits, c.Redact.Off = 1000, limits, true })
		for name, b := range map[string]*understudyv1.Body{"request": got.Request.Body, "response": got.Response.Body} {
			if int64(len(b.Content)) != keep || string(b.Content) != body[:keep] {
				t.Errorf("%s: kept %d bytes", name, len(b.Content))
			}
			if !b.Truncated || b.Length != int64(len(body)) || !cmp.Equal(b.Sha256, digest(body)) {
				t.Errorf("%s: truncated %t, length %d, sha256 %x", name, b.Truncated, b.Length, b.Sha256)
			}
		}
	}
	f("/a", nil, 1000)
	f("/b/7", map[string]int64{"POST /b/{id}": 70_000}, 70_000)
	f("/c", map[string]int64{"POST /c": 0}, 0)
}

func TestTrailersAreRecorded(t *testing.T) {
	got := one(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Trailer.Get("X-More") != "8" {
			t.Error("the handler did not see the trailer that nobody announced")
		}
		w.Header().Set("Trailer", "x-sum,\tX-Not-Sent, X-Size")
		w.Header().Set(http.TrailerPrefix+"X-Early", "7") // no header field, though it is set before the body
		w.(http.Flusher).Flush()
		w.Header().Set("X-Sum", "9")
		w.Header().Set("X-Size", "2")
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	}, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-More: 8\r\n\r\n")
	if diff := cmp.Diff(header("X-More: 8"), got.Request.Trailers, protocmp.Transform()); diff != "" {
		t.Errorf("request: -want +got\n%s", diff)
	}
	for _, h := range got.Response.Headers {
		if strings.Contains(h.Name, "X-Early") {
			t.Errorf("a trailer stands in the head: %v", h)
		}
	}
	if diff := cmp.Diff(header("Grpc-Status: 0", "X-Early: 7", "X-Size: 2", "X-Sum: 9"), got.Response.Trailers, protocmp.Transform()); diff != "" {
		t.Errorf("response: -want +got\n%s", diff)
	}
	if got.Request.Body.Truncated || got.Request.Body.DeclaredLength != -1 {
		t.Errorf("body %v", got.Request.Body)
	}
}

// lateEnd is a body of "hello" that ends, with a trailer, when it is told to.
type lateEnd struct {
	in    *http.Request
	given bool
	end   chan struct{}
}

func (b *lateEnd) Read(p []byte) (int, error) {
	if !b.given {
		b.given = true
		return copy(p, "hello"), nil
	}
	<-b.end
	b.in.Trailer["X-Late"] = []string{"1"} // as net/http's server does
	return 0, io.EOF
}
func (b *lateEnd) Close() error { return nil }

// TestTrailersThatComeAfterTheAnswer: a proxy's transport may read on while
// the handler ends. Only the race detector is sure to see the fault, which ended
// the process now and then (concurrent map iteration and map write).
func TestTrailersThatComeAfterTheAnswer(t *testing.T) {
	sink := new(recordertest.Sink)
	r, err := recorder.New(config(), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequest("POST", "/", nil)
	in.ContentLength, in.Trailer = 5, http.Header{"X-Late": nil}
	body := &lateEnd{in: in, end: make(chan struct{})}
	in.Body = body
	read := make(chan struct{})
	r.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) {
		_, _ = io.ReadFull(in.Body, make([]byte, 5))
		go func() { defer close(read); _, _ = io.Copy(io.Discard, in.Body) }()
		close(body.end)
	})).ServeHTTP(httptest.NewRecorder(), in)
	<-read
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := sink.Exchanges(); len(got) != 1 || string(got[0].Request.Body.Content) != "hello" {
		t.Errorf("got %v", got)
	}
}

// TestCloseOfTheClientsConnectionIsNotRecorded: the baseline did not say it.
func TestCloseOfTheClientsConnectionIsNotRecorded(t *testing.T) {
	got := one(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.Header().Set("X-A", "1")
		w.WriteHeader(http.StatusNoContent)
	}, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if diff := cmp.Diff(header("X-A: 1"), got.Response.Headers, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestUpgradeIsRecordedAsHeadOnly(t *testing.T) {
	sink := new(recordertest.Sink)
	address, _, stop := start(t, config(), sink, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Upgrade", "echo")
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		io.WriteString(c, line)
	})
	answer := send(t, address, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly\n")
	if !strings.HasSuffix(answer, "\r\n\r\nearly\n") {
		t.Errorf("got %q", answer)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got := sink.Exchanges()
	if len(got) != 1 || got[0].Response.Status != 101 || got[0].Response.Body.Length != 0 || got[0].Response.Body.Truncated || got[0].DurationNano != 0 {
		t.Errorf("got %v", got)
	}
}

func TestBrokenExchanges(t *testing.T) {
	refuse := &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_CONNECT, Message: "no"}
	tell := func(w http.ResponseWriter) {
		w.(interface {
			TransportError(*understudyv1.TransportError)
		}).TransportError(refuse)
	}
	got := one(t, func(w http.ResponseWriter, _ *http.Request) {
		tell(w)
		w.WriteHeader(502)
		_, _ = io.WriteString(w, "own words")
	}, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if got.Response != nil || got.Error.GetKind() != refuse.Kind {
		t.Errorf("failed before the response: %v", got)
	}
	got = one(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "abc")
		tell(w)
		panic(http.ErrAbortHandler)
	}, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	b := got.GetResponse().GetBody()
	if got.Error == nil || !b.GetTruncated() || string(b.GetContent()) != "abc" || b.GetSha256() != nil {
		t.Errorf("failed within the response: %v", got)
	}
	// A handler that answers without having read the body.
	got = one(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(413) },
		"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")
	if b := got.Request.Body; !b.Truncated || b.Sha256 != nil || b.DeclaredLength != 3 {
		t.Errorf("unread body: %v", b)
	}
}

func TestRedactionCoversWhatLeaves(t *testing.T) {
	got := one(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "sid=hunter2; Path=/")
	}, "GET /x?token=hunter2&q=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer hunter2\r\nCookie: sid=hunter2\r\n\r\n")
	if strings.Contains(got.String(), "hunter2") {
		t.Errorf("a secret left: %v", got)
	}
	if len(got.Redactions) != 4 {
		t.Errorf("redactions %v", got.Redactions)
	}
}

// wild is a sink that fails in every way, at random.
type wild struct {
	mu      sync.Mutex
	rand    *rand.Rand
	late    []func(error)
	tooLate []func(error) // not called before the end
	took    int
	last    *understudyv1.Tally
}

func (s *wild) Exchange(_ *understudyv1.Exchange, done func(error)) error {
	s.mu.Lock()
	n := s.rand.IntN(6)
	s.mu.Unlock()
	switch n {
	case 0:
		return recorder.ErrFull
	case 1:
		return fmt.Errorf("produce: %w", recorder.ErrTooLarge)
	case 2:
		return errors.New("broken")
	case 3:
		done(errors.New("lost"))
	case 4:
		s.mu.Lock()
		s.late = append(s.late, done)
		s.mu.Unlock()
	default:
		done(nil)
		s.took++
	}
	return nil
}

func (s *wild) Tally(t *understudyv1.Tally, done func(error)) error {
	s.last = t
	done(nil)
	return nil
}

func (s *wild) Flush(context.Context) error {
	for i, done := range s.late {
		if i%2 != 0 {
			s.tooLate = append(s.tooLate, done)
			continue
		}
		done(nil)
		s.took++
	}
	s.late = nil
	return nil
}

func TestBooksBalanceUnderRandomFailures(t *testing.T) {
	for seed := range uint64(8) {
		sink := &wild{rand: rand.New(rand.NewPCG(seed, 1))}
		c := config(func(c *recorder.Config) { c.QueueSize, c.MemoryLimit, c.CaptureLimit = 4, 1<<20, 1<<20 })
		handler := func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Query().Get("do") {
			case "panic":
				panic(http.ErrAbortHandler)
			case "big":
				_, _ = w.Write(make([]byte, 300<<10))
			}
		}
		address, r, stop := start(t, c, sink, handler)
		var wg sync.WaitGroup
		const clients, each = 4, 40
		for i := range clients {
			wg.Go(func() {
				pick := rand.New(rand.NewPCG(seed, uint64(i)))
				for range each {
					do := []string{"", "", "panic", "big"}[pick.IntN(4)]
					r.Pause(pick.IntN(10) == 0)
					request, _ := http.NewRequest("POST", "http://"+address+"/?do="+do, strings.NewReader("x"))
					if answer, err := http.DefaultClient.Do(request); err == nil {
						_, _ = io.Copy(io.Discard, answer.Body)
						answer.Body.Close()
					}
				}
			})
		}
		wg.Wait()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		tally := sink.last
		sum := tally.Recorded
		for _, n := range tally.Dropped {
			sum += n
		}
		if tally.Served < clients*each || tally.Served != sum || tally.Pending != 0 || !tally.Final {
			t.Errorf("seed %d: books do not balance: %v", seed, tally)
		}
		if tally.Recorded != uint64(sink.took) {
			t.Errorf("seed %d: %d recorded, the sink took %d", seed, tally.Recorded, sink.took)
		}
		before := r.Tally()
		for _, done := range sink.tooLate {
			done(nil)
		}
		after := r.Tally()
		if after.Bytes != 0 {
			t.Errorf("seed %d: %d bytes are still held", seed, after.Bytes)
		}
		after.Bytes = before.Bytes
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("seed %d: what came too late changed the books: -before +after\n%s", seed, diff)
		}
	}
}

// first panics at the first exchange.
type first struct {
	recordertest.Sink
	done bool
}

func (s *first) Exchange(e *understudyv1.Exchange, done func(error)) error {
	if !s.done {
		s.done = true
		panic("no exchange like this")
	}
	return s.Sink.Exchange(e, done)
}

// TestPanicBehindTheLivePathCostsOneExchange, not the process.
func TestPanicBehindTheLivePathCostsOneExchange(t *testing.T) {
	address, r, stop := start(t, config(), new(first), echo)
	for range 3 {
		send(t, address, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if c := r.Tally(); c.Served != 3 || c.Recorded != 2 || c.Dropped[books.ReasonInternal] != 1 || c.Bytes != 0 || c.Excess() != 0 {
		t.Errorf("counts %+v", c)
	}
}

// refusing takes nothing, and says so beforehand.
type refusing struct {
	recordertest.Sink
	why error
}

func (s *refusing) Refuses() error { return s.why }

// TestWhatWouldBeRefusedCostsNothing: it is not even handed over.
func TestWhatWouldBeRefusedCostsNothing(t *testing.T) {
	f := func(why error, reason string) {
		t.Helper()
		sink := &refusing{why: why}
		address, r, stop := start(t, config(), sink, echo)
		send(t, address, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		want := books.Tally{Served: 1, Dropped: map[string]uint64{reason: 1}}
		if diff := cmp.Diff(want, r.Tally()); diff != "" || len(sink.Exchanges()) != 0 {
			t.Errorf("%d handed over, -want +got\n%s", len(sink.Exchanges()), diff)
		}
	}
	f(fmt.Errorf("no room: %w", recorder.ErrFull), books.ReasonBufferFull)
	f(recorder.ErrSpoolFull, books.ReasonSpoolFull)
	f(recorder.ErrSpoolFailed, books.ReasonSpoolError)
}

// hanging never returns from Exchange until released.
type hanging struct {
	recordertest.Sink
	entered chan struct{}
	release chan struct{}
}

func (s *hanging) Exchange(e *understudyv1.Exchange, done func(error)) error {
	s.entered <- struct{}{}
	<-s.release
	return s.Sink.Exchange(e, done)
}

func TestHangingSinkDoesNotTouchTraffic(t *testing.T) {
	sink := &hanging{entered: make(chan struct{}, 100), release: make(chan struct{})}
	address, r, stop := start(t, config(func(c *recorder.Config) { c.QueueSize = 3 }), sink, echo)
	send(t, address, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	<-sink.entered
	for range 20 {
		if got := send(t, address, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 201") {
			t.Fatalf("got %q", got)
		}
	}
	// A handler may outlive its answer by a moment.
	for deadline := time.Now().Add(20 * time.Second); r.Tally().Dropped[books.ReasonBufferFull] < 17; {
		if time.Now().After(deadline) {
			t.Fatalf("17 of 21 exchanges do not fit a queue of 3 and one in the sink, but the books say %+v", r.Tally())
		}
		time.Sleep(time.Millisecond)
	}
	close(sink.release)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if c := r.Tally(); c.Served != 21 || c.Recorded != 4 || c.Pending() != 0 {
		t.Errorf("counts %+v", c)
	}
}

// TestSinkThatNeverReturnsDoesNotHoldTheEnd: Run gives up on it, and says so.
func TestSinkThatNeverReturnsDoesNotHoldTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &hanging{entered: make(chan struct{}, 1), release: make(chan struct{})}
		r, err := recorder.New(config(), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		r.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		<-sink.entered
		cancel()
		select {
		case err := <-ended:
			if err == nil {
				t.Error("Run ended well though the sink holds an exchange")
			}
		case <-time.After(time.Minute):
			t.Error("Run waits for the sink")
		}
		if tally := r.Tally(); tally.Pending() != 0 || tally.Dropped[books.ReasonShutdown] != 1 {
			t.Errorf("books %+v", tally)
		}
		close(sink.release)
	})
}

// slow takes a second for each exchange, as a busy machine may for large bodies.
type slow struct{ recordertest.Sink }

func (s *slow) Exchange(e *understudyv1.Exchange, done func(error)) error {
	time.Sleep(time.Second)
	return s.Sink.Exchange(e, done)
}

// TestALongQueueDelaysNoTally: neither those at intervals nor the final one, for
// which there must be time when the end comes.
func TestALongQueueDelaysNoTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(slow)
		r, err := recorder.New(config(), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		for range 200 {
			r.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).
				ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}
		time.Sleep(100*time.Second + time.Second/2)
		if n := len(sink.Tallies()); n < 10 {
			t.Errorf("%d tallies in 100 s, want one at the start and one every 10 s", n)
		}
		began := time.Now()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		all := sink.Tallies()
		last, n := all[len(all)-1], uint64(len(sink.Exchanges()))
		if !last.GetFinal() || last.GetServed() != 200 || last.GetRecorded() != n || last.GetDropped()[books.ReasonShutdown] != 200-n || n < 100 || n > 110 {
			t.Errorf("%d exchanges, last tally %v", n, last)
		}
	})
}

// stuck has an exchange of which it never hears.
type stuck struct{ recordertest.Sink }

func (s *stuck) Flush(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestAFinalTallyThatIsWrittenIsNotMissed although the sink has not all else.
func TestAFinalTallyThatIsWrittenIsNotMissed(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			sink := new(stuck)
			r, err := recorder.New(config(), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err = r.Run(ctx)
			if all := sink.Tallies(); err != nil || !all[len(all)-1].GetFinal() {
				t.Errorf("%v, though the last tally is %v", err, all[len(all)-1])
			}
		})
	}
}

// twice says twice that it is done.
type twice struct{ recordertest.Sink }

func (s *twice) Exchange(e *understudyv1.Exchange, done func(error)) error {
	done(nil)
	done(errors.New("lost"))
	return s.Sink.Exchange(e, done)
}

func TestAnExchangeIsSettledOnce(t *testing.T) {
	address, r, stop := start(t, config(), new(twice), echo)
	send(t, address, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(books.Tally{Served: 1, Recorded: 1, Dropped: map[string]uint64{}}, r.Tally()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPausedRequestsPassAndAreCounted(t *testing.T) {
	sink := new(recordertest.Sink)
	address, r, stop := start(t, config(), sink, echo)
	for _, on := range []bool{true, false} {
		r.Pause(on)
		if got := send(t, address, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 201") {
			t.Fatalf("got %q", got)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Exchanges(); len(got) != 1 || got[0].Sequence != 2 {
		t.Errorf("recorded %v", got)
	}
	want := books.Tally{Served: 2, Recorded: 1, Dropped: map[string]uint64{books.ReasonPaused: 1}}
	if diff := cmp.Diff(want, r.Tally()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestAControlIsNoUser: what a replay asks the baseline again is served and
// counted, and not recorded.
func TestAControlIsNoUser(t *testing.T) {
	sink := new(recordertest.Sink)
	r, err := recorder.New(config(), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	w, in := httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil)
	in.Header.Set("Understudy-Control", "run")
	r.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })).ServeHTTP(w, in)
	want := books.Tally{Served: 1, Dropped: map[string]uint64{books.ReasonControl: 1}}
	if diff := cmp.Diff(want, r.Tally()); diff != "" || w.Code != http.StatusTeapot {
		t.Errorf("status %d\n%s", w.Code, diff)
	}
}

func TestMetricsSayWhyBodiesAreCut(t *testing.T) {
	reg := prometheus.NewRegistry()
	c := config(func(c *recorder.Config) {
		c.CaptureLimit, c.MemoryLimit, c.CaptureLimits = 1<<20, 1<<20, map[string]int64{"POST /limit": 2}
	})
	r, err := recorder.New(c, new(recordertest.Sink), slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	h := r.Wrap(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		_, _ = io.Copy(io.Discard, in.Body)
		switch in.URL.Path {
		case "/limit":
			_, _ = io.WriteString(w, "abc")
		case "/transfer":
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "abc")
		}
	}))
	serve := func(path string, body io.Reader) {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", path, body))
	}
	serve("/memory", strings.NewReader(strings.Repeat("x", 1<<20)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	serve("/limit", nil)
	serve("/transfer", nil)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			if v := m.GetCounter().GetValue() + m.GetGauge().GetValue(); v != 0 {
				got[name] = v
			}
		}
	}
	want := map[string]float64{
		"understudy_recorder_served_total": 3, "understudy_recorder_recorded_total": 3,
		"understudy_recorder_bodies_cut_total memory": 1, "understudy_recorder_bodies_cut_total limit": 1,
		"understudy_recorder_bodies_cut_total transfer": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTalliesAtIntervalsAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(recordertest.Sink)
		r, err := recorder.New(config(), sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		synctest.Wait()
		h := r.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		time.Sleep(25 * time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range sink.Tallies() {
			got = append(got, fmt.Sprintf("%d: %d served, %d recorded, final %t", x.Number, x.Served, x.Recorded, x.Final))
		}
		want := []string{"1: 0 served, 0 recorded, final false", "2: 1 served, 1 recorded, final false", "3: 1 served, 1 recorded, final false", "4: 1 served, 1 recorded, final true"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

func TestClientAbortIsRecorded(t *testing.T) {
	sink := new(recordertest.Sink)
	written := make(chan struct{})
	address, _, stop := start(t, config(), sink, func(w http.ResponseWriter, r *http.Request) {
		defer close(written)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	_, _ = bufio.NewReader(c).ReadString('\n')
	c.Close()
	<-written
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	e := sink.Exchanges()[0]
	if e.Error.GetKind() != understudyv1.TransportError_KIND_CANCELED || !e.Response.Body.Truncated || e.Response.Body.Sha256 != nil {
		t.Errorf("error %v, body truncated %t", e.Error, e.Response.Body.Truncated)
	}
}

func TestValidateNamesEveryMistake(t *testing.T) {
	err := config(func(c *recorder.Config) {
		c.CaptureLimit, c.QueueSize, c.TallyInterval, c.Key = -1, 0, 0, "short"
		c.Session, c.Routes = []string{"header"}, []string{"x"}
	}).Validate()
	for _, want := range []string{"capture_limit", "queue_size", "tally_interval", "16 bytes", "session rule", "route template"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}
