package migration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// later is a candidate that accepts orders and completes them when it is let;
// the effect happens then, or never if the job is canceled before.
type later struct {
	*systems
	server *httptest.Server
	jobs   map[string]*job
	lets   bool
}

type job struct {
	order              string
	isDone, isCanceled bool
}

func newLater(t *testing.T, s *systems) *later {
	l := &later{systems: s, jobs: map[string]*job{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		id := fmt.Sprint(len(l.jobs))
		l.jobs[id] = &job{order: string(b)}
		s.mu.Unlock()
		w.Header().Set("Operation-Location", "/jobs/"+id)
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /jobs/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch j := l.jobs[r.PathValue("id")]; {
		case j == nil:
			http.NotFound(w, r)
		case j.isCanceled:
			fmt.Fprint(w, `{"status":"Canceled"}`)
		case l.lets:
			if !j.isDone {
				j.isDone = true
				s.effects[j.order]++
			}
			fmt.Fprintf(w, `{"status":"Succeeded","result":%q}`, "candidate POST /orders "+j.order)
		default:
			fmt.Fprint(w, `{"status":"Running"}`)
		}
	})
	mux.HandleFunc("DELETE /jobs/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if j := l.jobs[r.PathValue("id")]; j == nil || j.isDone {
			w.WriteHeader(http.StatusConflict)
			return
		}
		l.jobs[r.PathValue("id")].isCanceled = true
		w.WriteHeader(http.StatusAccepted)
	})
	l.server = httptest.NewServer(mux)
	t.Cleanup(l.server.Close)
	return l
}

func (l *later) let() {
	l.mu.Lock()
	l.lets = true
	l.mu.Unlock()
}

// faced is the configuration of a gateway with a face.
const faced = `
gateway:
  face:
    completion: {poll_interval: 100ms, poll_max: 500ms, deadline: 60s, timeout: 90s}
    routes:
      - route: POST /orders
        at_rollback: %s
        cancel: {method: DELETE}
`

// flightTest is one migration with a thousand orders in flight.
type flightTest struct {
	t     *testing.T
	where []string
	s     *systems
	l     *later
	g     *instance
}

// inFlightOrders are as many as are in flight at the moment of a rollback.
const inFlightOrders = 1000

func newFlightTest(t *testing.T, policy string) *flightTest {
	return newFlightTestOn(t, kafkatest.Shared(t), policy)
}

func newFlightTestOn(t *testing.T, cluster *kafkatest.Cluster, policy string) *flightTest {
	kafka, prefix := strings.Join(cluster.Addrs(), ","), cluster.Prefix(t)
	f := &flightTest{t: t, where: []string{"--kafka", kafka, "--prefix", prefix}, s: newSystems(t)}
	f.run("topics", "apply")
	f.l = newLater(t, f.s)
	f.s.candidate = f.l.server
	f.g = newInstance(t, t.TempDir(), f.s.baseline.URL, f.s.candidate.URL, kafka, prefix)
	file := filepath.Join(t.TempDir(), "understudy.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, faced, policy), 0o600); err != nil {
		t.Fatal(err)
	}
	f.g.args = append(f.g.args, "--config", file)
	f.g.start()
	f.run("migration", "create", "shop", "live")
	for f.g.metric("understudy_gateway_stages_version") != 1 {
		time.Sleep(10 * time.Millisecond)
	}
	return f
}

func (f *flightTest) run(args ...string) string {
	f.t.Helper()
	return command(f.t, append(args, f.where...)...)
}

// orders sends them and returns the statuses of their answers when all are there;
// when all are in flight it calls then.
func (f *flightTest) orders(then func()) map[string]int {
	f.t.Helper()
	client := &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: inFlightOrders}}
	defer client.CloseIdleConnections()
	statuses, lock := map[string]int{}, new(sync.Mutex)
	var group sync.WaitGroup
	for i := range inFlightOrders {
		group.Go(func() {
			order := fmt.Sprint("order-", i)
			r, err := http.NewRequest(http.MethodPost, "http://"+f.g.address+"/orders", strings.NewReader(order))
			if err != nil {
				panic(err)
			}
			r.Header.Set("X-Session", order)
			r.Header.Set("Idempotency-Key", order)
			a, err := client.Do(r)
			status := 0
			if err == nil {
				b, _ := io.ReadAll(a.Body)
				a.Body.Close()
				if status = a.StatusCode; status == http.StatusOK && !strings.Contains(string(b), " POST /orders "+order) {
					status = -1
				}
			}
			lock.Lock()
			statuses[order] = status
			lock.Unlock()
		})
	}
	f.until("all orders are in flight", func() bool { return f.g.metric("understudy_gateway_inflight_pending") == inFlightOrders })
	then()
	group.Wait()
	return statuses
}

