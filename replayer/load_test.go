package replayer_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// tape is a source that can be gone through again.
type tape struct {
	all []*understudyv1.Exchange
	source
}

func newTape(list ...*understudyv1.Exchange) *tape {
	return &tape{all: list, source: source{list: list}}
}

func (s *tape) Rewind(context.Context) error { s.list = s.all; return nil }

// played replays a tape and gives its replays in their order.
func played(t *testing.T, src *tape, h http.HandlerFunc, change func(*replayer.Config)) (*understudyv1.Run, []*understudyv1.Replay) {
	t.Helper()
	out := &sink{}
	run, err := replayTo(t.Context(), t, src, out, out, h, change)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out.replays, func(a, b *understudyv1.Replay) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return run, out.replays
}

func due(r *understudyv1.Replay, first *understudyv1.Replay) time.Duration {
	return time.Duration(r.ScheduledUnixNano - first.ScheduledUnixNano)
}

// TestAConstantRate leaves at even distances whatever the recorded times, in their
// order.
func TestAConstantRate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Duration(0)
	var list []*understudyv1.Exchange
	for i := range 100 {
		at += time.Duration(random.ExpFloat64() * float64(time.Hour))
		list = append(list, exchange(i, func(e *understudyv1.Exchange) { e.StartUnixNano = int64(at) + 1 }))
	}
	run, replays := played(t, newTape(list...), ok, func(c *replayer.Config) { c.Rate = "12000/m" })
	for i, r := range replays {
		if r.Exchange.Id != fmt.Sprint("e", i) || due(r, replays[0]) != time.Duration(i)*5*time.Millisecond || r.Speed != 0 {
			t.Fatalf("%s is request %d, due after %s, at speed %g", r.Exchange.Id, i, due(r, replays[0]), r.Speed)
		}
		if len(r.Moments) != 1 || r.Moments[0].RecordedUnixNano != r.Exchange.StartUnixNano || r.Moments[0].ReplayedUnixNano != r.ScheduledUnixNano {
			t.Fatalf("moments %v", r.Moments)
		}
	}
	if run.Selected != 100 || math.Abs(run.PlannedRate-200) > 0.01 {
		t.Errorf("%d at %g/s", run.Selected, run.PlannedRate)
	}
}

// TestForEndsTheSending by the schedule, exactly, and laps begin behind one
// another by the mean distance.
func TestForEndsTheSending(t *testing.T) {
	src := newTape(exchange(0), exchange(10), exchange(20))
	run, replays := played(t, src, ok, func(c *replayer.Config) { c.Loop, c.For = 0, 95*time.Millisecond })
	if run.Selected != 10 || run.State != understudyv1.Run_STATE_COMPLETED {
		t.Fatalf("%d selected, %s", run.Selected, run.State)
	}
	for i, r := range replays {
		if due(r, replays[0]) != time.Duration(i)*10*time.Millisecond || int(r.Lap) != i/3+1 || r.Clone != 1 || r.Exchange.Id != fmt.Sprint("e", i%3*10) {
			t.Errorf("%d: %s, lap %d, clone %d, after %s", i, r.Exchange.Id, r.Lap, r.Clone, due(r, replays[0]))
		}
	}
}

// TestCopiesBalance: selected = recorded × clones × laps, each once, whatever the
// numbers are, in the order of their times, and alike for one seed.
func TestCopiesBalance(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 12 {
		n, laps, clones, seed := 1+random.IntN(30), 1+random.IntN(4), 1+random.IntN(6), random.Uint64()
		var list []*understudyv1.Exchange
		at := int64(0)
		for i := range n {
			at += random.Int64N(int64(20 * time.Millisecond))
			list = append(list, exchange(i, func(e *understudyv1.Exchange) { e.StartUnixNano = at + 1 }))
		}
		once := func() (*understudyv1.Run, []*understudyv1.Replay) {
			return played(t, newTape(list...), ok, func(c *replayer.Config) {
				c.Loop, c.Multiply, c.Seed, c.MultiplySpread, c.Speed = laps, clones, seed, 100*time.Millisecond, 100
			})
		}
		run, replays := once()
		_, again := once()
		if want := uint64(n * laps * clones); run.Selected != want || run.Replayed != want || run.Written != want || run.Repeated != 0 {
			t.Fatalf("%d exchanges, %d laps, %d clones: %d selected, %d replayed, %d repeated", n, laps, clones, run.Selected, run.Replayed, run.Repeated)
		}
		seen := map[string]bool{}
		shifts := map[string]int64{}
		for i, r := range replays {
			key := fmt.Sprintf("%s %d %d", r.Exchange.Id, r.Lap, r.Clone)
			if laps == 1 && clones == 1 {
				r.Lap, r.Clone = 1, 1
			}
			if seen[key] || int(r.Lap) > laps || int(r.Clone) > clones || r.Attempt != 1 {
				t.Fatalf("%s again, or out of bounds, attempt %d", key, r.Attempt)
			}
			seen[key] = true
			if i > 0 && r.ScheduledUnixNano < replays[i-1].ScheduledUnixNano {
				t.Errorf("request %d leaves before the one before it", i)
			}
			// What a copy is late by is one time for all of its requests: names of one
			// session that another made are there in it as in the recording.
			shift := due(r, replays[0]).Nanoseconds()*100 - r.Exchange.StartUnixNano
			copied := fmt.Sprint(r.Lap, r.Clone)
			if other, known := shifts[copied]; known && (other-shift > 200 || shift-other > 200) {
				t.Errorf("copy %s is %d and %d later", copied, other, shift)
			}
			shifts[copied] = shift
			if a := again[i]; a.Exchange.Id != r.Exchange.Id || due(a, again[0]) != due(r, replays[0]) {
				t.Errorf("request %d is another for the same seed", i)
			}
		}
	}
}

