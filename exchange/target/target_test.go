package target_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drive sends one POST to a candidate and gives its observation.
func drive(t *testing.T, handler http.HandlerFunc, change func(*target.Config), body ...string) (*understudyv1.Observation, []*understudyv1.Orphan) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	c := target.DefaultConfig()
	linger := 20 * time.Millisecond
	c.URL, c.Run, c.Completion.Timeout, c.Completion.Linger, c.Completion.PollInterval = server.URL, "r", 400*time.Millisecond, &linger, 2*time.Millisecond
	if change != nil {
		change(&c)
	}
	var mu sync.Mutex
	var orphans []*understudyv1.Orphan
	client, err := target.New(c, func(o *understudyv1.Orphan) { mu.Lock(); defer mu.Unlock(); orphans = append(orphans, o) },
		slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	stop, err := client.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	u, _ := url.Parse(server.URL)
	u.Opaque = "/orders/1"
	req := &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: http.Header{}}
	o, ok := client.Do(t.Context(), target.Request{
		HTTP: req, Body: []byte(strings.Join(body, "")), Route: "POST /orders/{id}", Scheduled: time.Now(), Sent: func(time.Time) {}, Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) {},
	})
	if !ok {
		t.Fatal("interrupted")
	}
	mu.Lock()
	defer mu.Unlock()
	return o, orphans
}

// summary is what the observation came to.
func summary(o *understudyv1.Observation) string {
	d := o.GetCompletion()
	switch {
	case o.GetError() != nil:
		return "error " + strings.TrimPrefix(o.GetError().GetKind().String(), "KIND_")
	case d == nil:
		return fmt.Sprint("refused ", o.GetAck().GetStatus())
	case d.GetSeen() == 0:
		return "none " + d.GetReason()
	case d.GetChannel() == understudyv1.Channel_CHANNEL_IMMEDIATE:
		return fmt.Sprint("immediate ", o.GetAck().GetStatus())
	}
	s := fmt.Sprintf("%s %d %s", strings.ToLower(strings.TrimPrefix(d.GetChannel().String(), "CHANNEL_")), d.GetPayload().GetStatus(), d.GetPayload().GetBody().GetContent())
	if d.GetFailed() {
		s += " failed"
	}
	if d.GetSeen() > 1 {
		s += fmt.Sprintf(" seen %d", d.GetSeen())
	}
	for _, again := range d.GetLater() {
		if s += " again"; again.GetPayload() != nil {
			s += " " + string(again.GetPayload().GetBody().GetContent())
		}
		if again.GetFailed() {
			s += " failed"
		}
	}
	return s
}

// accept answers the POST with 202 and a header, and polls with answers in
// turn, the last one again and again.
func accept(header string, polls ...func(http.ResponseWriter)) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			name, value, _ := strings.Cut(header, ": ")
			w.Header().Set(name, value)
			w.WriteHeader(http.StatusAccepted)
			return
		}
		i := min(int(n.Add(1))-1, len(polls)-1)
		polls[i](w)
	}
}

