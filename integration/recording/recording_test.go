package recording

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/integration/program"
	"understudy.dev/recorder/ledger"
)

// binary is built for this test, so that it is never a stale one.
var binary string

func TestMain(m *testing.M) { os.Exit(program.Main(&binary, func() int { return kafkatest.Main(m) })) }

// number is a setting of the long forms, or what the suite takes.
func number(name string, short int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return short
}

// bench is one recorder after the other in front of one baseline.
type bench struct {
	t        *testing.T
	cluster  *kafkatest.Cluster
	prefix   string
	spool    string
	address  string
	baseline *httptest.Server
	served   atomic.Uint64 // by the baseline
	logs     *logs         // of the last recorder
}

// logs is what a process says while it runs.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newBench(t *testing.T, cluster *kafkatest.Cluster) *bench {
	t.Helper()
	b := &bench{t: t, cluster: cluster, prefix: cluster.Prefix(t), spool: filepath.Join(t.TempDir(), "spool")}
	b.baseline = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		b.served.Add(1)
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	t.Cleanup(b.baseline.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = l.Addr().String()
	l.Close()
	return b
}

func (b *bench) topics() {
	b.t.Helper()
	if out, err := exec.Command(binary, "topics", "apply", "--kafka", b.kafka(), "--prefix", b.prefix).CombinedOutput(); err != nil {
		b.t.Fatalf("topics apply: %v\n%s", err, out)
	}
}

func (b *bench) kafka() string { return strings.Join(b.cluster.Addrs(), ",") }

// record starts a recorder and waits until it answers.
func (b *bench) record(args ...string) *exec.Cmd {
	b.t.Helper()
	c := exec.Command(binary, append([]string{"record", "--kafka", b.kafka(), "--prefix", b.prefix, "--listen", b.address,
		"--baseline", b.baseline.URL, "--spool-dir", b.spool, "--instance", "rec", "--session", "header:X-Session"}, args...)...)
	b.logs = new(logs)
	c.Stderr = b.logs
	if err := c.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Process.Kill() })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", b.address)
		if err == nil {
			conn.Close()
			return c
		}
		if time.Now().After(end) {
			b.t.Fatalf("the recorder does not listen: %v\n%s", err, b.logs.String())
		}
	}
}

// stop ends a recorder in order.
func (b *bench) stop(c *exec.Cmd) {
	b.t.Helper()
	_ = c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		b.t.Fatalf("the recorder ended with %v\n%s", err, b.logs.String())
	}
	if strings.Contains(b.logs.String(), "panic") || strings.Contains(b.logs.String(), "do not balance") {
		b.t.Errorf("the recorder said\n%s", b.logs.String())
	}
}

// load sends requests at a rate until stopped.
type load struct {
	ok, failed atomic.Uint64
	mu         sync.Mutex
	first      error
	took       []time.Duration
	stop       func()
}

// send starts a load of rate requests a second over 16 clients.
func (b *bench) send(rate int) *load {
	l := &load{}
	ctx, cancel := context.WithCancel(context.Background())
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	const clients = 16
	var wg sync.WaitGroup
	began := time.Now()
	for i := range clients {
		wg.Go(func() {
			for n := 0; ; n++ {
				due := began.Add(time.Duration(n*clients+i) * time.Second / time.Duration(rate))
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Until(due)):
				}
				l.one(client, "http://"+b.address+"/things", fmt.Sprint("s", i))
			}
		})
	}
	l.stop = func() { cancel(); wg.Wait(); transport.CloseIdleConnections() }
	return l
}

func (l *load) one(client *http.Client, url, session string) {
	request, err := http.NewRequest("POST", url, strings.NewReader(strings.Repeat("y", 500)))
	if err != nil {
		panic(err)
	}
	request.Header.Set("X-Session", session)
	began := time.Now()
	answer, err := client.Do(request)
	if err == nil {
		var body []byte
		body, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil && (answer.StatusCode != 200 || len(body) != 1000) {
			err = fmt.Errorf("status %d with %d bytes", answer.StatusCode, len(body))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, time.Since(began))
	if err != nil {
		l.failed.Add(1)
		l.first = errors.Join(l.first, err)
		return
	}
	l.ok.Add(1)
}

// quantile of the time that requests took.
func (l *load) quantile(q float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.took)
	return l.took[int(q*float64(len(l.took)-1))].Round(10 * time.Microsecond)
}

