package replayer_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// server is a system that keeps what it was asked.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func newServer(t *testing.T, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Clone(r.Context()))
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) targets() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.seen {
		out = append(out, r.RequestURI)
	}
	slices.Sort(out)
	return out
}

func many(n int, change ...func(*understudyv1.Exchange)) *source {
	src := &source{}
	for i := range n {
		src.list = append(src.list, exchange(i, change...))
	}
	return src
}

func withControl(s *server, share float64, change ...func(*replayer.Config)) func(*replayer.Config) {
	return func(c *replayer.Config) {
		c.Control.URL, c.Control.Share, c.Control.PerRoute = s.URL, share, 0
		for _, f := range change {
			f(c)
		}
	}
}

// TestControl: a share of the replays asks the baseline again, as recorded, the
// same ones whenever the run is repeated, and the candidate's books are what
// they are without.
func TestControl(t *testing.T) {
	var before []string
	for range 2 {
		baseline := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
		out := &sink{}
		run, err := replay(t.Context(), t, many(400, func(e *understudyv1.Exchange) {
			e.Request.Authority = "shop.example"
			e.Request.Headers = []*understudyv1.Header{{Name: "X-Kept", Value: []byte("1")}, {Name: "X-Gone", Value: []byte("1")}, {Name: "Traceparent", Value: []byte("00-1-2-01")}}
		}), out, ok, withControl(baseline, 0.1, func(c *replayer.Config) {
			c.Speed, c.Headers = 0.5, map[string]string{"X-Candidate": "secret"} // slow enough for a busy machine
			c.Control.Headers = map[string]string{"X-Control": "secret", "X-Gone": ""}
		}))
		asked := baseline.targets()
		if err != nil || run.Replayed != 400 || run.Controlled != uint64(len(asked)) || len(run.Uncontrolled) != 0 || run.Completed["immediate"] != 400 {
			t.Errorf("%v, %v", err, run)
		}
		if len(asked) < 25 || len(asked) > 60 {
			t.Errorf("%d of 400 were controlled, want a tenth", len(asked))
		}
		if before != nil && !cmp.Equal(before, asked) {
			t.Errorf("the choice changes: %s", cmp.Diff(before, asked))
		}
		before = asked
		for _, r := range baseline.seen {
			h := r.Header
			if h.Get("Understudy-Control") != "r" || h.Get("Understudy-Run") != "" || h.Get("Idempotency-Key") != "" || h.Get("X-Candidate") != "" ||
				h.Get("X-Control") != "secret" || len(h["X-Gone"]) > 0 || h.Get("X-Kept") != "1" || h.Get("Traceparent") == "00-1-2-01" || r.Host != "shop.example" {
				t.Fatalf("asked with %s %v", r.Host, h)
			}
		}
		controlled := 0
		for _, r := range out.replays {
			if r.Control == nil {
				continue
			}
			controlled++
			if r.Control.Ack.GetStatus() != http.StatusTeapot || r.Control.Completion != nil || r.Candidate.Ack.GetStatus() != http.StatusOK ||
				r.ControlSentUnixNano < r.SentUnixNano || r.ControlAuthority != "shop.example" || r.ControlScheme != "http" || r.CandidateScheme != "http" {
				t.Errorf("%v", r)
			}
		}
		if controlled != len(asked) {
			t.Errorf("%d records have the control's answer, want %d", controlled, len(asked))
		}
	}
}