// TestCopiesHaveNamesOfTheirOwn: what a clone or a lap has made it uses, and not
// that of another; keys against repetition are others too.
func TestCopiesHaveNamesOfTheirOwn(t *testing.T) {
	answer := func(s string) *understudyv1.Response {
		return &understudyv1.Response{Status: 201, Body: &understudyv1.Body{Content: []byte(s), Length: int64(len(s))},
			Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}, {Name: "Set-Cookie", Value: []byte("sid=baselinesessionbase; Path=/")}}}
	}
	const key = "7f9c24e8-3b5a-4d61-9a04-8e6bd1a9c001"
	src := newTape(
		exchange(1, func(e *understudyv1.Exchange) {
			e.Session, e.Route, e.Request.Method, e.Request.Target, e.Response = "s", "POST /orders", "POST", []byte("/orders"), answer(`{"order_id":"base-000001-order"}`)
			e.Request.Headers = []*understudyv1.Header{{Name: "Idempotency-Key", Value: []byte(key)}}
		}),
		exchange(200, func(e *understudyv1.Exchange) {
			e.Session, e.Request.Target, e.Response = "s", []byte("/orders/base-000001-order"), answer(`{"order_id":"base-000001-order"}`)
			e.Request.Headers = []*understudyv1.Header{{Name: "Cookie", Value: []byte("sid=baselinesessionbase")}}
		}),
	)
	var mu sync.Mutex
	keys, asked := map[string]int{}, map[string]int{}
	orders := 0
	run, replays := played(t, src, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		keys[r.Header.Get("Idempotency-Key")]++
		n := orders + 1
		if r.Method == http.MethodPost {
			orders++
			w.Header().Set("Set-Cookie", fmt.Sprintf("sid=candidatesession%d; Path=/", n))
			w.WriteHeader(http.StatusCreated)
		} else {
			if _, err := fmt.Sscanf(r.RequestURI, "/orders/cand-%d-order", &n); err != nil || n > orders {
				t.Errorf("asked for %s", r.RequestURI)
			}
			if got := r.Header.Get("Cookie"); got != fmt.Sprintf("sid=candidatesession%d", n) {
				t.Errorf("order %d is asked for with the cookie %q", n, got)
			}
			asked[r.RequestURI]++
		}
		fmt.Fprintf(w, `{"order_id":"cand-%06d-order"}`, n)
	}, func(c *replayer.Config) { c.Multiply, c.Loop, c.MultiplySpread = 3, 2, 300*time.Millisecond })
	if run.Selected != 12 || run.Replayed != 12 || len(asked) != 6 || len(keys) != 12 {
		t.Errorf("%d selected, %d replayed, %v, %d orders asked for, keys %v", run.Selected, run.Replayed, run.Skipped, len(asked), keys)
	}
	for k := range keys {
		if strings.HasPrefix(k, key) && k != key {
			t.Errorf("a UUID has become %s", k)
		}
	}
	for _, r := range replays {
		if r.Exchange.Session != "s" || !strings.HasPrefix(r.Exchange.Id, "e") || strings.Contains(r.Exchange.Id, "~") {
			t.Errorf("the record holds exchange %s of session %s", r.Exchange.Id, r.Exchange.Session)
		}
	}
}

// TestMax has never more under way than the limit, skips nothing and keeps the
// order.
func TestMax(t *testing.T) {
	var list []*understudyv1.Exchange
	for i := range 60 {
		list = append(list, exchange(i*100_000))
	}
	for _, mode := range []replayer.Mode{replayer.ModeOpen, replayer.ModeClosed} {
		var busy, most atomic.Int64
		run, replays := played(t, newTape(list...), func(http.ResponseWriter, *http.Request) {
			n := busy.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(2 * time.Millisecond)
			busy.Add(-1)
		}, func(c *replayer.Config) {
			c.Max, c.Mode, c.InFlight = true, mode, 4
			if mode == replayer.ModeClosed {
				c.InFlight, c.Users = 100, 4
			}
		})
		if run.Selected != 60 || run.Replayed != 60 || most.Load() > 4 || (run.Users == 4) != (mode == replayer.ModeClosed) {
			t.Errorf("%d selected, %d replayed, %v, %d at once", run.Selected, run.Replayed, run.Skipped, most.Load())
		}
		for i := 1; i < len(replays); i++ {
			if replays[i].ScheduledUnixNano < replays[i-1].ScheduledUnixNano || replays[i].HeldNano != 0 {
				t.Errorf("request %d is intended before the one before it, or held", i)
			}
		}
	}
}