func say(status int, body string, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestAutomaticCompletion(t *testing.T) {
	f := func(h http.HandlerFunc, want string) {
		t.Helper()
		o, _ := drive(t, h, nil)
		if got := summary(o); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	once := func(status int, body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { say(status, body, headers...)(w) }
	}
	f(once(200, "x"), "immediate 200")
	f(once(409, "x"), "refused 409")
	f(once(202, "x"), "immediate 202") // no way to learn more
	f(once(201, `{"id":1}`, "Location: /orders/1"), "immediate 201")
	f(once(302, "", "Location: /elsewhere"), "immediate 302")
	f(accept("Location: /op", say(202, ""), say(200, "done")), "poll 200 done")
	f(accept("Location: op", say(200, "relative")), "poll 200 relative")
	f(accept(`Link: </op>; rel="status"`, say(200, "linked")), "poll 200 linked")
	f(accept("Operation-Location: /op", say(200, `{"status":"Running"}`), say(200, `{"status":"Succeeded"}`)), `poll 200 {"status":"Succeeded"}`)
	f(accept("Operation-Location: /op", say(200, `{"status":"failed"}`)), `poll 200 {"status":"failed"} failed`)
	f(accept("Location: /op", say(200, `{"name":"op/1","done":false}`), say(200, `{"name":"op/1","done":true,"response":{"n":9007199254740993}}`)), `poll 200 {"n":9007199254740993}`)
	f(accept("Location: /op", say(200, `{"name":"op/1","done":true,"error":{"code":5}}`)), `poll 200 {"code":5} failed`)
	f(accept("Location: /op", say(303, "", "Location: /result"), say(200, "there")), "poll 200 there")
	f(accept("Location: /op", say(404, ""), say(500, ""), say(200, "at last")), "poll 200 at last")
	f(accept("Location: /op", say(403, "")), "none poll_failed")
	f(accept("Location: /op", say(202, "")), "none timeout")
	f(accept("Location: /op", say(200, "a"), say(200, "b")), "poll 200 a seen 2 again b")
	f(accept("Location: /op", say(200, `{"a":1,"b":2}`), say(200, `{"b":2,"a":1}`)), `poll 200 {"a":1,"b":2} seen 2 again {"b":2,"a":1}`)
	f(accept("Location: /op", say(200, "a"), say(202, "")), "poll 200 a") // nor is a step back one
	f(accept("Location: /op", say(408, "x"), say(425, "x"), say(409, "x", "Retry-After: 0"), say(409, "no")), "poll 409 no")
}

func TestHostileLocations(t *testing.T) {
	f := func(location string) {
		t.Helper()
		o, _ := drive(t, accept("Location: "+location, say(200, "done")), nil)
		if got := summary(o); got != "none location_refused" {
			t.Errorf("%.60s: got %q", location, got)
		}
	}
	f("http://127.0.0.1:1/op")
	f("http://example.com/op")
	f("//example.com/op")
	f("ftp://127.0.0.1/op")
	f("http://user:secret@127.0.0.1/op")
	f("file:///etc/passwd")
	f("http://[::1")
	f("/" + strings.Repeat("x", 9<<10))
	o, _ := drive(t, accept("Location: /op", say(303, "", "Location: http://127.0.0.1:1/x")), nil)
	if got := summary(o); got != "none location_refused" {
		t.Errorf("by way of 303: got %q", got)
	}
}

func TestPolicyReadsTheOperation(t *testing.T) {
	o, _ := drive(t, accept("Location: /op", say(200, `{"state":"busy"}`), say(200, `{"state":"over","code":409,"out":{"n":1.10}}`)), func(c *target.Config) {
		c.Routes = []target.Route{{Route: "POST /orders/*", Completion: target.Completion{
			Channel: target.ChannelPoll, Deadline: time.Second, Conventions: operation.Conventions{
				Pending: operation.Condition{Pointer: "/state", Values: []string{"busy"}}, Envelope: operation.Envelope{Status: "/code", Result: "/out"},
			},
		}}}
	})
	if got, want := summary(o), `poll 409 {"n":1.10}`; got != want || o.GetCompletion().GetDeadlineNano() != int64(time.Second) {
		t.Errorf("got %q, %d, want %q", got, o.GetCompletion().GetDeadlineNano(), want)
	}
}

func TestCallbacks(t *testing.T) {
	f := func(bodies []string, want string, wantOrphans int) {
		t.Helper()
		var calls sync.WaitGroup
		o, orphans := drive(t, func(w http.ResponseWriter, r *http.Request) {
			to := r.Header.Get("Callback-Url")
			w.WriteHeader(http.StatusAccepted)
			calls.Go(func() {
				for _, b := range bodies {
					at := to
					if b == "orphan" {
						at = to + "x"
					}
					resp, err := http.Post(at, "application/json", strings.NewReader(b))
					if err != nil {
						return // the run is over
					}
					resp.Body.Close()
				}
				http.DefaultClient.CloseIdleConnections()
			})
		}, func(c *target.Config) { c.Completion.Channel = target.ChannelCallback })
		calls.Wait()
		if got := summary(o); got != want || len(orphans) != wantOrphans {
			t.Errorf("%v: got %q and %d orphans, want %q and %d", bodies, got, len(orphans), want, wantOrphans)
		}
	}
	f([]string{`{"a":1}`}, `callback 200 {"a":1}`, 0)
	f([]string{`{"status":"running"}`, `{"a":1}`}, `callback 200 {"a":1}`, 0)
	f([]string{`{"a":1}`, `{ "a": 1 }`}, `callback 200 {"a":1} seen 2 again { "a": 1 }`, 0)
	f([]string{`{"a":1}`, `{"a":2}`}, `callback 200 {"a":1} seen 2 again {"a":2}`, 0)
	f([]string{"orphan", `{"a":1}`}, `callback 200 {"a":1}`, 1)
	f(nil, "none timeout", 0)
}

func TestTransportErrors(t *testing.T) {
	abort := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	o, _ := drive(t, abort, nil)
	if got := summary(o); got != "error RESET" {
		t.Errorf("got %q", got)
	}
	o, _ = drive(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(c *target.Config) { c.Timeout = 50 * time.Millisecond })
	if got := summary(o); got != "error TIMEOUT" {
		t.Errorf("got %q", got)
	}
	o, _ = drive(t, func(http.ResponseWriter, *http.Request) {}, func(c *target.Config) { c.URL = "http://127.0.0.1:1" })
	if got := summary(o); got != "immediate 200" { // the request carries its own address
		t.Errorf("got %q", got)
	}
}

func TestBodiesAreBoundedAndHashed(t *testing.T) {
	o, _ := drive(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 5000)) },
		func(c *target.Config) { c.CaptureLimit = 100 })
	b := o.GetAck().GetBody()
	if len(b.GetContent()) != 100 || b.GetLength() != 5000 || !b.GetTruncated() || len(b.GetSha256()) != 32 {
		t.Errorf("kept %d of %d, truncated %v, %d bytes of hash", len(b.GetContent()), b.GetLength(), b.GetTruncated(), len(b.GetSha256()))
	}
}

