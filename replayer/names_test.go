package replayer_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// call is an exchange of JSON: after at milliseconds of the recording.
func call(id, session string, at int, request, sent, answer string) *understudyv1.Exchange {
	return exchange(0, func(e *understudyv1.Exchange) {
		method, target, _ := strings.Cut(request, " ")
		e.Id, e.Session, e.StartUnixNano = id, session, int64(at)*int64(time.Millisecond)
		e.Request.Method, e.Request.Target = method, []byte(target)
		e.Request.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}
		e.Request.Body = &understudyv1.Body{Content: []byte(sent), Length: int64(len(sent))}
		e.Response.Body = &understudyv1.Body{Content: []byte(answer), Length: int64(len(answer))}
		if method == http.MethodPost {
			e.Response.Status = http.StatusCreated
		}
	})
}

// seen keeps what a candidate was asked.
type seen struct {
	mu   sync.Mutex
	list []string
}

func (s *seen) add(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	line := strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, line)
	return line
}

func (s *seen) has(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.list, line)
}

// TestARequestWaitsForTheNameThatItNeeds: the candidate takes longer to make an
// order than the user took to delete it. Nobody else waits, nor does the time
// count as the candidate's or as a lag.
func TestARequestWaitsForTheNameThatItNeeds(t *testing.T) {
	const slow = 150 * time.Millisecond
	src := &source{list: []*understudyv1.Exchange{
		call("make", "s", 0, "POST /orders", `{"amount":10000}`, `{"id":10000,"amount":10000}`),
		call("pay", "s", 2, "POST /payments", `{"order_id":10000,"amount":10000}`, `{"id":3}`),
		call("other", "t", 3, "GET /orders", ``, `[]`),
		call("drop", "s", 4, "DELETE /orders/10000", ``, `{}`),
		call("foreign", "t", 5, "GET /orders/10000", ``, `{}`),
	}}
	var asked seen
	out := &sink{}
	run, err := replay(t.Context(), t, src, out, func(w http.ResponseWriter, r *http.Request) {
		if asked.add(r) == `POST /orders {"amount":10000}` {
			time.Sleep(slow)
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id":"o-20000","amount":10000}`)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}, func(c *replayer.Config) { c.LagBudget = slow / 2 })
	if err != nil || run.Replayed != 5 {
		t.Errorf("%v, %v", err, run)
	}
	for _, line := range []string{`POST /payments {"order_id":"o-20000","amount":10000}`, `DELETE /orders/o-20000`, `GET /orders/o-20000`, `GET /orders`} {
		if !asked.has(line) {
			t.Errorf("not asked for %s, but %q", line, asked.list)
		}
	}
	for _, r := range out.replays {
		held := map[string]bool{"pay": true, "drop": true, "foreign": true}[r.Exchange.Id]
		if isHeld := r.HeldNano > int64(slow/2); isHeld != held || r.Candidate.GetAckLatencyNano() > int64(slow/2) != (r.Exchange.Id == "make") {
			t.Errorf("%s was held %s, latency %s", r.Exchange.Id, time.Duration(r.HeldNano), time.Duration(r.Candidate.GetAckLatencyNano()))
		}
		if lag := r.SentUnixNano - r.ScheduledUnixNano; lag < 0 || lag > int64(slow/2) || len(r.Moments) != 1 {
			t.Errorf("%s has lag %d, moments %v", r.Exchange.Id, lag, r.Moments)
		}
	}
}

// TestWhatNeedsALostNameIsNotSent, and is counted.
func TestWhatNeedsALostNameIsNotSent(t *testing.T) {
	f := func(answer http.HandlerFunc, change func(*replayer.Config), why string) {
		t.Helper()
		src := &source{list: []*understudyv1.Exchange{
			call("make", "s", 0, "POST /orders", `{}`, `{"id":17}`),
			call("drop", "s", 1, "DELETE /orders/17", ``, `{}`),
			call("list", "s", 2, "GET /orders", ``, `[]`),
		}}
		var asked seen
		out := &sink{}
		run, err := replay(t.Context(), t, src, out, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(asked.add(r), "POST") {
				answer(w, r)
			}
		}, change)
		if err != nil || run.Skipped["unresolved"] != 1 || asked.has("DELETE /orders/17") {
			t.Errorf("%v, skipped %v, asked %q", err, run.Skipped, asked.list)
		}
		for _, r := range out.replays {
			if want := fmt.Sprintf("order %q of exchange make: %s", "17", why); r.Skipped != "" && (r.SkippedDetail != want || r.SentUnixNano != 0) {
				t.Errorf("got %q, want %q", r.SkippedDetail, want)
			}
		}
	}
	f(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }, nil, "the candidate did not do that exchange")
	f(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, "the candidate did not do that exchange")
	f(func(http.ResponseWriter, *http.Request) {}, nil, "the candidate's answers do not hold it, and no pair is known")
	f(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/operations/1")
		w.WriteHeader(http.StatusAccepted)
	}, func(c *replayer.Config) {
		c.Completion.Timeout, c.Completion.Channel, c.Completion.Linger = 100*time.Millisecond, "callback", new(time.Duration)
	}, "the candidate did not do that exchange")
}

// TestNothingIsReplacedWhenValuesAreKept.
func TestNothingIsReplacedWhenValuesAreKept(t *testing.T) {
	src := &source{list: []*understudyv1.Exchange{
		call("make", "s", 0, "POST /orders", `{}`, `{"id":17}`), call("drop", "s", 50, "DELETE /orders/17", ``, `{}`),
	}}
	var asked seen
	run, err := replay(t.Context(), t, src, &sink{}, func(w http.ResponseWriter, r *http.Request) {
		asked.add(r)
		_, _ = io.WriteString(w, `{"id":18}`)
	}, func(c *replayer.Config) { c.KeepValues = true })
	if err != nil || run.Replayed != 2 || !asked.has("DELETE /orders/17") {
		t.Errorf("%v, %v, asked %q", err, run.Skipped, asked.list)
	}
}