// TestAControlThatCannotBeAsked is counted, and takes nothing from the run.
func TestAControlThatCannotBeAsked(t *testing.T) {
	f := func(want map[string]uint64, baseline *server, share float64, change func(*understudyv1.Exchange), more ...func(*replayer.Config)) {
		t.Helper()
		out := &sink{}
		run, err := replay(t.Context(), t, many(20, change), out, ok, withControl(baseline, share, more...))
		if diff := cmp.Diff(want, run.Uncontrolled); diff != "" || err != nil || run.State != understudyv1.Run_STATE_COMPLETED || run.Replayed != 20 {
			t.Errorf("%v, %v\n%s", err, run, diff)
		}
		for _, r := range out.replays {
			if (r.Control != nil) != (len(want) == 0 && run.Controlled > 0) {
				t.Errorf("control %v", r.Control)
			}
		}
	}
	none := func(*understudyv1.Exchange) {}
	dead := newServer(t, ok)
	dead.Close()
	f(map[string]uint64{"connect": 20}, dead, 1, none)
	hangs := newServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	f(map[string]uint64{"timeout": 2, "in_flight_limit": 18}, hangs, 1, none, func(c *replayer.Config) { c.InFlight, c.Timeout = 20, time.Second })
	baseline := newServer(t, ok)
	redacted := func(place understudyv1.Redaction_Place) func(*understudyv1.Exchange) {
		return func(e *understudyv1.Exchange) {
			e.Redactions = []*understudyv1.Redaction{{Place: place, Name: "x-key"}}
		}
	}
	f(map[string]uint64{"redacted": 20}, baseline, 1, redacted(understudyv1.Redaction_PLACE_REQUEST_HEADER))
	f(map[string]uint64{"redacted": 20}, baseline, 1, redacted(understudyv1.Redaction_PLACE_REQUEST_BODY))
	f(map[string]uint64{"method_not_safe": 20}, baseline, 1, func(e *understudyv1.Exchange) { e.Request.Method = "POST" }, func(c *replayer.Config) { c.Isolated = true })
	f(map[string]uint64{}, baseline, 0, none)
	if asked := baseline.targets(); len(asked) != 0 {
		t.Errorf("asked %v", asked)
	}
	f(map[string]uint64{}, baseline, 1, redacted(understudyv1.Redaction_PLACE_REQUEST_HEADER), func(c *replayer.Config) { c.Control.Headers = map[string]string{"X-Key": "own"} })
	f(map[string]uint64{}, baseline, 1, redacted(understudyv1.Redaction_PLACE_RESPONSE_BODY))

	// Each header that redaction took is to be given, and nothing else.
	two := func(e *understudyv1.Exchange) {
		e.Redactions = []*understudyv1.Redaction{
			{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "cookie"}, {Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "x-session-id"},
		}
	}
	given := func(headers map[string]string) func(*replayer.Config) {
		return func(c *replayer.Config) { c.Control.Headers = headers }
	}
	f(map[string]uint64{"redacted": 20}, baseline, 1, two, given(map[string]string{"Cookie": ""}))
	f(map[string]uint64{}, baseline, 1, two, given(map[string]string{"Cookie": "", "X-Session-Id": ""}))
}

// TestAnInterruptedControl: it has answered, but nobody saw how its replay ends.
func TestAnInterruptedControl(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	control := newServer(t, func(http.ResponseWriter, *http.Request) { close(asked) })
	out := &sink{}
	run, err := replay(ctx, t, many(1), out, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/operation" {
			_, _ = io.WriteString(w, `{"status":"running"}`)
			return
		}
		<-asked
		w.Header().Set("Location", "/operation")
		w.WriteHeader(http.StatusAccepted)
		cancel()
	}, withControl(control, 1, func(c *replayer.Config) { c.Drain = 100 * time.Millisecond }))
	if run.Skipped["interrupted"] != 1 || run.Controlled != 0 || !cmp.Equal(run.Uncontrolled, map[string]uint64{"interrupted": 1}) {
		t.Errorf("%v, %v", err, run)
	}
	for _, r := range out.replays {
		if r.Control != nil {
			t.Errorf("%v", r)
		}
	}
}

