package kill

import (
	"bytes"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// restartsWanted is how often Kafka is restarted; once in the suite.
func restartsWanted() int {
	if n, err := strconv.Atoi(os.Getenv("UNDERSTUDY_RESTARTS")); err == nil {
		return n
	}
	return 1
}

// TestKafkaRestartsUnderWorkers: while three workers share a run its only broker is
// stopped, or killed, and comes again some seconds later. In the end each exchange has
// one replay, what may have been sent twice says so, and the books balance.
func TestKafkaRestartsUnderWorkers(t *testing.T) {
	const rate, sessions = 100, 60
	restarts := restartsWanted()
	engine, cluster := embeddedtest.Start(t), kafkatest.Start(t, kafkatest.Options{Faults: true})
	here := place{brokers: cluster.Addrs(), prefix: cluster.Prefix(t), database: "clickhouse://" + engine.Native + "/restarts"}
	if _, err := clickhouse.Migrate(t.Context(), clickhouse.Config{Address: here.database}); err != nil {
		t.Fatal(err)
	}
	n := rate * (10 + 30*restarts)
	here.visits(t, n, rate, sessions)
	s := &shop{asked: map[string]int{}}
	server := httptest.NewServer(s)
	defer server.Close()
	kafka := []string{"--kafka", strings.Join(here.brokers, ","), "--prefix", here.prefix, "--isolated"}
	if out, err := exec.CommandContext(t.Context(), binary, append([]string{"runs", "start", "restarts", "--candidate", server.URL}, kafka...)...).CombinedOutput(); err != nil {
		t.Fatalf("runs start: %v\n%s", err, out)
	}
	workers, said := make([]*exec.Cmd, 3), make([]bytes.Buffer, 3)
	for i := range workers {
		workers[i] = exec.CommandContext(t.Context(), binary, append([]string{"replay", "worker", "--run", "restarts"}, kafka...)...)
		workers[i].Stdout, workers[i].Stderr = &said[i], &said[i]
		if err := workers[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range restarts {
		time.Sleep(6*time.Second + time.Duration(rand.Int64N(int64(6*time.Second))))
		if i%2 == 0 {
			cluster.KillBroker(t, 0)
		} else {
			cluster.StopBroker(t, 0)
		}
		time.Sleep(time.Second + time.Duration(rand.Int64N(int64(4*time.Second))))
		cluster.StartBroker(t, 0)
	}
	for i, c := range workers {
		if err := c.Wait(); err != nil {
			t.Errorf("a worker: %v\n%s", err, said[i].Bytes())
		}
	}
	run, err := stream.FindRun(t.Context(), stream.Config{Brokers: here.brokers}, topic.NamesFor(here.prefix), "restarts")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d restarts: %s, selected %d, replayed %d, skipped %v, written %d, may be repeated %d, rate %.2f of %.2f/s, lag p50 %s p99 %s", restarts, run.GetState(), run.GetSelected(),
		run.GetReplayed(), run.GetSkipped(), run.GetWritten(), run.GetRepeated(), run.GetAchievedRate(), run.GetPlannedRate(), time.Duration(run.GetLagP50Nano()), time.Duration(run.GetLagP99Nano()))
	t.Logf("%d requests were sent more than once", here.check(t, run, n, s))
	for _, args := range [][]string{{"compare", "--run", "restarts"}, {"runs", "balance", "restarts"}} {
		if out, err := here.command(t.Context(), args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
