package face_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target"
	"understudy.dev/exchange/visit"
	"understudy.dev/gateway/face"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestAnswers: a client of the synchronous protocol gets the candidate's answer,
// over every way into the gateway, and nothing of the operation.
func TestAnswers(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		g := newGate(t, newSystems(t), nil)
		if h2 {
			g.h2()
		}
		a := g.must(http.MethodPost, "o-1", "Authorization", "Bearer x")
		if a.status != 201 || a.body != `{"order":"o-1"}` || a.header.Get("X-Thing") != "of o-1" || a.header.Get("Operation-Location")+a.header.Get("Location")+a.header.Get("Date") == "" && false {
			t.Errorf("HTTP/2 %v: %d %q %v", h2, a.status, a.body, a.header)
		}
		if a.header.Get("Operation-Location") != "" || a.header.Get("Location") != "" {
			t.Errorf("HTTP/2 %v: the client is told of the operation: %v", h2, a.header)
		}
		if g.jobs["1"].credentials != "Bearer x" {
			t.Error("the poll lacks the client's credentials")
		}
		v := g.visit()
		if c := v.Completion; v.Attempts != 1 || c.GetChannel() != "poll" || c.GetPolls() != 2 || c.GetAckStatus() != 202 || c.GetCompletedNano() <= 0 || v.Failure != nil {
			t.Errorf("HTTP/2 %v: recorded %+v, %v", h2, v, c)
		}
		g.until("the entry is gone", func() bool { return len(g.journal.copy()) == 0 && g.ledger.Tally().GetCompleted() == 1 })
		if n := g.effectsOf("o-1"); n != 1 {
			t.Errorf("it happened %d times", n)
		}
		g.stop()
	}
}

// TestDirectAnswers pass as they are, refusals too.
func TestDirectAnswers(t *testing.T) {
	f := func(want string, accept http.HandlerFunc, method string) {
		t.Helper()
		s := newSystems(t)
		s.accept = accept
		g := newGate(t, s, nil)
		if a := g.must(method, "x"); fmt.Sprint(a.status, " ", a.body, " ", a.header["X-A"]) != want {
			t.Errorf("got %d %q %v, want %s", a.status, a.body, a.header, want)
		}
		if g.ledger.Tally().GetAccepted() != 0 {
			t.Error("it is in the ledger")
		}
		g.stop()
	}
	f("200 done [1 2]", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-A"] = []string{"1", "2"}
		fmt.Fprint(w, "done")
	}, http.MethodPost)
	f("409 no []", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(409); fmt.Fprint(w, "no") }, http.MethodPost)
	f("503 full []", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); fmt.Fprint(w, "full") }, http.MethodPost)
	f("204  []", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, http.MethodPost)
	// What is safe and cannot be served there is the baseline's.
	f("200 baseline /orders  []", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, http.MethodGet)
}

// TestFailedOperation: the client is not told that all is well.
func TestFailedOperation(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) { c.Routes[0].FailedStatus = 422 })
	g.systems.pending = -1
	done := make(chan answer, 1)
	go func() { a, _ := g.ask(http.MethodPost, "o"); done <- a }()
	g.until("accepted", func() bool { return g.ledger.Len() == 1 })
	g.mu.Lock()
	g.jobs["1"].isCanceled = true
	g.mu.Unlock()
	if a := <-done; a.status != 422 {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if g.ledger.Tally().GetFailed() != 1 {
		t.Errorf("ledger %v", g.ledger.Tally())
	}
}

// cancelable is the policy of a route whose jobs can be canceled.
func cancelable(c *face.Config) { c.Routes[0].Cancel = target.Cancel{Method: http.MethodDelete} }