// TestOrderIsProved: only a poll that was sent after the later request was
// complete, and said "pending", counts.
func TestOrderIsProved(t *testing.T) {
	order := target.NewOrder(time.Millisecond, nil)
	first := order.Begin("s", "e1", 0, 10)
	unknown := order.Begin("s", "e0", 0, 10) // sent, and not acknowledged
	target.Acknowledge(first)
	overlapping := order.Begin("s", "e2", 5, 20)
	second := order.Begin("s", "e3", 10, 30)
	other := order.Begin("t", "e4", 100, 110)
	now := time.Now()
	target.End(second, now)
	target.End(overlapping, now)
	target.End(other, now)
	target.Pending(first, now.Add(time.Millisecond))
	target.End(first, now.Add(2*time.Millisecond))
	target.End(unknown, now.Add(time.Hour))
	f := func(turn *target.Turn, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, turn.Overtook(nil)); diff != "" {
			t.Error(diff)
		}
	}
	f(second, "e1")
	f(overlapping) // it began before the baseline had finished e1
	f(other)       // another session
	f(first)
	lost := order.Begin("s", "e5", 40, 50)
	target.Acknowledge(lost)
	after := order.Begin("s", "e6", 50, 60)
	target.End(after, now)
	lost.Forget() // never completed: that is its own verdict
	f(after)
}

func TestDoEndsWithItsContext(t *testing.T) {
	server := httptest.NewServer(accept("Location: /op", say(202, "")))
	defer server.Close()
	c := target.DefaultConfig()
	c.URL, c.Run = server.URL, "r"
	client, err := target.New(c, func(*understudyv1.Orphan) {}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	stop, err := client.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	u := client.Base()
	u.Opaque = "/orders/1"
	_, ok := client.Do(ctx, target.Request{
		HTTP:  &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: http.Header{}},
		Route: "POST /orders/{id}", Scheduled: time.Now(), Sent: func(time.Time) {}, Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) {},
	})
	if ok {
		t.Error("an interrupted observation counts as complete")
	}
}

func TestValidate(t *testing.T) {
	c := target.DefaultConfig()
	c.URL = "http://user:secret@host:1"
	c.Completion.Channel, c.Completion.Status = "pigeon", "status"
	c.Routes = []target.Route{{}, {Route: "POST /["}}
	err := c.Validate()
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, part := range []string{"credentials", "pigeon", `"status"`, "routes[0]", `routes[1].route: "POST /["`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a secret is repeated: %v", err)
	}
}
