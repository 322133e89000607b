package replayer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source gives exchanges, then the end.
type source struct {
	list []*understudyv1.Exchange
	// endless repeats the last one until the context ends.
	endless bool
}

func (s *source) Next(ctx context.Context) (*understudyv1.Exchange, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(s.list) == 0 {
		return nil, io.EOF
	}
	e := s.list[0]
	if len(s.list) > 1 || !s.endless {
		s.list = s.list[1:]
	}
	return e, nil
}

func (s *source) Unselected() map[string]uint64 { return map[string]uint64{"recorder": 3} }

func (s *source) Late() uint64 { return 0 }

// sink keeps what it gets; every failEach-th replay is lost.
type sink struct {
	mu       sync.Mutex
	replays  []*understudyv1.Replay
	runs     []*understudyv1.Run
	failEach int
}

func (s *sink) Replay(_ context.Context, r *understudyv1.Replay, done func(error)) {
	s.mu.Lock()
	s.replays = append(s.replays, r)
	fail := s.failEach > 0 && len(s.replays)%s.failEach == 0
	s.mu.Unlock()
	if fail {
		done(errors.New("broker away"))
		return
	}
	done(nil)
}

func (s *sink) Run(_ context.Context, r *understudyv1.Run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, r)
	return nil
}

func (s *sink) Flush(context.Context) error { return nil }

func exchange(i int, change ...func(*understudyv1.Exchange)) *understudyv1.Exchange {
	e := &understudyv1.Exchange{
		Id: fmt.Sprint("e", i), Session: fmt.Sprint("s", i%3), Route: "GET /x", StartUnixNano: int64(i) * int64(time.Millisecond),
		Request:  &understudyv1.Request{Method: "GET", Target: fmt.Appendf(nil, "/x/%d", i)},
		Response: &understudyv1.Response{Status: 200},
	}
	for _, c := range change {
		c(e)
	}
	return e
}

// replay runs a run against a handler and checks its books.
func replay(ctx context.Context, t *testing.T, src *source, out *sink, h http.HandlerFunc, change func(*replayer.Config)) (*understudyv1.Run, error) {
	t.Helper()
	return replayTo(ctx, t, src, out, out, h, change)
}

// replayTo runs it with a sink that hands on to out.
func replayTo(ctx context.Context, t *testing.T, src replayer.Source, out *sink, through replayer.Sink, h http.HandlerFunc, change func(*replayer.Config)) (*understudyv1.Run, error) {
	t.Helper()
	return replayBy(ctx, t, src, out, through, h, change, nil)
}

// replayBy says by whom it was replayed too, if by is not nil.
func replayBy(ctx context.Context, t *testing.T, src replayer.Source, out *sink, through replayer.Sink, h http.HandlerFunc, change func(*replayer.Config), by **replayer.Replayer) (*understudyv1.Run, error) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	c := replayer.DefaultConfig()
	c.Run, c.Candidate, c.Drain, c.Isolated = "r", server.URL, 200*time.Millisecond, true
	if change != nil {
		change(&c)
	}
	r, err := replayer.New(c, &understudyv1.RunSpec{}, src, through, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if by != nil {
		*by = r
	}
	run, runErr := r.Run(ctx)
	skipped := uint64(0)
	for _, n := range run.Skipped {
		skipped += n
	}
	if run.Selected != run.Replayed+skipped || run.Selected+run.Orphans != uint64(len(out.replays)) {
		t.Errorf("selected %d, replayed %d, skipped %v, orphans %d, %d records", run.Selected, run.Replayed, run.Skipped, run.Orphans, len(out.replays))
	}
	seen := map[uint64]bool{}
	for _, x := range out.replays {
		if x.Exchange != nil && seen[x.Ordinal] {
			t.Errorf("ordinal %d is written twice", x.Ordinal)
		}
		seen[x.Ordinal] = true
	}
	for i, x := range out.runs {
		if x.Version != uint64(i+1) {
			t.Errorf("state %d of the run has version %d", i, x.Version)
		}
	}
	if last := out.runs[len(out.runs)-1]; last.State != run.State || last.EndUnixNano == 0 {
		t.Errorf("the last state written is %s, want %s", last.State, run.State)
	}
	return run, runErr
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func TestEverythingIsSentOnceInOrder(t *testing.T) {
	src := &source{}
	for i := range 200 {
		src.list = append(src.list, exchange(i))
	}
	out := &sink{}
	var mu sync.Mutex
	got := map[string]int{}
	run, err := replay(t.Context(), t, src, out, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[r.RequestURI]++
		mu.Unlock()
		if r.Header.Get("Understudy-Run") != "r" || r.Header.Get("Idempotency-Key") == "" || r.Header.Get("X-Key") != "secret" {
			t.Errorf("%s lacks a mark: %v", r.RequestURI, r.Header)
		}
	}, func(c *replayer.Config) { c.Speed, c.Headers = 2, map[string]string{"X-Key": "secret"} })
	if err != nil || run.State != understudyv1.Run_STATE_COMPLETED || run.Replayed != 200 || run.Written != 200 || run.Unselected["recorder"] != 3 {
		t.Errorf("%v, %+v", err, run)
	}
	for i := range 200 {
		if n := got[fmt.Sprint("/x/", i)]; n != 1 {
			t.Errorf("/x/%d was sent %d times", i, n)
		}
	}
}

