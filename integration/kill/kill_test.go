package kill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// binary is built for this test, so that it is never a stale one.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "understudy-kill-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "understudy")
	build := exec.Command("go", "build", "-o", binary, "understudy.dev/cmd/understudy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("build: %v\n%s", err, out)
		return 1
	}
	return kafkatest.Main(m)
}

const (
	replays    = 30_000
	partitions = 8
	// kills at least, over as many rounds as it takes.
	killsWanted = 20
	roundsMost  = 12
)

// publish writes a run of synthetic replays whose books balance.
func publish(t *testing.T, brokers []string, names topic.Names) {
	t.Helper()
	p, err := stream.NewProducer(t.Context(), stream.Config{Brokers: brokers}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := stream.Apply(t.Context(), p.Client(), topic.Specs(names, topic.Sizing{Partitions: partitions})); err != nil {
		t.Fatal(err)
	}
	produce := func(r *kgo.Record, err error) {
		if err != nil {
			t.Fatal(err)
		}
		p.Produce(t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	base := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for i := range replays {
		produce(stream.ReplayRecord(names, replay(i, base.Add(time.Duration(i)*20*time.Millisecond))))
	}
	end := base.Add(time.Hour).UnixNano()
	skipped := uint64(0)
	for i := range replays {
		if i%11 == 7 {
			skipped++
		}
	}
	produce(stream.RunRecord(names, &understudyv1.Run{
		Name: "r", State: understudyv1.Run_STATE_COMPLETED, Version: 1, Spec: &understudyv1.RunSpec{Speed: 1},
		StartUnixNano: base.UnixNano(), TimeUnixNano: end, EndUnixNano: end,
		Selected: replays, Replayed: replays - skipped, Skipped: map[string]uint64{"canceled": skipped}, Written: replays,
	}))
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// replay makes the i-th replay: matches, mismatches with noise, lost ones.
func replay(i int, at time.Time) *understudyv1.Replay {
	answer := func(status uint32, body string) *understudyv1.Response {
		return &understudyv1.Response{
			Status: status, Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
			Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body))},
		}
	}
	r := &understudyv1.Replay{
		Run: "r", Ordinal: uint64(i + 1), Attempt: 1, ClosedUnixNano: at.UnixNano(), SentUnixNano: at.UnixNano(), ScheduledUnixNano: at.UnixNano(),
		Exchange: &understudyv1.Exchange{
			Id: fmt.Sprintf("e-%06d", i), Session: fmt.Sprint("s", i%997), Recorder: "kill", Sequence: uint64(i + 1),
			Route: fmt.Sprintf("GET /r%d/{id}", i%7), StartUnixNano: at.Add(-time.Hour).UnixNano(), DurationNano: int64(5 * time.Millisecond),
			Request:  &understudyv1.Request{Method: "GET", Target: fmt.Appendf(nil, "/r/%d", i)},
			Response: answer(200, fmt.Sprintf(`{"id":"ord_%d","total":"%d.00","tags":["a","b"]}`, 10_000+i, i%50)),
		},
		Candidate: &understudyv1.Observation{AckLatencyNano: int64(3 * time.Millisecond), AckServiceNano: int64(3 * time.Millisecond)},
	}
	total := fmt.Sprintf("%d.00", i%50)
	if i%5 == 3 {
		total = fmt.Sprintf("%d.01", i%50)
	}
	r.Candidate.Ack = answer(200, fmt.Sprintf(`{"tags":["a","b"],"id":"x%d","total":"%s"}`, i, total))
	r.Candidate.Completion = &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, Seen: 1}
	switch {
	case i%11 == 7:
		r.Skipped, r.Candidate = "canceled", nil
	case i%13 == 5:
		r.Candidate.Ack = answer(202, "")
		r.Candidate.Completion = &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_POLL, Reason: "timeout"}
	}
	return r
}

