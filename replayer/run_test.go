package replayer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestAnyRunBalances: whatever is recorded, whatever the candidate does and
// whenever the run is interrupted, each selected exchange has one record. The
// helper replay checks the books.
func TestAnyRunBalances(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			src := &source{}
			for i := range 150 {
				src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) {
					switch random.IntN(12) {
					case 0:
						e.Response = nil
					case 1:
						e.Request.Body = &understudyv1.Body{Truncated: true}
					case 2:
						e.Request.Target = []byte("no")
					case 3, 4, 5:
						e.Request.Method = "POST"
						e.Request.Body = &understudyv1.Body{Content: []byte(`{"id":1}`)}
					}
				}))
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if seed%2 == 1 {
				defer time.AfterFunc(time.Duration(random.IntN(150))*time.Millisecond, cancel).Stop()
			}
			var mu sync.Mutex
			run, err := replay(ctx, t, src, &sink{}, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				choice := random.IntN(10)
				mu.Unlock()
				misbehave(w, r, choice)
			}, func(c *replayer.Config) {
				c.InFlight, c.Order, c.Drain = 5+random.IntN(50), []replayer.Order{"completed", "acknowledged", "none"}[seed%3], 20*time.Millisecond
				c.Timeout, c.Completion.Timeout, *c.Completion.Linger = 80*time.Millisecond, 80*time.Millisecond, 5*time.Millisecond
				c.Completion.Channel = []string{"auto", "none", "poll", "callback"}[seed%4]
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if run.Written != run.Selected+run.Orphans {
				t.Errorf("written %d of %d and %d", run.Written, run.Selected, run.Orphans)
			}
		})
	}
}

func misbehave(w http.ResponseWriter, r *http.Request, choice int) {
	// The server notices that a client has left only once the body is read.
	_, _ = io.Copy(io.Discard, r.Body)
	switch choice {
	case 0:
		panic(http.ErrAbortHandler)
	case 1:
		<-r.Context().Done()
	case 2, 3, 4:
		w.Header().Set("Location", "/op")
		w.WriteHeader(http.StatusAccepted)
	case 5:
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(http.StatusAccepted)
	case 6:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		_, _ = io.WriteString(w, `{"id":"x1"}`)
	}
}

// TestWhatWasSentAndInterrupted is told from what was never sent: by its reason,
// by its send time and by what was seen.
func TestWhatWasSentAndInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &sink{}
	src := &source{list: []*understudyv1.Exchange{exchange(0), exchange(3_600_000)}}
	run, err := replay(ctx, t, src, out, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}, func(c *replayer.Config) { c.Drain = time.Millisecond })
	if !errors.Is(err, context.Canceled) || run.Skipped["interrupted"] != 1 || run.Skipped["canceled"] != 1 {
		t.Errorf("%v, %v", err, run.Skipped)
	}
	for _, r := range out.replays {
		wasSent := r.Skipped == "interrupted"
		if (r.SentUnixNano != 0) != wasSent || (r.ScheduledUnixNano != 0) != wasSent || (r.Candidate != nil) != wasSent {
			t.Errorf("%s: %v", r.Skipped, r)
		}
	}
}

func TestALostRecordFailsAnInterruptedRunToo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := &source{list: []*understudyv1.Exchange{exchange(0), exchange(3_600_000)}}
	run, err := replay(ctx, t, src, &sink{failEach: 1}, func(http.ResponseWriter, *http.Request) { cancel() }, nil)
	if !errors.Is(err, context.Canceled) || run.State != understudyv1.Run_STATE_FAILED || run.Detail == "" {
		t.Errorf("%v, %s, %q", err, run.State, run.Detail)
	}
}

// TestNobodyAnswers: what a run says of its errors when it gives up is what its
// books say, with what was under way then.
func TestNobodyAnswers(t *testing.T) {
	src := &source{}
	for range 150 {
		src.list = append(src.list, exchange(0))
	}
	var asked atomic.Int32
	all := make(chan struct{})
	run, err := replay(t.Context(), t, src, &sink{}, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 150 {
			close(all)
		}
		<-all // so that many fail at a time
		panic(http.ErrAbortHandler)
	}, nil)
	want := fmt.Sprintf("%d of %d requests ended in transport errors", run.Replayed, run.Replayed)
	if dead := (*replayer.CandidateError)(nil); !errors.As(err, &dead) || run.Replayed != 150 || !strings.Contains(run.Detail, want) {
		t.Errorf("%v; %q, want %q", err, run.Detail, want)
	}
}