func (f *flightTest) until(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("%s: not in time\n%s", what, f.g.out)
		}
	}
}

// entries are those that understudy inflight list shows.
func (f *flightTest) entries(args ...string) []map[string]any {
	f.t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(f.run(append([]string{"inflight", "list", "shop", "-o", "json"}, args...)...)), &list); err != nil {
		f.t.Fatal(err)
	}
	return list
}

// ends checks the effects, and that the ledgers are empty and balance.
func (f *flightTest) ends(statuses map[string]int, status, effects int) {
	f.t.Helper()
	f.until("the ledger is empty", func() bool { return len(f.entries()) == 0 })
	odd := 0
	f.s.mu.Lock()
	for order, got := range statuses {
		if n := f.s.effects[order]; n != effects || got != status {
			if odd++; odd < 5 {
				f.t.Errorf("%s: status %d, happened %d times; want %d and %d", order, got, n, status, effects)
			}
		}
	}
	f.s.mu.Unlock()
	if odd > 0 || len(statuses) != inFlightOrders {
		f.t.Errorf("%d of %d orders are wrong", odd, len(statuses))
	}
	f.g.stop()
	f.t.Logf("\n%s", f.run("inflight", "balance", "shop"))
}

// recorded fails the test unless every exchange says so of who served it, why,
// after how many attempts and how the answer came.
func (f *flightTest) recorded(want string) {
	f.t.Helper()
	snapshot, err := stream.OpenSnapshot(f.t.Context(), stream.Config{Brokers: strings.Split(f.where[1], ",")}, topic.NamesFor(f.where[3]).Exchanges, time.Time{})
	if err != nil {
		f.t.Fatal(err)
	}
	defer snapshot.Close()
	got := map[string]int{}
	err = snapshot.Each(f.t.Context(), 2000, 16<<20, 1, func(_ context.Context, b stream.Batch) error {
		for _, r := range b.Records {
			e, err := stream.DecodeExchange(r)
			if err != nil {
				return err
			}
			said := fmt.Sprint(understudyv1.Label(e.GetServedBy()), " ", e.GetDecision(), " ", e.GetAttempts(), " ", e.GetCompletion().GetChannel())
			if e.GetResponse() == nil {
				said += ", no response: " + e.GetError().GetKind().String()
			}
			got[said]++
		}
		return nil
	})
	if err != nil || got[want] != inFlightOrders {
		f.t.Errorf("recorded %v, %v; want %q", got, err, want)
	}
}

// TestRollbackInFlight: a thousand orders are in flight at the moment of a
// rollback. Under each policy every one is resolved, none is lost and none happens
// twice, and the ledger says so.
func TestRollbackInFlight(t *testing.T) {
	back := func(f *flightTest) { f.run("migration", "rollback", "shop", "--reason", "to see what becomes of them") }
	t.Run("finish", func(t *testing.T) {
		f := newFlightTest(t, "finish")
		f.ends(f.orders(func() {
			back(f)
			if n := len(f.entries()); n != inFlightOrders {
				t.Errorf("the ledger has %d entries", n)
			}
			f.l.let()
		}), http.StatusOK, 1)
		f.recorded("candidate stage 1 poll")
	})
	t.Run("hand_back", func(t *testing.T) {
		f := newFlightTest(t, "hand_back")
		f.ends(f.orders(func() { back(f) }), http.StatusOK, 1)
		f.recorded("baseline handed_back 2 ")
	})
	t.Run("hold", func(t *testing.T) {
		f := newFlightTest(t, "hold")
		statuses := f.orders(func() { back(f) })
		f.until("all are held", func() bool { return len(f.entries("--held")) == inFlightOrders })
		f.run("inflight", "resolve", "--all-held", "--migration", "shop", "--reason", "canceled by hand")
		f.until("the gateway lets them go", func() bool { return f.g.metric("understudy_gateway_inflight_held") == 0 })
		f.ends(statuses, http.StatusServiceUnavailable, 0)
		f.recorded("candidate stage 1 , no response: KIND_RESET")
	})
}

// TestKilledInFlight: the gateway is killed while a thousand orders are in flight;
// its next life takes them up, and every one is completed once.
func TestKilledInFlight(t *testing.T) {
	f := newFlightTest(t, "finish")
	statuses := f.orders(func() {
		f.until("Kafka has them", func() bool { return len(f.entries()) == inFlightOrders })
		_ = f.g.cmd.Process.Signal(syscall.SIGKILL)
		_ = f.g.cmd.Wait()
	})
	f.l.let()
	f.g.start()
	f.ends(statuses, 0, 1)
}