// TestAnotherInstance has names of its own, and gets whole sessions.
func TestAnotherInstance(t *testing.T) {
	shop := func(id string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				w.WriteHeader(http.StatusCreated)
			}
			_, _ = io.WriteString(w, `{"id":"`+id+`"}`)
		}
	}
	answer := func(status uint32) *understudyv1.Response {
		return &understudyv1.Response{Status: status, Body: &understudyv1.Body{Content: []byte(`{"id":"ord_7f31"}`), Length: 17}}
	}
	list := []*understudyv1.Exchange{
		exchange(0, func(e *understudyv1.Exchange) {
			e.Session, e.Request.Method, e.Request.Target, e.Response = "s", "POST", []byte("/orders"), answer(201)
		}),
		exchange(50, func(e *understudyv1.Exchange) {
			e.Session, e.Request.Target, e.Response = "s", []byte("/orders/ord_7f31"), answer(200)
		}),
	}
	control, out := newServer(t, shop("ctl_9c02")), &sink{}
	run, err := replay(t.Context(), t, &source{list: list}, out, shop("cand_55d1"), withControl(control, 1, func(c *replayer.Config) { c.Control.Isolated = true }))
	if err != nil || run.Controlled != 2 {
		t.Errorf("%v, %v", err, run)
	}
	if diff := cmp.Diff([]string{"/orders", "/orders/ctl_9c02"}, control.targets()); diff != "" {
		t.Error(diff)
	}
	for _, r := range out.replays {
		if r.Exchange.Id != "e50" {
			continue
		}
		if s := r.ControlSubstitutions; len(s) != 1 || s[0].Recorded != "ord_7f31" || s[0].Candidate != "ctl_9c02" {
			t.Errorf("%v", s)
		}
		if s := r.Substitutions; len(s) != 1 || s[0].Candidate != "cand_55d1" {
			t.Errorf("%v", s)
		}
	}
}

// TestASlowControlHoldsUpNobody: the next request of the session goes although
// the control has not answered yet.
func TestASlowControlHoldsUpNobody(t *testing.T) {
	second := make(chan struct{})
	control := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-second:
		case <-r.Context().Done():
		}
	})
	run, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{exchange(0), exchange(3)}}, &sink{}, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x/3" {
			close(second)
		}
	}, withControl(control, 1, func(c *replayer.Config) { c.Order, c.Timeout = replayer.OrderCompleted, 10*time.Second }))
	if err != nil || run.Controlled != 2 {
		t.Errorf("%v, %v", err, run)
	}
}

// TestOurOwnRequestsAreNotReplayed, or a run whose control is asked through the
// recorder that it follows would go on without end.
func TestOurOwnRequestsAreNotReplayed(t *testing.T) {
	src := &source{}
	for i, name := range []string{"understudy-control", "Understudy-Run", "X-Other"} {
		src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) {
			e.Request.Headers = []*understudyv1.Header{{Name: name, Value: []byte("r")}}
		}))
	}
	run, err := replay(t.Context(), t, src, &sink{}, ok, nil)
	if err != nil || run.Skipped["replayed_request"] != 2 || run.Replayed != 1 {
		t.Errorf("%v, %v", err, run)
	}
}

func TestValidateControl(t *testing.T) {
	f := func(want string, change func(*replayer.Config)) {
		t.Helper()
		c := replayer.DefaultConfig()
		c.Run, c.Candidate, c.Control.URL, c.Control.Share = "r", "http://127.0.0.1:80/api/", "http://h", 0.1
		change(&c)
		if err := c.Validate(); (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f("", func(*replayer.Config) {})
	f("control.share: 1.1 is not between", func(c *replayer.Config) { c.Control.Share = 1.1 })
	f("control.url: is needed", func(c *replayer.Config) { c.Control.URL = "" })
	f("control.url", func(c *replayer.Config) { c.Control.URL = "ftp://h" })
	f("control.headers", func(c *replayer.Config) { c.Control.Headers = map[string]string{"X": "a\nhush"} })
	f("control.per_route: -1 is negative", func(c *replayer.Config) { c.Control.PerRoute = -1 })
	for _, same := range []string{"http://127.0.0.1:80/api/", "http://localhost/api"} {
		f("control.url: "+fmt.Sprintf("%q", setting.Address(same))+" is the candidate", func(c *replayer.Config) { c.Control.URL = same })
	}
	f("", func(c *replayer.Config) { c.Control.URL = "http://127.0.0.1:80/v1" })
}