// TestFallsBack: to the baseline goes what is safe, was not sent, or was canceled;
// the rest gets a 503, and nothing happens twice.
func TestFallsBack(t *testing.T) {
	breaks := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	short := func(c *face.Config) { c.Completion.Deadline = 30 * time.Millisecond }
	f := func(name, method string, prepare func(*gate), change func(*face.Config), fields []string, want int, decision, reason string) {
		t.Helper()
		g := newGate(t, newSystems(t), change)
		prepare(g)
		a := g.must(method, "o", fields...)
		v := g.visit()
		if a.status != want || v.Decision != decision || v.Completion.GetReason() != reason {
			t.Errorf("%s: %d %s, decision %q, completion %v", name, a.status, a.body, v.Decision, v.Completion)
		}
		if (a.header.Get("Retry-After") != "") != (want == 503) {
			t.Errorf("%s: Retry-After %q", name, a.header.Get("Retry-After"))
		}
		g.until(name+": recorded", func() bool { g.tap.mu.Lock(); defer g.tap.mu.Unlock(); return len(g.tap.failures) == 1 })
		own := v.Failure != nil
		g.tap.mu.Lock()
		if own != (want == 503) || own != (len(g.tap.answers) == 0) || own != (g.tap.failures[0] != nil) {
			t.Errorf("%s: recorded answers %v, failures %v", name, g.tap.answers, g.tap.failures)
		}
		g.tap.mu.Unlock()
		g.finish(0)
		g.until(name+": all has ended", func() bool { return g.ledger.Tally().GetPending() == 0 })
		if n := g.effectsOf("o"); method == http.MethodPost && n > 1 {
			t.Errorf("%s: it happened %d times", name, n)
		} else if want == 200 && method == http.MethodPost && n != 1 {
			t.Errorf("%s: it happened %d times, and the client was told that it did", name, n)
		}
		balances(t, g.ledger.Tally())
		g.stop()
	}
	nothing := func(*gate) {}
	down := func(g *gate) { g.candidate.Close() }
	never := func(g *gate) { g.finish(-1) }
	broken := func(g *gate) { g.accept = breaks }
	key := []string{"Idempotency-Key", "k"}
	f("down", http.MethodPost, down, nil, nil, 200, "unreached", "unreached")
	f("down, complete", http.MethodPost, func(g *gate) { down(g); g.door.isComplete.Store(true) }, nil, nil, 503, "stage", "unreached")
	f("breaks, safe", http.MethodGet, broken, nil, nil, 200, "failed", "reset")
	f("breaks", http.MethodPost, broken, nil, key, 503, "stage", "reset")
	f("late, safe", http.MethodGet, never, short, nil, 200, "late", "late")
	f("late", http.MethodPost, never, short, nil, 503, "stage", "late")
	f("late, key, no way to cancel", http.MethodPost, never, short, key, 503, "stage", "late")
	f("late, no key", http.MethodPost, never, func(c *face.Config) { short(c); cancelable(c) }, nil, 503, "stage", "late")
	f("late, canceled", http.MethodPost, never, func(c *face.Config) { short(c); cancelable(c) }, key, 200, "canceled", "")
	f("late, not canceled", http.MethodPost, func(g *gate) {
		never(g)
		g.refuses = true
		time.AfterFunc(100*time.Millisecond, func() { g.finish(0) })
	},
		func(c *face.Config) { short(c); cancelable(c) }, key, 503, "stage", "late")
	f("too long", http.MethodPost, nothing, func(c *face.Config) { c.BodyLimit = 0 }, nil, 200, "large", "")
	f("no room", http.MethodPost, nothing, func(c *face.Config) { c.BodyLimit, c.Memory = 0, 0 }, nil, 200, "large", "")
}