// balance asks the command, until nothing is on disk any more.
func (b *bench) balance() []ledger.Balance {
	b.t.Helper()
	var all []ledger.Balance
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		out, err := exec.Command(binary, "recorder", "balance", "--kafka", b.kafka(), "--prefix", b.prefix, "-o", "json").Output()
		if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
			b.t.Fatalf("recorder balance: %v\n%s", err, out)
		}
		all = nil
		if err := json.Unmarshal(out, &all); err != nil {
			b.t.Fatal(err)
		}
		if entries, _ := os.ReadDir(b.spool); len(entries) == 0 && !slices.ContainsFunc(all, func(x ledger.Balance) bool { return x.Spooled > 0 }) {
			return all
		}
		if time.Now().After(end) {
			b.t.Fatalf("exchanges stay on disk: %+v\n%s", all, b.logs.String())
		}
	}
}

// TestKafkaDiesAndComesBack: while it is away exchanges go to disk, and then to
// Kafka, each once, in order; the clients notice nothing.
func TestKafkaDiesAndComesBack(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{Faults: true})
	b := newBench(t, cluster)
	b.topics()
	rounds, rate := number("UNDERSTUDY_OUTAGES", 2), number("UNDERSTUDY_RATE", 300)
	rec := b.record()
	calm := b.send(rate)
	time.Sleep(3 * time.Second)
	calm.stop()
	l := b.send(rate)
	for round := range rounds {
		time.Sleep(2 * time.Second)
		if round%2 == 0 {
			cluster.KillBroker(t, 0)
		} else { // it takes connections and says nothing
			cluster.PauseBroker(t, 0)
		}
		time.Sleep(5 * time.Second)
		if round%2 == 0 {
			cluster.StartBroker(t, 0)
		} else {
			cluster.ResumeBroker(t, 0)
		}
		time.Sleep(3 * time.Second)
	}
	l.stop()
	for _, want := range []string{"exchanges go to disk", "directly again"} {
		if !strings.Contains(b.logs.String(), want) {
			t.Errorf("the recorder has not said %q:\n%s", want, b.logs.String())
		}
	}
	if l.failed.Load() > 0 || calm.failed.Load() > 0 {
		t.Errorf("%d requests failed: %v", l.failed.Load()+calm.failed.Load(), l.first)
	}
	t.Logf("%d rounds at %d requests a second: %d requests, p50 %v p99 %v beside outages, p50 %v p99 %v without",
		rounds, rate, l.ok.Load(), l.quantile(0.5), l.quantile(0.99), calm.quantile(0.5), calm.quantile(0.99))
	b.stop(rec)
	whole(t, b, b.heir(), l.ok.Load()+calm.ok.Load())
}

// heir starts a recorder that writes what is left, and stops it when that is
// done.
func (b *bench) heir() []ledger.Balance {
	b.t.Helper()
	entries, _ := os.ReadDir(b.spool)
	if len(entries) == 0 {
		return b.balance()
	}
	rec := b.record()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		// Its own folder may not be there yet.
		if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { _, err := os.Stat(filepath.Join(b.spool, e.Name())); return err == nil }) {
			break
		}
		if time.Now().After(end) {
			b.t.Fatalf("what was left is not taken over:\n%s", b.logs.String())
		}
	}
	b.stop(rec)
	return b.balance()
}

// whole asks that every life holds, and that nothing is missing of what the
// clients had answered, but what was killed.
func whole(t *testing.T, b *bench, all []ledger.Balance, answered uint64) {
	t.Helper()
	served, unique, dropped := uint64(0), uint64(0), map[string]uint64{}
	for _, x := range all {
		if !x.Holds {
			t.Errorf("%s of %s: %s\n%s", x.Recorder, x.Start, strings.Join(x.Broken, "; "), b.logs.String())
		}
		for _, r := range x.Ranges {
			if len(r.Why) == 0 {
				t.Errorf("nothing explains why %d to %d are missing", r.First, r.Last)
			}
		}
		served, unique = served+x.Served, unique+x.Unique
		for reason, n := range x.Dropped {
			dropped[reason] += n
		}
	}
	t.Logf("%d lives: served %d, in Kafka %d, dropped %v; the clients had %d answers", len(all), served, unique, dropped, answered)
	if served < answered {
		t.Errorf("the clients had %d answers, the recorder says %d", answered, served)
	}
	for reason := range dropped {
		if reason != "killed" {
			t.Errorf("%d exchanges were dropped: %s", dropped[reason], reason)
		}
	}
	if missing := served - unique; missing > dropped["killed"] {
		t.Errorf("%d are missing, %d were killed", missing, dropped["killed"])
	}
}

