package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/replayer"
	"understudy.dev/replayer/kafka"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// shop is a candidate that calls orders otherwise, and counts what it is asked.
type shop struct {
	mu     sync.Mutex
	orders int
	asked  map[string]int
	wrong  []string // what nobody has made
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[r.Header.Get("X-Exchange")]++
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodPost {
		s.orders++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"order_id":"cand-%06d-order"}`, s.orders)
		return
	}
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "/orders/cand-%06d-order", &n); err != nil || n > s.orders {
		s.wrong = append(s.wrong, r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, `{"order_id":"cand-%06d-order","state":"open"}`, n)
}

const (
	sessions = 40
	steps    = 8 // of a session: it makes an order and looks at it, several times
)

// order is the recording of a session's step at a time.
func order(session, step int, at time.Time) *understudyv1.Exchange {
	answer := func(status uint32, body string) *understudyv1.Response {
		return &understudyv1.Response{
			Status: status, Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
			Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body)), DeclaredLength: int64(len(body))},
		}
	}
	name := fmt.Sprintf("base-%06d-order", session*steps+step/2)
	id := fmt.Sprintf("e-%d-%d", session, step)
	e := &understudyv1.Exchange{
		Id: id, Session: fmt.Sprint("session", session), Recorder: "r", Sequence: uint64(session*steps + step + 1),
		StartUnixNano: at.UnixNano(), DurationNano: int64(time.Millisecond), Route: "POST /orders",
		Request:  &understudyv1.Request{Method: "POST", Target: []byte("/orders"), Body: &understudyv1.Body{}},
		Response: answer(201, fmt.Sprintf(`{"order_id":%q}`, name)),
	}
	if step%2 == 1 {
		e.Route, e.Request.Method, e.Request.Target = "GET /orders/{id}", "GET", []byte("/orders/"+name)
		e.Response = answer(200, fmt.Sprintf(`{"order_id":%q,"state":"open"}`, name))
	}
	e.Request.Headers = []*understudyv1.Header{{Name: "X-Exchange", Value: []byte(id)}}
	return e
}

// crew is a run that workers share, in one process.
type crew struct {
	t       *testing.T
	cfg     stream.Config
	p       *stream.Producer
	run     *understudyv1.Run
	url     string
	workers sync.WaitGroup
	change  func(*replayer.Config) // nil changes nothing
	copies  int                    // of each exchange
}

func newCrew(t *testing.T, candidate http.Handler, length time.Duration) *crew {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, names.Exchanges, names.Replays), kfake.SeedTopics(1, names.Runs))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	c := &crew{t: t, copies: 1, cfg: stream.Config{Brokers: cluster.ListenAddrs()}}
	c.p = c.producer()
	server := httptest.NewServer(candidate)
	t.Cleanup(server.Close)
	c.url = server.URL
	begin := time.Now().Add(-time.Hour)
	n := 0
	for step := range steps {
		for session := range sessions {
			record, err := stream.ExchangeRecord(names, order(session, step, begin.Add(length*time.Duration(n)/(sessions*steps))))
			if err != nil {
				t.Fatal(err)
			}
			c.p.Produce(t.Context(), record, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Error(err)
				}
			})
			n++
		}
	}
	if err := c.p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	extents, err := stream.Extents(t.Context(), c.cfg, names, stream.TimelineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixNano()
	c.run = &understudyv1.Run{Name: "shared", State: understudyv1.Run_STATE_RUNNING, Spec: &understudyv1.RunSpec{Speed: 1}, Shared: true, Version: 1,
		Extents: extents, StartUnixNano: now, TimeUnixNano: now}
	record, err := stream.RunRecord(names, c.run)
	if err == nil {
		err = c.p.ProduceSync(t.Context(), record)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *crew) producer() *stream.Producer {
	p, err := stream.NewProducer(c.t.Context(), c.cfg, stream.DefaultProducerConfig())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(p.Close)
	return p
}

// work is one worker, until the run ends or ctx does.
func (c *crew) work(ctx context.Context, name string, change ...func(*replayer.Config)) (*understudyv1.Run, error) {
	run, err := stream.FindRun(ctx, c.cfg, names, "shared")
	if err != nil {
		return nil, err
	}
	p := c.producer()
	board, err := stream.OpenBoard(ctx, c.cfg, names, "shared")
	if err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() { _ = board.Watch(watching) })
	defer func() { stop(); watch.Wait(); board.Close() }()
	if err := board.CaughtUp(ctx); err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})).With("worker", name)
	team, err := kafka.NewTeam(ctx, c.cfg, names, run, name, p, log)
	if err != nil {
		return nil, err
	}
	defer team.Close()
	timeline, err := stream.OpenTimeline(ctx, c.cfg, stream.TimelineConfig{Topic: names.Exchanges, Extents: run.GetExtents()}, func(*kgo.Record, error) {})
	if err != nil {
		return nil, err
	}
	defer timeline.Close()
	sink := kafka.NewSink(p, names, nil)
	sink.Worker = name
	cfg := replayer.DefaultConfig()
	cfg.Run, cfg.Candidate, cfg.Drain, cfg.Isolated = "shared", c.url, 2*time.Second, true
	cfg.Resume, cfg.Board, cfg.Team, cfg.Worker = run, board, team, name
	for _, f := range change {
		f(&cfg)
	}
	if c.change != nil {
		c.change(&cfg)
	}
	from := kafka.NewSource(timeline)
	defer from.Close()
	from.Reopen = func(ctx context.Context) (*stream.Timeline, error) {
		return stream.OpenTimeline(ctx, c.cfg, stream.TimelineConfig{Topic: names.Exchanges, Extents: run.GetExtents()}, func(*kgo.Record, error) {})
	}
	r, err := replayer.New(cfg, run.GetSpec(), from, sink, log, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	return r.Run(ctx)
}

// TestWorkersShareARun: two workers, one of which leaves in the middle and a
// third that comes, send each request once, at the names that the candidate
// gave, whoever had been told them.
func TestWorkersShareARun(t *testing.T) {
	s := &shop{asked: map[string]int{}}
	c := newCrew(t, s, 4*time.Second)
	leaving, leave := context.WithCancel(t.Context())
	defer leave()
	runs := make([]*understudyv1.Run, 3)
	errs := make([]error, 3)
	go func() { time.Sleep(2500 * time.Millisecond); leave() }()
	for i, ctx := range []context.Context{t.Context(), leaving, t.Context()} {
		c.workers.Go(func() {
			if i == 2 {
				<-leaving.Done()
			}
			runs[i], errs[i] = c.work(ctx, fmt.Sprint("w", i))
		})
	}
	c.workers.Wait()
	if errs[0] != nil || errs[2] != nil {
		t.Fatal(errs)
	}
	c.check(s, runs[0])
	for id, n := range s.asked {
		if n != 1 {
			t.Errorf("%s was asked %d times", id, n)
		}
	}
}

// TestWorkersShareClonesAndLaps: of whichever clone and lap, and when a worker is
// killed, the requests of each copy are sent once, at the names of that copy.
func TestWorkersShareClonesAndLaps(t *testing.T) {
	s := &shop{asked: map[string]int{}}
	c := newCrew(t, s, time.Second)
	c.copies = 6
	c.change = func(cfg *replayer.Config) {
		cfg.Multiply, cfg.Loop, cfg.MultiplySpread, cfg.Seed = 3, 2, 500*time.Millisecond, 7
	}
	leaving, leave := context.WithCancel(t.Context())
	defer leave()
	runs, errs := make([]*understudyv1.Run, 3), make([]error, 3)
	go func() { time.Sleep(2500 * time.Millisecond); leave() }()
	for i, ctx := range []context.Context{t.Context(), leaving, t.Context()} {
		c.workers.Go(func() {
			if i == 2 {
				<-leaving.Done()
			}
			runs[i], errs[i] = c.work(ctx, fmt.Sprint("w", i))
		})
	}
	c.workers.Wait()
	if errs[0] != nil || errs[2] != nil {
		t.Fatal(errs)
	}
	c.check(s, runs[0])
	for id, n := range s.asked {
		if n != c.copies {
			t.Errorf("%s was asked %d times", id, n)
		}
	}
}

// TestWorkersShareARate that ends in the middle of the recording: each knows which
// is the last request.
func TestWorkersShareARate(t *testing.T) {
	s := &shop{asked: map[string]int{}}
	c := newCrew(t, s, time.Hour)
	c.change = func(cfg *replayer.Config) { cfg.Rate, cfg.For = "50/s", 3*time.Second }
	runs, errs := make([]*understudyv1.Run, 2), make([]error, 2)
	for i := range 2 {
		c.workers.Go(func() { runs[i], errs[i] = c.work(t.Context(), fmt.Sprint("w", i)) })
	}
	c.workers.Wait()
	if errs[0] != nil || errs[1] != nil {
		t.Fatal(errs)
	}
	if run := runs[0]; run.GetState() != understudyv1.Run_STATE_COMPLETED || run.GetSelected() != 150 || run.GetReplayed() != 150 || run.GetWritten() != 150 || len(s.wrong) > 0 {
		t.Errorf("%v, asked wrongly for %v", run, s.wrong)
	}
	err := stream.Replays(t.Context(), c.cfg, names, "shared", func(r *understudyv1.Replay) error {
		want := runs[0].GetEpoch().GetStartUnixNano() + int64(r.GetOrdinal()-1)*int64(20*time.Millisecond)
		if got := r.GetScheduledUnixNano() - r.GetHeldNano(); got != want {
			t.Errorf("ordinal %d was due %s from its time", r.GetOrdinal(), time.Duration(got-want))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// wish says what is wanted of the run, and waits until its state is that.
func (c *crew) wish(wish understudyv1.RunControl_Wish, want understudyv1.Run_State) *understudyv1.Run {
	c.t.Helper()
	if err := stream.Wish(c.t.Context(), names, c.p, "shared", wish); err != nil {
		c.t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		run, err := stream.FindRun(c.t.Context(), c.cfg, names, "shared")
		if err != nil {
			c.t.Fatal(err)
		}
		if run.GetState() == want {
			return run
		}
		if time.Now().After(end) {
			c.t.Fatalf("the run is %s and not %s", run.GetState(), want)
		}
	}
}

func (c *crew) awaitSend(s *shop) {
	for {
		s.mu.Lock()
		n := len(s.asked)
		s.mu.Unlock()
		if n > 0 || c.t.Context().Err() != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestPause: nothing is due in a pause, of whichever worker, and the rest leaves
// as much later; a run that is stopped has books of what was sent.
func TestPause(t *testing.T) {
	s := &shop{asked: map[string]int{}}
	c := newCrew(t, s, 4*time.Second)
	runs, errs := make([]*understudyv1.Run, 2), make([]error, 2)
	for i := range 2 {
		c.workers.Go(func() { runs[i], errs[i] = c.work(t.Context(), fmt.Sprint("w", i)) })
	}
	c.awaitSend(s)
	c.wish(understudyv1.RunControl_WISH_PAUSE, understudyv1.Run_STATE_PAUSED)
	c.wish(understudyv1.RunControl_WISH_RESUME, understudyv1.Run_STATE_RUNNING)
	c.workers.Wait()
	if errs[0] != nil || errs[1] != nil {
		t.Fatal(errs)
	}
	c.check(s, runs[0])
	pauses := runs[0].GetEpoch().GetPauses()
	if len(pauses) != 1 || pauses[0].GetDead() {
		t.Fatalf("pauses %v", pauses)
	}
	from, to := pauses[0].GetFromUnixNano(), pauses[0].GetToUnixNano()
	before, after := 0, 0
	err := stream.Replays(t.Context(), c.cfg, names, "shared", func(r *understudyv1.Replay) error {
		epoch := runs[0].GetEpoch()
		due := epoch.GetStartUnixNano() + r.GetExchange().GetStartUnixNano() - epoch.GetRecordedUnixNano()
		heard := due < from || r.GetScheduledUnixNano()-r.GetHeldNano() != due || r.GetSentUnixNano() >= to
		if before++; due >= from && heard { // who had not heard of it went on
			due, before, after = due+to-from, before-1, after+1
		}
		if got := r.GetScheduledUnixNano() - r.GetHeldNano(); got != due {
			t.Errorf("ordinal %d was due %s from its time", r.GetOrdinal(), time.Duration(got-due))
		}
		return nil
	})
	if err != nil || before == 0 || after == 0 {
		t.Errorf("%v: %d before the pause and %d after it", err, before, after)
	}
}

// TestStop: what is under way is finished, nothing more is sent, and the books
// hold.
func TestStop(t *testing.T) {
	s := &shop{asked: map[string]int{}}
	c := newCrew(t, s, time.Minute)
	runs, errs := make([]*understudyv1.Run, 2), make([]error, 2)
	for i := range 2 {
		c.workers.Go(func() { runs[i], errs[i] = c.work(t.Context(), fmt.Sprint("w", i)) })
	}
	c.awaitSend(s)
	c.wish(understudyv1.RunControl_WISH_STOP, understudyv1.Run_STATE_CANCELED)
	c.workers.Wait()
	run := runs[0]
	if errs[0] != nil || errs[1] != nil || run.GetState() != understudyv1.Run_STATE_CANCELED || run.GetSelected() != uint64(len(s.asked)) ||
		run.GetReplayed() != run.GetSelected() || run.GetWritten() != run.GetSelected() {
		t.Errorf("%v: %v; %d were asked", errs, run, len(s.asked))
	}
}

// TestTheKillSwitchOfOneWorker stops all: it sends nothing more itself, and the others
// are told to stop.
func TestTheKillSwitchOfOneWorker(t *testing.T) {
	s := &shop{asked: map[string]int{}}
	c := newCrew(t, s, time.Minute)
	file := filepath.Join(t.TempDir(), "killed")
	runs, errs := make([]*understudyv1.Run, 2), make([]error, 2)
	for i := range 2 {
		c.workers.Go(func() {
			runs[i], errs[i] = c.work(t.Context(), fmt.Sprint("w", i), func(cfg *replayer.Config) {
				if i == 1 {
					cfg.KillFile = file
					cfg.Stop = func(ctx context.Context) error {
						return stream.Wish(ctx, names, c.p, "shared", understudyv1.RunControl_WISH_STOP)
					}
				}
			})
		})
	}
	c.awaitSend(s)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.workers.Wait()
	run, err := stream.FindRun(t.Context(), c.cfg, names, "shared")
	if err != nil || run.GetState() != understudyv1.Run_STATE_CANCELED || run.GetSelected() != run.GetReplayed()+sum(run.GetSkipped()) ||
		run.GetWritten() != run.GetSelected() || run.GetSelected() < uint64(len(s.asked)) || len(s.asked) == sessions*steps {
		t.Errorf("%v, %v: %v; %d were asked", errs, err, run, len(s.asked))
	}
}

func sum(counts map[string]uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// check looks at the books of a run that is whole, and at its replays.
func (c *crew) check(s *shop, run *understudyv1.Run) {
	c.t.Helper()
	all := uint64(sessions * steps * c.copies)
	if run.GetState() != understudyv1.Run_STATE_COMPLETED || run.GetSelected() != all || run.GetReplayed() != all || run.GetWritten() != all || len(s.wrong) > 0 {
		c.t.Errorf("%s %s: selected %d, replayed %d, skipped %v, written %d of %d, errors %v; asked wrongly for %v", run.GetState(), run.GetDetail(),
			run.GetSelected(), run.GetReplayed(), run.GetSkipped(), run.GetWritten(), all, run.GetErrors(), s.wrong)
	}
	seen := map[uint64]bool{}
	of := map[string]bool{}
	err := stream.Replays(c.t.Context(), c.cfg, names, "shared", func(r *understudyv1.Replay) error {
		of[fmt.Sprint(r.GetExchange().GetId(), " ", r.GetLap(), " ", r.GetClone())] = true
		if seen[r.GetOrdinal()] || r.GetOrdinal() == 0 || r.GetOrdinal() > all {
			c.t.Errorf("ordinal %d is written twice, or is none", r.GetOrdinal())
		}
		seen[r.GetOrdinal()] = true
		return nil
	})
	if err != nil || uint64(len(seen)) != all || len(of) != len(seen) {
		c.t.Errorf("%v: %d replays of %d", err, len(seen), all)
	}
	last, err := stream.FindRun(c.t.Context(), c.cfg, names, "shared")
	if err != nil || last.GetState() != understudyv1.Run_STATE_COMPLETED {
		c.t.Errorf("%v: the last record says %s", err, last.GetState())
	}
}