// TestBreaker: what fails again and again is left alone for a while, and the
// baseline serves.
func TestBreaker(t *testing.T) {
	s := newSystems(t)
	s.accept = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	g := newGate(t, s, func(c *face.Config) { c.BreakerFailures, c.BreakerPause = 3, 300*time.Millisecond })
	for i := range 3 {
		if a := g.must(http.MethodPost, fmt.Sprint(i)); a.status != 503 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := g.must(http.MethodPost, "o"); a.status != 200 || g.visit().Decision != face.DecisionBreaker {
		t.Errorf("%d %s, %s", a.status, a.body, g.visit().Decision)
	}
	s.mu.Lock()
	s.accept = nil
	s.mu.Unlock()
	g.until("it is asked again", func() bool { return strings.HasPrefix(g.must(http.MethodPost, "o").body, "{") })
	if a := g.must(http.MethodPost, "p"); a.status != 201 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestBusy: what the bound does not let in is the baseline's.
func TestBusy(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) { c.Waiting = 1 })
	g.finish(-1)
	first := make(chan answer, 1)
	go func() { a, _ := g.ask(http.MethodPost, "one"); first <- a }()
	g.until("accepted", func() bool { return g.ledger.Len() == 1 })
	if a := g.must(http.MethodPost, "two"); a.body != "baseline /orders two" || g.visit().Decision != face.DecisionBusy {
		t.Errorf("%d %s %s", a.status, a.body, g.visit().Decision)
	}
	g.finish(0)
	if a := <-first; a.status != 201 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestClientLeaves: what was accepted is awaited all the same.
func TestClientLeaves(t *testing.T) {
	g := newGate(t, newSystems(t), nil)
	g.finish(-1)
	c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\n\r\no")
	g.until("accepted", func() bool { return g.ledger.Len() == 1 })
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
	time.Sleep(100 * time.Millisecond)
	g.finish(0)
	g.until("completed", func() bool { return g.ledger.Tally().GetCompleted() == 1 })
	if g.effectsOf("o") != 1 {
		t.Error("its effect is missing")
	}
}

// TestExpectContinue: the body is asked for, and an answer without it is none.
func TestExpectContinue(t *testing.T) {
	g := newGate(t, newSystems(t), nil)
	c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /orders HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
	r := bufio.NewReader(c)
	if line, _ := r.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q", line)
	}
	_, _ = r.ReadString('\n')
	fmt.Fprint(c, "1\r\no\r\n0\r\n\r\n")
	a, err := http.ReadResponse(r, nil)
	if err != nil || a.StatusCode != 201 {
		t.Errorf("%v %v", a, err)
	}
}

// TestLongAnswer is refused rather than cut.
func TestLongAnswer(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) { c.AnswerLimit = 40 })
	if a := g.must(http.MethodPost, strings.Repeat("o", 100)); a.status != 502 || !strings.Contains(a.body, "answer_limit") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestCallback: the candidate calls, and of the call only what is about the
// content becomes the answer's.
func TestCallback(t *testing.T) {
	s := newSystems(t)
	s.accept = func(w http.ResponseWriter, r *http.Request) {
		to := r.Header.Get("Callback-Url")
		go func() {
			q, _ := http.NewRequest(http.MethodPost, to, strings.NewReader(`{"order":"o"}`))
			q.Header.Set("Content-Type", "application/json")
			q.Header.Set("Authorization", "Bearer of the candidate")
			if a, err := http.DefaultClient.Do(q); err == nil {
				a.Body.Close()
			}
		}()
		w.WriteHeader(http.StatusAccepted)
	}
	g := newGate(t, s, func(c *face.Config) {
		c.Completion.Channel, c.Completion.CallbackHeader = target.ChannelCallback, "Callback-Url"
		c.Completion.Conventions = operation.Conventions{}
	})
	a := g.must(http.MethodPost, "o")
	if a.status != 201 || a.body != `{"order":"o"}` || a.header.Get("Content-Type") != "application/json" || a.header.Get("Authorization") != "" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestRespondAsync: a client that awaits for itself gets the acknowledgement as it
// is, and its polls and its key lead to the side that has accepted it.
func TestRespondAsync(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		g := newGate(t, newSystems(t), nil)
		if h2 {
			g.h2()
		}
		g.finish(-1)
		a := g.must(http.MethodPost, "o", "Prefer", "wait=1, respond-async", "Idempotency-Key", "k", "X-Session", "s")
		if a.status != 202 || a.header.Get("Location") != "/jobs/1" || a.header.Get("Operation-Location") != "/jobs/1" {
			t.Fatalf("%d %s %v", a.status, a.body, a.header)
		}
		for _, x := range [][2]string{{"/jobs/1", ""}, {"/jobs/1/result", ""}, {"/orders", "k"}} {
			if side, ok := g.accepted.Side("s", "POST /orders", x[0], x[1]); !ok || side != understudyv1.Side_SIDE_CANDIDATE {
				t.Errorf("%v leads to %v", x, side)
			}
		}
		if g.ledger.Tally().GetAccepted() != 0 {
			t.Error("it is in the ledger")
		}
		// Where nobody takes it, the baseline does, and is remembered for what it says.
		g.stop()
		g = newGate(t, newSystems(t), nil) // without connections that may just have been closed
		if h2 {
			g.h2()
		}
		g.candidate.Close()
		if a := g.must(http.MethodPost, "p", "Prefer", "respond-async", "Idempotency-Key", "l", "X-Session", "s"); a.body != "baseline /orders p" {
			t.Errorf("%d %s", a.status, a.body)
		}
		if side, _ := g.accepted.Side("s", "POST /orders", "/orders", "l"); side != understudyv1.Side_SIDE_BASELINE {
			t.Errorf("the key leads to %v", side)
		}
		g.stop()
	}
}

