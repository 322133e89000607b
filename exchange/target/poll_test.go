package target_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestWhatPollsProve: the moments between which an operation ended.
func TestWhatPollsProve(t *testing.T) {
	type facts struct{ pending, asked bool }
	f := func(polls []func(http.ResponseWriter), want facts) {
		t.Helper()
		o, _ := drive(t, accept("Operation-Location: /op", polls...), nil)
		d := o.GetCompletion()
		if got := (facts{d.GetPendingNano() > 0, d.GetAskedNano() > 0}); got != want {
			t.Errorf("%s: pending %d, asked %d", summary(o), d.GetPendingNano(), d.GetAskedNano())
		}
		if want.asked && (d.GetPendingNano() >= d.GetAskedNano() || d.GetAskedNano() > d.GetServiceNano() || d.GetServiceNano() > d.GetLatencyNano()) {
			t.Errorf("%s: pending at %d, asked at %d, done at %d, after the schedule %d",
				summary(o), d.GetPendingNano(), d.GetAskedNano(), d.GetServiceNano(), d.GetLatencyNano())
		}
	}
	type polls = []func(http.ResponseWriter)
	f(polls{say(200, "x")}, facts{asked: true})
	f(polls{say(202, ""), say(200, "x")}, facts{pending: true, asked: true})
	f(polls{say(503, ""), say(200, "x")}, facts{asked: true}) // no word about the operation
	f(polls{say(202, "")}, facts{pending: true})
	f(polls{say(403, "")}, facts{})
	f(polls{say(303, "", "Location: /there"), say(200, "x")}, facts{asked: true})
	// What stands behind the link is the answer.
	f(polls{say(202, ""), say(200, `{"status":"done","resourceLocation":"/there"}`), say(202, "")}, facts{pending: true, asked: true})
}

// TestThePollsThatMustBe: one at the deadline, one at the timeout, whatever the
// pauses are.
func TestThePollsThatMustBe(t *testing.T) {
	f := func(ack string, polls []func(http.ResponseWriter), deadline time.Duration, want string) *understudyv1.Completion {
		t.Helper()
		answers := accept("", polls...)
		o, _ := drive(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				say(202, "", "Location: /op", ack)(w)
				return
			}
			answers(w, r)
		}, func(c *target.Config) {
			linger := time.Duration(0)
			c.Completion.Timeout, c.Completion.Linger, c.Completion.Deadline = 200*time.Millisecond, &linger, deadline
			c.Completion.PollInterval, c.Completion.PollMax = time.Hour, time.Hour
		})
		d := o.GetCompletion()
		if got := fmt.Sprint(summary(o), " polls ", d.GetPolls()); got != want {
			t.Errorf("%s: got %q, want %q", ack, got, want)
		}
		return d
	}
	type polls = []func(http.ResponseWriter)
	d := f("X: y", polls{say(200, "x")}, 0, "poll 200 x polls 1")
	if d.GetAskedNano() < int64(200*time.Millisecond) {
		t.Errorf("asked after %d", d.GetAskedNano())
	}
	f("X: y", polls{say(202, "")}, 0, "none timeout polls 1")
	f("X: y", polls{say(303, "", "Location: /there"), say(200, "x")}, 0, "poll 200 x polls 1")
	f("Operation-Location: /op", polls{say(200, `{"status":"done","resourceLocation":"/there"}`), say(200, "x")}, 0, "poll 200 x polls 2")
	d = f("X: y", polls{say(202, ""), say(200, "x")}, 50*time.Millisecond, "poll 200 x polls 2")
	if d.GetPendingNano() <= d.GetDeadlineNano() {
		t.Errorf("pending at %d does not prove that it is late", d.GetPendingNano())
	}
	// The candidate's own wish comes before our curiosity.
	f("Retry-After: 9", polls{say(202, ""), say(200, "x")}, 50*time.Millisecond, "none timeout polls 1")
	f("X: y", polls{say(202, "", "Retry-After: 9"), say(200, "x")}, 50*time.Millisecond, "poll 200 x polls 2")
}

// TestRetryAfterOfTheAcknowledgement holds for the first poll, though ours
// would come sooner.
func TestRetryAfterOfTheAcknowledgement(t *testing.T) {
	o, _ := drive(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			say(202, "", "Location: /op", "Retry-After: 0.1")(w)
			return
		}
		say(200, "x")(w)
	}, nil)
	if d := o.GetCompletion(); summary(o) != "poll 200 x" || d.GetAskedNano() < int64(100*time.Millisecond) {
		t.Errorf("%s asked after %d", summary(o), d.GetAskedNano())
	}
}

// TestAnOperationAtAPlainLocation is told from the answer by what the other
// system had answered.
func TestAnOperationAtAPlainLocation(t *testing.T) {
	f := func(status int, body, want string) {
		t.Helper()
		polls := accept("Location: /op", say(200, `{"status":"Running"}`), say(200, body))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				say(status, "", "Location: /op")(w)
				return
			}
			polls(w, r)
		}))
		defer server.Close()
		client, stop := newClient(t, server.URL, nil)
		defer stop()
		o, _ := client.Do(t.Context(), target.Request{
			HTTP: post(client), Route: "POST /orders/{id}", Scheduled: time.Now(), Sent: func(time.Time) {},
			Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) {},
			Recorded: &understudyv1.Response{Status: 200, Body: message.BodyOf([]byte(`{"rows":7}`))},
		})
		if got := summary(o); got != want {
			t.Errorf("%d %s: got %q, want %q", status, body, got, want)
		}
	}
	f(202, `{"rows":7}`, `poll 200 {"rows":7}`)
	f(202, `{"status":"Failed"}`, `poll 200 {"status":"Failed"} failed`)
	f(202, `{"status":"Done","result":{"rows":7}}`, `poll 200 {"rows":7}`)
	// What was created is where the Location says, whatever its state.
	f(201, `{"status":"Running"}`, `poll 200 {"status":"Running"}`)
}
