package target_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// routes answers by path; the POST is answered with 202 and the headers.
func routes(ack []string, paths map[string]func(http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			say(http.StatusAccepted, "", ack...)(w)
			return
		}
		if answer := paths[r.URL.Path]; answer != nil {
			answer(w)
			return
		}
		w.WriteHeader(http.StatusGone)
	}
}

// once answers with the first, then with the last again and again.
func once(answers ...func(http.ResponseWriter)) func(http.ResponseWriter) {
	var n atomic.Int32
	return func(w http.ResponseWriter) { answers[min(int(n.Add(1))-1, len(answers)-1)](w) }
}

// TestWhereTheResultIs: the conventions about where a finished operation keeps
// its result.
func TestWhereTheResultIs(t *testing.T) {
	f := func(h http.HandlerFunc, want string) {
		t.Helper()
		o, _ := drive(t, h, nil)
		if got := summary(o); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	type paths = map[string]func(http.ResponseWriter)
	order := say(200, `{"id":1}`)
	both := []string{"Operation-Location: /op", "Location: /order"}
	f(routes(both, paths{"/op": say(200, `{"status":"Succeeded"}`), "/order": order}), `poll 200 {"id":1}`)
	f(routes(both, paths{"/op": say(200, `{"status":"Succeeded","result":{"n":1}}`), "/order": order}), `poll 200 {"n":1}`)
	f(routes(both, paths{"/op": say(200, `{"status":"Failed"}`), "/order": order}), `poll 200 {"status":"Failed"} failed`)
	f(routes(both[:1], paths{"/op": say(200, `{"status":"succeeded","result":null,"resourceLocation":"/order"}`), "/order": order}), `poll 200 {"id":1}`)
	f(routes(both[:1], paths{"/op": say(200, `{"status":"succeeded","resourceLocation":"http://example.com/"}`)}), "none location_refused")
	// A resource that merely has a status is not an operation.
	f(routes([]string{"Location: /order"}, paths{"/order": say(200, `{"status":"done","result":{"n":1}}`)}), `poll 200 {"status":"done","result":{"n":1}}`)
	f(routes([]string{"Location: /op"}, paths{"/op": say(302, "", "Location: /order"), "/order": order}), `poll 200 {"id":1}`)
	f(routes([]string{"Location: /op"}, paths{"/op": say(307, "", "Location: /op2"), "/op2": say(301, "", "Location: /order"), "/order": order}), `poll 200 {"id":1}`)
	f(routes([]string{"Location: /op"}, paths{"/op": say(302, "", "Location: /op")}), "poll 302 ")
	// What a redirect of the monitor itself leads to is the monitor.
	f(routes([]string{"Operation-Location: /op"}, paths{"/op": say(308, "", "Location: /moved"), "/moved": once(say(200, `{"status":"Running"}`), say(200, `{"status":"Failed"}`))}), `poll 200 {"status":"Failed"} failed`)
	f(routes([]string{"Operation-Location: /op"}, paths{"/op": say(308, "", "Location: /op")}), "none timeout")
	// A link to the result is the answer, whatever it answers.
	for _, status := range []int{202, 302, 403, 404, 429, 500, 503} {
		f(routes(both, paths{"/op": say(200, `{"status":"Succeeded"}`), "/order": say(status, "x", "Location: /elsewhere")}), fmt.Sprintf("poll %d x", status))
	}
	// What the monitor leads to goes on living: that is not a contradiction.
	var asked atomic.Int32
	living := func(w http.ResponseWriter) { say(200, fmt.Sprint(asked.Add(1)))(w) }
	f(routes([]string{"Location: /op"}, paths{"/op": say(303, "", "Location: /order"), "/order": living}), "poll 200 1")
	f(routes([]string{`Link: </a,b>; rel="next", </op?x=1,2>; title="x"; rel="up Status"`}, paths{"/op": order}), `poll 200 {"id":1}`)
	f(routes([]string{"Location: /op"}, paths{"/op": say(409, "no")}), "poll 409 no")
	f(routes([]string{"Operation-Location: /op"}, paths{}), "none poll_failed")
}

// TestResultLink: the user says where in the document the result's address is.
// The result may link on, to things that are no result.
func TestResultLink(t *testing.T) {
	f := func(job, want string) {
		t.Helper()
		type paths = map[string]func(http.ResponseWriter)
		h := routes([]string{"Location: /job"}, paths{
			"/job": say(200, job), "/result": say(200, `{"links":[{"href":"/job"}],"n":1}`),
		})
		o, _ := drive(t, h, func(cfg *target.Config) {
			cfg.Completion.Failed = operation.Condition{Pointer: "/status", Values: []string{"failed"}}
			cfg.Completion.ResultLink = "/links/0/href"
		})
		if got := summary(o); got != want {
			t.Errorf("%s: got %q, want %q", job, got, want)
		}
	}
	f(`{"status":"ok","links":[{"href":"/result"}]}`, `poll 200 {"links":[{"href":"/job"}],"n":1}`)
	f(`{"status":"failed","links":[{"href":"/result"}]}`, `poll 200 {"status":"failed","links":[{"href":"/result"}]} failed`)
	f(`{"status":"ok","links":[{"href":"http://example.com/"}]}`, "none location_refused")
	for _, none := range []string{`{"links":[]}`, `{"links":[{"href":""}]}`, `{"links":[{"href":7}]}`, `"links"`} {
		f(none, "poll 200 "+none)
	}
}

func TestCreatedAndNotDone(t *testing.T) {
	f := func(status int, ack, headers, want string, change func(*target.Config)) {
		t.Helper()
		o, _ := drive(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				say(status, ack, strings.Split("Location: /op\n"+headers, "\n")...)(w)
				return
			}
			say(200, "polled")(w)
		}, change)
		if got := summary(o); got != want {
			t.Errorf("%d %s: got %q, want %q", status, ack, got, want)
		}
	}
	f(201, `{"id":1}`, "", "immediate 201", nil)
	f(201, "", "", "poll 200 polled", nil)
	f(201, `{"id":1}`, "Retry-After: 0", "poll 200 polled", nil)
	f(201, `{"name":"op/1","done":false}`, "", "poll 200 polled", nil)
	f(200, `{"id":1}`, "", "immediate 200", nil)
	accepted := func(channel string) func(*target.Config) {
		return func(c *target.Config) {
			c.Routes = []target.Route{{Route: "POST /orders/{id}", Completion: target.Completion{
				Channel: channel, Conventions: operation.Conventions{Accepted: []uint32{200, 201}},
			}}}
		}
	}
	f(200, `{"id":1}`, "", "poll 200 polled", accepted(target.ChannelPoll))
	f(201, `{"id":1}`, "", "poll 200 polled", accepted(target.ChannelAuto))
	f(200, `{"id":1}`, "", "none timeout", accepted(target.ChannelCallback))
	f(204, "", "", "immediate 204", accepted(target.ChannelCallback))
}