// TestMemoryInFlightIsBounded: large bodies are skipped before they are too
// many, but a single one is always sent.
func TestMemoryInFlightIsBounded(t *testing.T) {
	src := &source{}
	for i := range 5 {
		src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) {
			e.Response.Body = &understudyv1.Body{Content: make([]byte, 100_000)}
		}))
	}
	f := func(bytes int64, want uint64) {
		t.Helper()
		run, err := replay(t.Context(), t, &source{list: src.list}, &sink{}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			func(c *replayer.Config) { c.InFlightBytes, c.Timeout = bytes, 4*time.Second }) // a busy machine reads the others meanwhile
		if dead := (*replayer.CandidateError)(nil); !errors.As(err, &dead) || run.Replayed != want || run.Skipped["in_flight_limit"] != 5-want {
			t.Errorf("%d bytes: %v, replayed %d, skipped %v", bytes, err, run.Replayed, run.Skipped)
		}
	}
	f(1, 1)
	f(500_000, 2)
	f(1<<30, 5)
}

// TestMoreIsReadAheadThanFits: reading waits for sending and nothing is lost.
func TestMoreIsReadAheadThanFits(t *testing.T) {
	shared := make([]byte, 30<<20)
	src := &source{}
	for i := range 10 {
		src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) { e.Response.Body = &understudyv1.Body{Content: shared, Truncated: true} }))
	}
	run, err := replay(t.Context(), t, src, &sink{}, ok, func(c *replayer.Config) { c.InFlightBytes = 1 << 40 })
	if err != nil || run.Replayed != 10 {
		t.Errorf("%v, %v", err, run)
	}
}

// slow gives each exchange a while after it was asked for.
type slow struct {
	*source
	pause time.Duration
}

func (s slow) Next(ctx context.Context) (*understudyv1.Exchange, error) {
	time.Sleep(s.pause)
	return s.source.Next(ctx)
}

func TestTheLagBudget(t *testing.T) {
	f := func(pause time.Duration, order replayer.Order, wantErr error) *understudyv1.Run {
		t.Helper()
		out := &sink{}
		src := slow{&source{list: []*understudyv1.Exchange{exchange(1), exchange(4)}}, pause}
		run, err := replayTo(t.Context(), t, src, out, out, func(http.ResponseWriter, *http.Request) { time.Sleep(400 * time.Millisecond) },
			func(c *replayer.Config) { c.Order, c.LagBudget = order, 200*time.Millisecond })
		if !errors.Is(err, wantErr) {
			t.Errorf("%s: %v, %s %q, lag %d", order, err, run.State, run.Detail, run.LagMaxNano)
		}
		return run
	}
	run := f(400*time.Millisecond, replayer.OrderNone, replayer.ErrLag)
	if run.State != understudyv1.Run_STATE_FAILED || run.Detail == "" || run.LagMaxNano < int64(200*time.Millisecond) {
		t.Errorf("%s %q, lag %d", run.State, run.Detail, run.LagMaxNano)
	}
	// Two requests of a session: the second waits for the first, which is no lag.
	for _, order := range []replayer.Order{replayer.OrderAcknowledged, replayer.OrderCompleted} {
		f(0, order, nil)
	}
}

// TestOrderWaitsForNoMoreThanItsPolicy: the candidate accepts at once and
// completes when the next request of the session has come, or never does.
func TestOrderWaitsForNoMoreThanItsPolicy(t *testing.T) {
	f := func(order replayer.Order, wantLost int) {
		t.Helper()
		out := &sink{}
		var second atomic.Bool
		list := []*understudyv1.Exchange{exchange(0), exchange(3)}
		_, err := replay(t.Context(), t, &source{list: list}, out, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/x/0":
				time.Sleep(50 * time.Millisecond) // the second is due meanwhile
				w.Header().Set("Location", "/op")
				w.WriteHeader(http.StatusAccepted)
			case "/x/3":
				second.Store(true)
			case "/op":
				if !second.Load() {
					w.WriteHeader(http.StatusAccepted)
				}
			}
		}, func(c *replayer.Config) {
			c.Order, c.Completion.Timeout, *c.Completion.Linger = order, 2*time.Second, 0
		})
		lost := 0
		for _, r := range out.replays {
			if r.GetCandidate().GetCompletion().GetSeen() == 0 {
				lost++
			}
			if held := r.HeldNano > 0; held != (r.Ordinal == 2 && order != replayer.OrderNone) {
				t.Errorf("%s: request %d was held for %d", order, r.Ordinal, r.HeldNano)
			}
		}
		if err != nil || lost != wantLost {
			t.Errorf("%s: %v, %d lost, want %d", order, err, lost, wantLost)
		}
	}
	f(replayer.OrderNone, 0)
	f(replayer.OrderAcknowledged, 0)
	f(replayer.OrderCompleted, 1)
}