// TestKeyOfTheCandidate: what the candidate has accepted or answered comes back to
// it, what was handed back to the baseline.
func TestKeyOfTheCandidate(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) { cancelable(c); c.Routes[0].AtRollback = "hand_back" })
	side := func(key string) understudyv1.Side {
		s, _ := g.accepted.Side("s", "POST /orders", "/orders", key)
		return s
	}
	g.must(http.MethodPost, "o", "Idempotency-Key", "k", "X-Session", "s")
	if side("k") != understudyv1.Side_SIDE_CANDIDATE {
		t.Errorf("it leads to %v", side("k"))
	}
	g.finish(-1)
	done := make(chan answer, 1)
	go func() {
		a, _ := g.ask(http.MethodPost, "p", "Idempotency-Key", "l", "X-Session", "s")
		done <- a
	}()
	g.until("accepted", func() bool { return g.ledger.Len() == 1 })
	if side("l") != understudyv1.Side_SIDE_CANDIDATE {
		t.Errorf("it leads to %v", side("l"))
	}
	g.door.rolledBack.Store(true)
	if a := <-done; a.status != 200 || side("l") != understudyv1.Side_SIDE_BASELINE {
		t.Errorf("%d, and the key leads to %v", a.status, side("l"))
	}
}

// told is a ResponseWriter that a recorder could be.
type told struct {
	http.ResponseWriter
	failure *understudyv1.TransportError
}

func (w *told) TransportError(e *understudyv1.TransportError) { w.failure = e }

// TestGoneIsNoAnswer: of a client that has left over HTTP/2 nobody may think that
// the candidate had answered it.
func TestGoneIsNoAnswer(t *testing.T) {
	g := newGate(t, newSystems(t), nil)
	g.finish(-1)
	ctx, leave := context.WithCancel(t.Context())
	in := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader("o"))
	in = in.WithContext(visit.With(ctx, g.door.EnterHTTP(in)))
	w := &told{ResponseWriter: httptest.NewRecorder()}
	done := make(chan struct{})
	go func() { defer close(done); g.face.ServeHTTP(w, in) }()
	g.until("accepted", func() bool { return g.ledger.Len() == 1 })
	leave()
	<-done
	if w.failure.GetKind() != understudyv1.TransportError_KIND_CANCELED {
		t.Errorf("recorded as if there were an answer: %v", w.failure)
	}
	g.finish(0)
	g.until("completed", func() bool { return g.ledger.Tally().GetCompleted() == 1 })
}

// replies is a topic in which the candidate answers what is posted to it.
type replies struct{ take func(target.Message) }

func (*replies) Produce(context.Context, string, target.Message) error { return nil }
func (r *replies) Subscribe(_ context.Context, _ string, take func(target.Message)) (func(), error) {
	r.take = take
	return func() {}, nil
}

// TestTopic: the candidate answers on Kafka, and none of the record's headers is
// the client's business.
func TestTopic(t *testing.T) {
	s, topic := newSystems(t), new(replies)
	s.topics = topic
	s.accept = func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Correlation-Id")
		go topic.take(target.Message{Key: []byte(id), Value: []byte(`{"order":"o"}`), Headers: []*understudyv1.Header{{Name: "replica", Value: []byte("7")}}})
		w.WriteHeader(http.StatusAccepted)
	}
	g := newGate(t, s, func(c *face.Config) {
		c.Completion.Channel = target.ChannelTopic
		c.Completion.Topic = target.Topic{Reply: "shop.replies", Correlate: target.Correlation{Send: target.Carrier{Header: "X-Correlation-Id"}, Keyed: true}}
	})
	if a := g.must(http.MethodPost, "o"); a.status != 201 || a.body != `{"order":"o"}` || a.header.Get("Content-Type") != "application/json" || a.header.Get("Replica") != "" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
	if c := g.visit().Completion; c.GetChannel() != "topic" {
		t.Errorf("recorded %v", c)
	}
}