// TestAClosedLoopWaits and says by how much; when the time of sending is over
// nobody waits any more.
func TestAClosedLoopWaits(t *testing.T) {
	src := newTape(exchange(1), exchange(2), exchange(3))
	run, replays := played(t, src, func(http.ResponseWriter, *http.Request) { time.Sleep(30 * time.Millisecond) },
		func(c *replayer.Config) { c.Mode, c.Users = replayer.ModeClosed, 1 })
	if run.Replayed != 3 || replays[0].HeldNano != 0 || replays[1].HeldNano < int64(20*time.Millisecond) || replays[2].HeldNano < int64(50*time.Millisecond) {
		t.Errorf("%d replayed, %v held %d, %d", run.Replayed, run.Skipped, replays[1].HeldNano, replays[2].HeldNano)
	}
	run, _ = played(t, newTape(exchange(1), exchange(2)), func(http.ResponseWriter, *http.Request) { time.Sleep(2500 * time.Millisecond) },
		func(c *replayer.Config) { c.Mode, c.Users, c.For = replayer.ModeClosed, 1, time.Second })
	if run.Selected != 2 || run.Replayed != 1 || run.Skipped["time_over"] != 1 {
		t.Errorf("%d selected, %d replayed, %v", run.Selected, run.Replayed, run.Skipped)
	}
}

func TestContradictions(t *testing.T) {
	for want, change := range map[string]func(*replayer.Config){
		"rate: contradicts speed":   func(c *replayer.Config) { c.Rate, c.Speed = "5/s", 2 },
		"rate: contradicts max":     func(c *replayer.Config) { c.Rate, c.Max = "5/s", true },
		"max: contradicts speed":    func(c *replayer.Config) { c.Max, c.Speed = true, 2 },
		"max_gap: contradicts":      func(c *replayer.Config) { c.Max, c.MaxGap = true, time.Second },
		"loop: without":             func(c *replayer.Config) { c.Loop = 0 },
		"users: contradicts":        func(c *replayer.Config) { c.Users = 3 },
		"follow: contradicts":       func(c *replayer.Config) { c.Follow, c.Multiply = true, 2 },
		"multiply: is not 1 to 100": func(c *replayer.Config) { c.Multiply = 101 },
		`rate: "5 a day"`:           func(c *replayer.Config) { c.Rate = "5 a day" },
		`rate: "NaN/s"`:             func(c *replayer.Config) { c.Rate = "NaN/s" },
		`rate: "-1"`:                func(c *replayer.Config) { c.Rate = "-1" },
		"for: is negative":          func(c *replayer.Config) { c.For = -1 },
		"users: is not 1 to in":     func(c *replayer.Config) { c.Users, c.Mode = 0, replayer.ModeClosed },
		"mode: is not one of":       func(c *replayer.Config) { c.Mode = "half" },
	} {
		c := replayer.DefaultConfig()
		c.Run, c.Candidate = "r", "http://127.0.0.1:1"
		change(&c)
		text := ""
		if err := c.Validate(); err != nil {
			text = err.Error()
		}
		path, rest, _ := strings.Cut(want, ": ")
		if !strings.Contains(text, path) || !strings.Contains(text, rest) {
			t.Errorf("got %q, want %q", text, want)
		}
	}
}

// TestHistograms are in the format that plotters read, and hold each answer.
func TestHistograms(t *testing.T) {
	src := newTape(exchange(1), exchange(2), exchange(3))
	out := &sink{}
	var r *replayer.Replayer
	run, err := replayBy(t.Context(), t, src, out, out, ok, nil, &r)
	if err != nil || run.Replayed != 3 {
		t.Fatal(err, run)
	}
	l := r.Latencies()
	for _, h := range []struct {
		n   int64
		max int64
	}{{l.Intended.TotalCount(), l.Intended.Max()}, {l.Service.TotalCount(), l.Service.Max()}} {
		if h.n != 3 || h.max == 0 {
			t.Errorf("%+v", h)
		}
	}
	var b bytes.Buffer
	if err := replayer.WriteHistogram(&b, l.Service); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.Contains(lines[0], "Value") || !strings.Contains(lines[0], "Percentile") || !strings.Contains(lines[0], "TotalCount") || !strings.Contains(b.String(), "#[Max") {
		t.Errorf("%s", b.String())
	}
	slowest := time.Duration(0)
	for _, x := range out.replays {
		slowest = max(slowest, time.Duration(x.Candidate.AckServiceNano))
	}
	last := ""
	for _, line := range lines[1:] {
		if f := strings.Fields(line); len(f) >= 3 && !strings.HasPrefix(line, "#") {
			last = f[0]
		}
	}
	if got, err := strconv.ParseFloat(last, 64); err != nil || math.Abs(got-slowest.Seconds()*1000) > 0.01+slowest.Seconds() {
		t.Errorf("the last value is %s ms, the slowest took %s", last, slowest)
	}
}