// TestOrderHoldsWithinASession, whatever the schedule asks.
func TestOrderHoldsWithinASession(t *testing.T) {
	src := &source{}
	for i := range 30 {
		src.list = append(src.list, exchange(i))
	}
	var mu sync.Mutex
	busy := map[int]bool{}
	last := map[int]int{}
	_, err := replay(t.Context(), t, src, &sink{}, func(_ http.ResponseWriter, r *http.Request) {
		var i int
		_, _ = fmt.Sscanf(r.URL.Path, "/x/%d", &i)
		mu.Lock()
		if busy[i%3] || last[i%3] > i {
			t.Errorf("request %d came beside or after a later one", i)
		}
		busy[i%3], last[i%3] = true, i
		mu.Unlock()
		time.Sleep(3 * time.Millisecond)
		mu.Lock()
		busy[i%3] = false
		mu.Unlock()
	}, func(c *replayer.Config) { c.Order, c.Speed = replayer.OrderCompleted, 20 })
	if err != nil {
		t.Error(err)
	}
}

// TestShadowModeEndsInOrder: it sends each exchange its delay after its start,
// and being interrupted is how it ends.
func TestShadowModeEndsInOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	var list []*understudyv1.Exchange
	for i := range 3 {
		list = append(list, exchange(i, func(e *understudyv1.Exchange) {
			e.StartUnixNano = start.Add(time.Duration(i) * 10 * time.Millisecond).UnixNano()
		}))
	}
	list = append(list, exchange(3, func(e *understudyv1.Exchange) { e.StartUnixNano = start.Add(time.Hour).UnixNano() }))
	out := &sink{}
	run, err := replay(ctx, t, &source{list: list}, out, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x/2" {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
	}, func(c *replayer.Config) { c.Follow, c.Delay = true, 50*time.Millisecond })
	if err != nil || run.State != understudyv1.Run_STATE_COMPLETED || run.Replayed != 3 || run.Skipped["canceled"] != 1 {
		t.Errorf("%v, %v", err, run)
	}
	for _, r := range out.replays {
		if due := r.Exchange.StartUnixNano + int64(50*time.Millisecond); r.Skipped == "" && (r.ScheduledUnixNano != due || r.SentUnixNano < due) {
			t.Errorf("%s was due at %d, planned for %d and sent at %d", r.Exchange.Id, due, r.ScheduledUnixNano, r.SentUnixNano)
		}
	}
}

func TestValidate(t *testing.T) {
	c := replayer.DefaultConfig()
	c.Candidate, c.Speed, c.Headers, c.InFlightBytes = "http://h", 0, map[string]string{"X Y": "secret", "Z": "a\nsecret"}, 0
	err := c.Validate()
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, part := range []string{"name", "speed", `"X…"`, `"Z"`, "in_flight_bytes"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a secret is repeated: %v", err)
	}
}

// BenchmarkRun is the whole path of an exchange but Kafka: schedule, build,
// send, wait, write.
func BenchmarkRun(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(ok))
	defer server.Close()
	src := &source{}
	for i := range b.N {
		src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) { e.StartUnixNano = int64(i) * int64(100*time.Microsecond) }))
	}
	c := replayer.DefaultConfig()
	c.Run, c.Candidate = "r", server.URL
	r, err := replayer.New(c, &understudyv1.RunSpec{}, src, &sink{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	run, err := r.Run(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(run.LagP99Nano), "lag-p99-ns")
	b.ReportMetric(run.AchievedRate/max(run.PlannedRate, 1), "achieved/planned")
}
