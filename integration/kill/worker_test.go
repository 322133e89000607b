package kill

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// shop is a candidate that calls orders otherwise than the baseline. It counts
// what it is asked, by exchange, and whether it is asked for what it has not made.
type shop struct {
	mu     sync.Mutex
	orders int
	asked  map[string]int
	wrong  []string
}

// ServeHTTP implements http.Handler.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[r.Header.Get("X-Exchange")]++
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodPost {
		s.orders++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"order_id":"cand-%08d-order"}`, s.orders)
		return
	}
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "/orders/cand-%d-order", &n); err != nil || n < 1 || n > s.orders {
		s.wrong = append(s.wrong, r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, `{"order_id":"cand-%08d-order","state":"open"}`, n)
}

// visit is the i-th exchange of a recording in which each session makes an order
// and looks at it, in turns; every seventh look is at an order of another session.
func visit(i, sessions int, at time.Time) *understudyv1.Exchange {
	answer := func(status uint32, body string) *understudyv1.Response {
		return &understudyv1.Response{
			Status: status, Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
			Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body)), DeclaredLength: int64(len(body))},
		}
	}
	session, step := i%sessions, i/sessions
	id := fmt.Sprintf("e-%08d", i)
	e := &understudyv1.Exchange{
		Id: id, Session: fmt.Sprint("s", session), Recorder: "kill", Sequence: uint64(i + 1), StartUnixNano: at.UnixNano(), DurationNano: int64(time.Millisecond),
		Request: &understudyv1.Request{Method: "POST", Target: []byte("/orders"), Headers: []*understudyv1.Header{{Name: "X-Exchange", Value: []byte(id)}}, Body: &understudyv1.Body{}},
		Route:   "POST /orders",
	}
	if step%2 == 0 {
		e.Response = answer(201, fmt.Sprintf(`{"order_id":"base-%08d-order"}`, i))
		return e
	}
	made := i - sessions
	if i%7 == 0 && session > 0 {
		made--
	}
	e.Route, e.Request.Method, e.Request.Target = "GET /orders/{id}", "GET", fmt.Appendf(nil, "/orders/base-%08d-order", made)
	e.Response = answer(200, fmt.Sprintf(`{"order_id":"base-%08d-order","state":"open"}`, made))
	return e
}

// visits writes a recording of n visits, so many a second.
func (p place) visits(t *testing.T, n, rate, sessions int) {
	t.Helper()
	producer, err := stream.NewProducer(t.Context(), stream.Config{Brokers: p.brokers}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	names := topic.NamesFor(p.prefix)
	if _, err := stream.Apply(t.Context(), producer.Client(), topic.Specs(names, topic.Sizing{Partitions: 6})); err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Add(-time.Hour)
	tally, err := stream.TallyRecord(names, &understudyv1.Tally{Recorder: "kill", Number: 1, TimeUnixNano: begin.UnixNano(), Served: uint64(n), Recorded: uint64(n), Final: true})
	if err == nil {
		err = producer.ProduceSync(t.Context(), tally)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		record, err := stream.ExchangeRecord(names, visit(i, sessions, begin.Add(time.Duration(i)*time.Second/time.Duration(rate))))
		if err != nil {
			t.Fatal(err)
		}
		producer.Produce(t.Context(), record, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// check looks whether each of n visits has one replay, on the schedule of the
// run, and whether what was sent more than once says so. It returns how many
// that were.
func (p place) check(t *testing.T, run *understudyv1.Run, n int, s *shop) (again int) {
	t.Helper()
	if run.GetState() != understudyv1.Run_STATE_COMPLETED || run.GetReplayed() != uint64(n) || run.GetWritten() != uint64(n) || len(run.GetErrors()) > 0 {
		t.Errorf("%s %s: replayed %d and written %d of %d, skipped %v, errors %v", run.GetState(), run.GetDetail(), run.GetReplayed(), run.GetWritten(), n, run.GetSkipped(), run.GetErrors())
	}
	replays := map[string]*understudyv1.Replay{}
	err := stream.Replays(t.Context(), stream.Config{Brokers: p.brokers}, topic.NamesFor(p.prefix), run.GetName(), func(r *understudyv1.Replay) error {
		id := r.GetExchange().GetId()
		if replays[id] != nil {
			t.Errorf("%s has two replays", id)
		}
		replays[id] = r
		due := run.GetEpoch().GetStartUnixNano() + r.GetExchange().GetStartUnixNano() - run.GetEpoch().GetRecordedUnixNano()
		for _, p := range run.GetEpoch().GetPauses() {
			if due >= p.GetFromUnixNano() && r.GetSentUnixNano() >= p.GetToUnixNano() {
				due += p.GetToUnixNano() - p.GetFromUnixNano()
			}
		}
		if got := r.GetScheduledUnixNano() - r.GetHeldNano(); got != due {
			t.Errorf("%s was due %s from where the schedule of the run has it", id, time.Duration(got-due))
		}
		return nil
	})
	if err != nil || len(replays) != n {
		t.Errorf("%v: %d replays of %d exchanges", err, len(replays), n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		switch id := fmt.Sprintf("e-%08d", i); {
		case s.asked[id] == 0:
			t.Errorf("%s was never sent", id)
		case s.asked[id] > 1:
			if again++; replays[id].GetAttempt() < 2 {
				t.Errorf("%s was sent %d times, and its replay says attempt %d", id, s.asked[id], replays[id].GetAttempt())
			}
		}
	}
	if len(s.wrong) > 0 {
		t.Errorf("asked for what nobody has made: %v", s.wrong)
	}
	return again
}

// TestAKilledReplayIsResumed: what is done is not sent again, and the rest leaves
// as much later as nobody was there.
func TestAKilledReplayIsResumed(t *testing.T) {
	const n = 2000
	cluster := kafkatest.Shared(t)
	here := place{brokers: cluster.Addrs(), prefix: cluster.Prefix(t)}
	here.visits(t, n, 150, 60)
	s := &shop{asked: map[string]int{}}
	server := httptest.NewServer(s)
	defer server.Close()
	command := func(args ...string) *exec.Cmd {
		return exec.CommandContext(t.Context(), binary, append(args, "--kafka", strings.Join(here.brokers, ","), "--prefix", here.prefix)...)
	}
	killed := command("replay", "--run", "killed", "--candidate", server.URL, "--isolated")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	for sent := 0; sent < n/4; time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		sent = len(s.asked)
		s.mu.Unlock()
	}
	_ = killed.Process.Kill()
	_ = killed.Wait()
	for want, args := range map[string][]string{
		"run killed exists already":  {"replay", "--run", "killed", "--candidate", server.URL, "--isolated"},
		"with another configuration": {"replay", "worker", "--run", "killed", "--isolated", "--speed", "3"},
	} {
		if out, err := command(args...).CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	out, err := command("runs", "resume", "killed", "--isolated").CombinedOutput()
	if err != nil {
		t.Fatalf("runs resume: %v\n%s", err, out)
	}
	run, err := stream.FindRun(t.Context(), stream.Config{Brokers: here.brokers}, topic.NamesFor(here.prefix), "killed")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests were sent more than once\n%s", here.check(t, run, n, s), out)
	if pauses := run.GetEpoch().GetPauses(); len(pauses) != 1 || !pauses[0].GetDead() {
		t.Errorf("pauses %v", pauses)
	}
	if out, err := command("runs", "show", "killed").CombinedOutput(); err != nil || !strings.Contains(string(out), "nobody at work from") {
		t.Errorf("runs show: %v\n%s", err, out)
	}
	if out, err := command("replay", "worker", "--run", "killed").CombinedOutput(); err == nil || !strings.Contains(string(out), "has ended: completed") {
		t.Errorf("a worker of a run that has ended: %v\n%s", err, out)
	}
}

// TestKill9OfWorkersLosesNothing: three workers share a run, and one after the
// other is killed at a random moment while another comes. In the end each exchange has
// one replay, what may have been sent twice says so, the books balance, and every
// request left on the schedule of the run.
func TestKill9OfWorkersLosesNothing(t *testing.T) {
	const rate, sessions = 150, 60
	kills := killsWanted()
	if kills == 6 {
		kills = 2 // in the suite; a part of the sessions goes elsewhere after 6 s
	}
	engine, cluster := embeddedtest.Start(t), kafkatest.Shared(t)
	here := place{brokers: cluster.Addrs(), prefix: cluster.Prefix(t), database: "clickhouse://" + engine.Native + "/workers"}
	names := topic.NamesFor(here.prefix)
	if _, err := clickhouse.Migrate(t.Context(), clickhouse.Config{Address: here.database}); err != nil {
		t.Fatal(err)
	}
	n := rate * (10 + 10*kills)
	here.visits(t, n, rate, sessions)
	s := &shop{asked: map[string]int{}}
	server := httptest.NewServer(s)
	defer server.Close()
	kafka := []string{"--kafka", strings.Join(here.brokers, ","), "--prefix", here.prefix}
	if out, err := exec.CommandContext(t.Context(), binary, append([]string{"runs", "start", "workers", "--candidate", server.URL, "--isolated"}, kafka...)...).CombinedOutput(); err != nil {
		t.Fatalf("runs start: %v\n%s", err, out)
	}
	var workers []*exec.Cmd
	said := map[*exec.Cmd]*bytes.Buffer{}
	work := func() {
		c := exec.CommandContext(t.Context(), binary, append([]string{"replay", "worker", "--run", "workers", "--isolated"}, kafka...)...)
		said[c] = &bytes.Buffer{}
		c.Stdout, c.Stderr = said[c], said[c]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		workers = append(workers, c)
	}
	for range 3 {
		work()
	}
	for range kills {
		time.Sleep(4*time.Second + time.Duration(rand.Int64N(int64(8*time.Second))))
		at := rand.IntN(len(workers))
		c := workers[at]
		workers = append(workers[:at:at], workers[at+1:]...)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if _ = c.Wait(); c.ProcessState.ExitCode() != -1 {
			t.Errorf("a worker had ended before it was killed:\n%s", said[c])
		}
		work()
	}
	for _, c := range workers {
		if err := c.Wait(); err != nil {
			t.Errorf("a worker: %v\n%s", err, said[c])
		}
	}

	run, err := stream.FindRun(t.Context(), stream.Config{Brokers: here.brokers}, names, "workers")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills: %s, selected %d, replayed %d, skipped %v, written %d, may be repeated %d, rate %.2f of %.2f/s, lag p50 %s p99 %s", kills, run.GetState(), run.GetSelected(),
		run.GetReplayed(), run.GetSkipped(), run.GetWritten(), run.GetRepeated(), run.GetAchievedRate(), run.GetPlannedRate(), time.Duration(run.GetLagP50Nano()), time.Duration(run.GetLagP99Nano()))
	t.Logf("%d requests were sent more than once", here.check(t, run, n, s))
	for _, args := range [][]string{{"compare", "--run", "workers"}, {"runs", "balance", "workers"}} {
		if out, err := here.command(t.Context(), args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