func TestSkips(t *testing.T) {
	src := &source{list: []*understudyv1.Exchange{
		exchange(0, func(e *understudyv1.Exchange) { e.Response = nil }),
		exchange(1, func(e *understudyv1.Exchange) { e.Request.Body = &understudyv1.Body{Truncated: true} }),
		exchange(2, func(e *understudyv1.Exchange) { e.Response.Status = 101 }),
		exchange(3, func(e *understudyv1.Exchange) { e.Request.Target = []byte("/a b") }),
		exchange(4, func(e *understudyv1.Exchange) { e.Request.Target = []byte("nowhere") }),
		exchange(5, func(e *understudyv1.Exchange) { e.Request.Target = []byte("/a\r\nX: y") }),
		exchange(6),
	}}
	run, err := replay(t.Context(), t, src, &sink{}, ok, nil)
	want := map[string]uint64{"no_response": 1, "request_truncated": 1, "upgrade": 1, "target_not_sendable": 3}
	if diff := cmp.Diff(want, run.Skipped); diff != "" || err != nil || run.Replayed != 1 {
		t.Errorf("%v, replayed %d\n%s", err, run.Replayed, diff)
	}
}

// TestAHangingCandidateDoesNotStopTheSchedule: what is due beyond the limit is
// skipped and counted, never silently delayed.
func TestAHangingCandidateDoesNotStopTheSchedule(t *testing.T) {
	src := &source{}
	for i := range 50 {
		src.list = append(src.list, exchange(i))
	}
	run, err := replay(t.Context(), t, src, &sink{}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		func(c *replayer.Config) { c.InFlight, c.Timeout = 10, 300*time.Millisecond })
	if dead := (*replayer.CandidateError)(nil); !errors.As(err, &dead) || run.Replayed != 10 || run.Skipped["in_flight_limit"] != 40 {
		t.Errorf("%v, replayed %d, skipped %v", err, run.Replayed, run.Skipped)
	}
}

func TestAnInterruptedRunBalances(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(300*time.Millisecond, cancel).Stop()
	src := &source{list: []*understudyv1.Exchange{exchange(0), exchange(5000)}, endless: true}
	run, err := replay(ctx, t, src, &sink{}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil)
	if !errors.Is(err, context.Canceled) || run.State != understudyv1.Run_STATE_CANCELED || run.Skipped["canceled"] < 2 {
		t.Errorf("%v, %s, %v", err, run.State, run.Skipped)
	}
}

func TestLostRecordsFailTheRun(t *testing.T) {
	src := &source{}
	for i := range 20 {
		src.list = append(src.list, exchange(i))
	}
	run, err := replay(t.Context(), t, src, &sink{failEach: 7}, ok, nil)
	if err == nil || run.State != understudyv1.Run_STATE_FAILED || run.Written != 18 {
		t.Errorf("%v, %s, written %d", err, run.State, run.Written)
	}
}

// TestTheCandidatesValuesAreUsed: the order that the baseline called ord_1 is
// the candidate's u-77, from the next request of the session on.
func TestTheCandidatesValuesAreUsed(t *testing.T) {
	body := func(s string) *understudyv1.Response {
		return &understudyv1.Response{Status: 200, Body: &understudyv1.Body{Content: []byte(s), Length: int64(len(s))}}
	}
	first := exchange(0, func(e *understudyv1.Exchange) { e.Session, e.Response = "s", body(`{"id":"ord_1"}`) })
	second := exchange(100, func(e *understudyv1.Exchange) {
		e.Session, e.Response, e.Request.Target = "s", body(`{"id":"ord_1","n":1}`), []byte("/orders/ord_1?again=ord_1")
	})
	out := &sink{}
	var asked string
	_, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{first, second}}, out, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/x/0" {
			asked = r.RequestURI
		}
		_, _ = io.WriteString(w, `{"id":"u-77"}`)
	}, func(c *replayer.Config) { c.Order = replayer.OrderCompleted })
	if err != nil || asked != "/orders/u-77?again=u-77" {
		t.Errorf("%v: asked for %q", err, asked)
	}
	for _, r := range out.replays {
		if s := r.Substitutions; r.Exchange.Id == "e100" && (len(s) != 1 || s[0].Recorded != "ord_1" || s[0].Candidate != "u-77" || s[0].Uses != 2 || s[0].LearnedFrom != "e0") {
			t.Errorf("substitutions %v", s)
		}
	}
}

func TestRedactedHeadersAreNotSent(t *testing.T) {
	e := exchange(0, func(e *understudyv1.Exchange) {
		e.Request.Headers = []*understudyv1.Header{
			{Name: "Authorization", Value: []byte("tok_1")}, {Name: "Cookie", Value: []byte("sid=tok_2")},
			{Name: "X-Kept", Value: []byte("1")}, {Name: "Connection", Value: []byte("close")},
			{Name: "X-Session-Id", Value: []byte("rdx_0123456789abcdefghijkl")},
		}
		e.Redactions = []*understudyv1.Redaction{
			{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "X-Session-Id"},
			{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "Authorization"}, {Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "Cookie"},
		}
	})
	var got http.Header
	_, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{e}}, &sink{}, func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() },
		func(c *replayer.Config) { c.Headers = map[string]string{"Authorization": "Bearer own"} })
	if err != nil || got.Get("Authorization") != "Bearer own" || got.Get("Cookie") != "" || got.Get("X-Kept") != "1" || got.Get("User-Agent") != "" ||
		got.Get("X-Session-Id") != "rdx_0123456789abcdefghijkl" {
		t.Errorf("%v: %v", err, got)
	}
}