// TestPollsBearTheClientsCredentials, but not what belongs to its request.
func TestPollsBearTheClientsCredentials(t *testing.T) {
	var mu sync.Mutex
	var polled http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			say(http.StatusAccepted, "", "Location: /op")(w)
			return
		}
		mu.Lock()
		polled = r.Header.Clone()
		mu.Unlock()
	}))
	defer server.Close()
	client, stop := newClient(t, server.URL, func(c *target.Config) { c.Headers = map[string]string{"X-Own": "1"} })
	defer stop()
	q := post(client)
	q.Header = http.Header{"X-Api-Key": {"k"}, "Content-Type": {"text/plain"}, "Idempotency-Key": {"i"}, "X-Idempotency-Key": {"i"}, "If-Match": {"e"}, "Accept-Encoding": {"gzip"}}
	observe(t, client, q, "x")
	mu.Lock()
	defer mu.Unlock()
	if polled.Get("X-Api-Key") != "k" || polled.Get("X-Own") != "1" || polled.Get("Understudy-Run") != "r" {
		t.Errorf("the poll lacks a field: %v", polled)
	}
	for _, name := range []string{"Content-Type", "Idempotency-Key", "X-Idempotency-Key", "If-Match", "Accept-Encoding"} {
		if polled.Get(name) != "" {
			t.Errorf("the poll has %s: %v", name, polled)
		}
	}
}

// TestACompletionOutlivesAnInterruption: what came before the run was
// interrupted is evidence, though nobody watched for a second completion.
func TestACompletionOutlivesAnInterruption(t *testing.T) {
	server := httptest.NewServer(accept("Location: /op", say(200, "done")))
	defer server.Close()
	client, stop := newClient(t, server.URL, func(c *target.Config) {
		long := time.Hour
		c.Completion.Linger, c.Completion.Timeout = &long, 2*time.Hour
	})
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o, ok := client.Do(ctx, target.Request{
		HTTP: post(client), Route: "POST /orders/{id}", Scheduled: time.Now(), Sent: func(time.Time) {},
		Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) { cancel() },
	})
	if got := summary(o); !ok || got != "poll 200 done" {
		t.Errorf("ok %v, got %q", ok, got)
	}
}

func TestUnorderedRoutesGiveNoEvidence(t *testing.T) {
	f := func(unordered bool, want int) {
		t.Helper()
		server := httptest.NewServer(accept("Location: /op", say(200, "done")))
		defer server.Close()
		client, stop := newClient(t, server.URL, func(c *target.Config) { c.Completion.Unordered = unordered })
		defer stop()
		order := target.NewOrder(time.Millisecond, nil)
		first := order.Begin("s", "e1", 0, 10)
		target.Acknowledge(first)
		second := order.Begin("s", "e2", 10, 20)
		_, ok := client.Do(t.Context(), target.Request{
			HTTP: post(client), Route: "POST /orders/{id}", Turn: second, Scheduled: time.Now(),
			Sent: func(time.Time) {}, Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) {},
		})
		later := time.Now().Add(time.Second)
		target.Pending(first, later)
		target.End(first, later)
		if got := second.Overtook(nil); !ok || len(got) != want {
			t.Errorf("unordered %v: overtook %v", unordered, got)
		}
	}
	f(false, 1)
	f(true, 0)
}