// TestKafkaIsAwayAtTheStart and its topics are not there.
func TestKafkaIsAwayAtTheStart(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{Faults: true})
	b := newBench(t, cluster)
	cluster.KillBroker(t, 0)
	rec := b.record()
	l := b.send(100)
	time.Sleep(4 * time.Second)
	cluster.StartBroker(t, 0)
	time.Sleep(2 * time.Second)
	b.topics()
	time.Sleep(2 * time.Second)
	l.stop()
	if l.failed.Load() > 0 {
		t.Errorf("%d requests failed: %v", l.failed.Load(), l.first)
	}
	b.stop(rec)
	whole(t, b, b.heir(), l.ok.Load())
}

// TestKafkaIsSilentAtTheEnd: a recorder that stops while Kafka leaves everything
// unanswered, at first or while the disk is being emptied, leaves all to its
// successor.
func TestKafkaIsSilentAtTheEnd(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{Faults: true})
	b := newBench(t, cluster)
	b.topics()
	config := filepath.Join(t.TempDir(), "slow.yaml")
	if err := os.WriteFile(config, []byte("record: {spool: {drain_rate: 65536}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answered := uint64(0)
	for _, draining := range []bool{false, true} {
		rec := b.record("--config", config)
		l := b.send(200)
		time.Sleep(time.Second)
		cluster.PauseBroker(t, 0)
		time.Sleep(4 * time.Second)
		if draining {
			cluster.ResumeBroker(t, 0)
			time.Sleep(2 * time.Second)
			cluster.PauseBroker(t, 0)
			time.Sleep(time.Second)
		}
		l.stop()
		if l.failed.Load() > 0 {
			t.Errorf("%d requests failed: %v", l.failed.Load(), l.first)
		}
		answered += l.ok.Load()
		b.stop(rec)
		if !strings.Contains(b.logs.String(), "are on disk; the next recorder") {
			t.Errorf("draining %t: nothing was left:\n%s", draining, b.logs.String())
		}
		cluster.ResumeBroker(t, 0)
	}
	whole(t, b, b.heir(), answered)
}

// TestKill9OfTheRecorder at random moments, half of them while Kafka is silent:
// its successor closes its books and writes what was on disk.
func TestKill9OfTheRecorder(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{Faults: true})
	b := newBench(t, cluster)
	b.topics()
	kills, rate := number("UNDERSTUDY_KILLS", 3), number("UNDERSTUDY_RATE", 300)
	answered, failed := uint64(0), uint64(0)
	for i := range kills {
		rec := b.record()
		l := b.send(rate)
		time.Sleep(time.Duration(1000+i*317%2000) * time.Millisecond)
		if i%2 == 1 {
			cluster.PauseBroker(t, 0)
			time.Sleep(time.Duration(i*731%6000) * time.Millisecond)
		}
		_ = rec.Process.Kill()
		_ = rec.Wait()
		l.stop()
		if i%2 == 1 {
			cluster.ResumeBroker(t, 0)
		}
		answered, failed = answered+l.ok.Load(), failed+l.failed.Load()
	}
	all := b.heir()
	if lives := len(all); lives < kills {
		t.Errorf("%d lives of %d", lives, kills)
	}
	killed := 0
	for _, x := range all {
		if x.State == ledger.Killed {
			killed++
		}
	}
	if killed != kills {
		t.Errorf("of %d kills %d are told", kills, killed)
	}
	t.Logf("%d kills at %d requests a second; %d requests failed with the process", kills, rate, failed)
	whole(t, b, all, answered)
}