// sums is everything that must be the same.
func sums(t *testing.T, database string) string {
	t.Helper()
	conn, err := clickhouse.Connect(t.Context(), clickhouse.Config{Address: database})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var b strings.Builder
	for _, q := range []string{
		"SELECT 'comparisons', count(), uniqExact(exchange_id), sum(cityHash64(exchange_id, verdict, route, differences, noise, kafka_offset)) FROM comparisons",
		"SELECT 'differences', count(), uniqExact(exchange_id, path), sum(cityHash64(exchange_id, path, baseline, candidate, noise_class)) FROM differences",
		"SELECT 'discrepancies', count(), uniqExact(path), toUInt64(0) FROM discrepancies",
		"SELECT 'runs', count(), sum(selected), sum(written) FROM (SELECT * FROM runs FINAL)",
		"SELECT concat('minutes ', verdict), sum(replays), sum(differences), sum(noise) FROM comparisons_by_minute GROUP BY verdict ORDER BY verdict",
		"SELECT concat('places ', path, ' ', kind, ' ', noise_class), sum(places), uniqExact(minute), toUInt64(0) FROM differences_by_minute GROUP BY path, kind, noise_class ORDER BY 1",
	} {
		rows, err := conn.Query(t.Context(), q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		for rows.Next() {
			var name string
			var x, y, z uint64
			if err := rows.Scan(&name, &x, &y, &z); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
			fmt.Fprintln(&b, name, x, y, z)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// compare is the command, with its own database and group.
func compare(ctx context.Context, brokers []string, prefix, database, group, instance string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, "compare", "--run", "r", "--kafka", strings.Join(brokers, ","), "--prefix", prefix,
		"--clickhouse", database, "--group", group, "--instance", instance)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	return cmd
}

func TestKill9OfCompareLeavesTheRowsOfAnUndisturbedRun(t *testing.T) {
	engine := embeddedtest.Start(t)
	cluster := kafkatest.Shared(t)
	prefix, brokers := cluster.Prefix(t), cluster.Addrs()
	publish(t, brokers, topic.NamesFor(prefix))
	database := func(name string) string {
		address := "clickhouse://" + engine.Native + "/" + name
		if _, err := clickhouse.Migrate(t.Context(), clickhouse.Config{Address: address}); err != nil {
			t.Fatal(err)
		}
		return address
	}

	calm := database("calm")
	began := time.Now()
	var errOut bytes.Buffer
	undisturbed := compare(t.Context(), brokers, prefix, calm, prefix+".calm", "one")
	undisturbed.Stderr = &errOut
	if err := undisturbed.Run(); err != nil {
		t.Fatalf("undisturbed: %v\n%s", err, errOut.String())
	}
	length := time.Since(began)
	want := sums(t, calm)
	t.Logf("undisturbed in %s:\n%s", length.Round(time.Millisecond), want)
	if !strings.Contains(want, fmt.Sprintf("comparisons %d %d ", replays, replays)) {
		t.Fatalf("the undisturbed run is not whole:\n%s", want)
	}

	kills := 0
	for round := 0; kills < killsWanted || round < 2; round++ {
		if round == roundsMost {
			t.Fatalf("only %d kills in %d rounds", kills, round)
		}
		stormy := database(fmt.Sprint("stormy", round))
		group := fmt.Sprintf("%s.stormy%d", prefix, round)
		kills += untilWhole(t, brokers, prefix, stormy, group, length, 1+round%2)
		if diff := cmp.Diff(want, sums(t, stormy)); diff != "" {
			t.Fatalf("round %d (-undisturbed +disturbed):\n%s", round, diff)
		}
		balance := exec.Command(binary, "runs", "balance", "r", "--clickhouse", stormy)
		if out, err := balance.CombinedOutput(); err != nil {
			t.Fatalf("round %d: runs balance: %v\n%s", round, err, out)
		}
	}
	t.Logf("%d kills", kills)
}

// untilWhole starts comparators and kills them at random moments, until they
// end by themselves; at most a dozen times, the last ones may live.
func untilWhole(t *testing.T, brokers []string, prefix, database, group string, length time.Duration, workers int) (kills int) {
	t.Helper()
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var cmds []*exec.Cmd
		for worker := range workers {
			cmd := compare(ctx, brokers, prefix, database, group, fmt.Sprint("worker", worker))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			cmds = append(cmds, cmd)
		}
		if try < 4 {
			// At first it only connects, and at the end it only looks around.
			time.Sleep(length/8 + time.Duration(rand.Int64N(int64(length)/2)))
			for _, cmd := range cmds {
				_ = cmd.Process.Kill()
			}
		}
		alive := true
		for _, cmd := range cmds {
			err := cmd.Wait()
			if try < 4 && err != nil && cmd.ProcessState.ExitCode() == -1 {
				kills++
				alive = false
			} else if err != nil {
				t.Fatalf("compare: %v", err)
			}
		}
		cancel()
		if alive {
			return kills
		}
	}
}
