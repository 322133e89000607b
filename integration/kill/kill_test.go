package kill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator"
	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/integration/program"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// binary is built for this test, so that it is never a stale one.
var binary string

func TestMain(m *testing.M) { os.Exit(program.Main(&binary, func() int { return kafkatest.Main(m) })) }

const (
	replays    = 30_000
	partitions = 8
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

// sums is everything that must be the same under one judgement: the facts and
// whatever is made of them.
func sums(t *testing.T, database, judgement string) string {
	t.Helper()
	conn, err := clickhouse.Connect(t.Context(), clickhouse.Config{Address: database})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var b strings.Builder
	for _, q := range []string{
		"SELECT 'comparisons', count(), uniqExact(exchange_id), sum(cityHash64(exchange_id, verdict, route, differences, noise, presumed, kafka_partition, kafka_offset)) FROM all_comparisons WHERE judgement = @j",
		"SELECT 'differences', count(), uniqExact(exchange_id, path), sum(cityHash64(exchange_id, path, baseline, candidate, noise_class, number)) FROM all_differences WHERE judgement = @j",
		"SELECT 'substitutions', count(), uniqExact(exchange_id), sum(uses) FROM substitutions",
		"SELECT 'runs', count(), sum(selected), sum(written) FROM (SELECT * FROM runs FINAL)",
		"SELECT concat('minutes ', verdict), sum(replays), sum(s.differences + s.presumed), sum(s.noise) FROM stored_comparisons_by_minute AS s FINAL WHERE judgement = @j GROUP BY verdict ORDER BY verdict",
		"SELECT concat('totals ', route, ' ', verdict), sum(replays), sum(s.differences + s.presumed), sum(s.noise) FROM stored_comparison_totals AS s FINAL WHERE judgement = @j GROUP BY route, verdict ORDER BY route, verdict",
		"SELECT 'latencies', count(), sum(toUInt64(arraySum(arrayMap(x -> ifNotFinite(x, 0), finalizeAggregation(ack_latency))))), sum(replays) FROM stored_comparisons_by_minute FINAL WHERE judgement = @j",
		"SELECT concat('places ', path, ' ', kind, ' ', noise_class), sum(places), uniqExact(minute), sum(replays) + sum(first_of_class) FROM stored_differences_by_minute FINAL WHERE judgement = @j GROUP BY path, kind, noise_class ORDER BY 1",
		"SELECT concat('kinds ', path, ' ', kind, ' ', noise_class), sum(places), sum(replays), sum(first_of_class) FROM stored_difference_totals FINAL WHERE judgement = @j GROUP BY path, kind, noise_class ORDER BY 1",
	} {
		rows, err := conn.Query(t.Context(), q, chgo.Named("j", judgement))
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

// place is where a comparator reads and writes, and under which rules.
type place struct {
	brokers          []string
	prefix, database string
	rules            string // file of a configuration; empty is the default
}

// command runs understudy there.
func (p place) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append(args, "--kafka", strings.Join(p.brokers, ","), "--prefix", p.prefix, "--clickhouse", p.database)
	if p.rules != "" {
		args = append(args, "--config", p.rules)
	}
	return exec.CommandContext(ctx, binary, args...)
}

func (p place) compare(ctx context.Context, group, instance string) *exec.Cmd {
	return p.command(ctx, "compare", "--run", "r", "--group", group, "--instance", instance)
}

func (p place) judge(t *testing.T) {
	t.Helper()
	if out, err := p.command(t.Context(), "judge", "r").CombinedOutput(); err != nil {
		t.Fatalf("judge: %v\n%s", err, out)
	}
}

// judgement is the hash of the rules.
func (p place) judgement(t *testing.T) string {
	t.Helper()
	c := comparator.DefaultConfig()
	if p.rules != "" {
		c.Rules = otherRules
	}
	j, err := c.Judgement()
	if err != nil {
		t.Fatal(err)
	}
	return j.ID
}

// otherRules forgive a total that is a cent too high.
var otherRules = []comparator.Rule{{Name: "cents", Owner: "kill", Reason: "rounding", Path: "$.total", Action: "ignore"}}

// TestKill9OfCompareLeavesTheRowsOfAnUndisturbedRun: two processes of two
// groups, rules that change between, a ClickHouse that goes away, offsets that
// are reset, and a judge that is killed too.
func TestKill9OfCompareLeavesTheRowsOfAnUndisturbedRun(t *testing.T) {
	engine := embeddedtest.Start(t)
	cluster := kafkatest.Shared(t)
	prefix, brokers := cluster.Prefix(t), cluster.Addrs()
	publish(t, brokers, topic.NamesFor(prefix))
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte("compare:\n  rules:\n    - {name: cents, owner: kill, reason: rounding, path: $.total, action: ignore}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := func(name, rules string) place {
		address := "clickhouse://" + engine.Native + "/" + name
		if _, err := clickhouse.Migrate(t.Context(), clickhouse.Config{Address: address}); err != nil {
			t.Fatal(err)
		}
		return place{brokers, prefix, address, rules}
	}

	calm := in("calm", "")
	began := time.Now()
	if out, err := calm.compare(t.Context(), prefix+".calm", "one").CombinedOutput(); err != nil {
		t.Fatalf("undisturbed: %v\n%s", err, out)
	}
	length := time.Since(began)
	forgiving := in("calm", rules)
	want := map[string]string{calm.judgement(t): sums(t, calm.database, calm.judgement(t))}
	// Other rules on what is judged are no silent success; judge leaves the old
	// judgement as it was.
	if out, err := forgiving.compare(t.Context(), prefix+".calm", "one").CombinedOutput(); err == nil || !strings.Contains(string(out), "under other rules") {
		t.Fatalf("compare under other rules: %v\n%s", err, out)
	}
	forgiving.judge(t)
	want[forgiving.judgement(t)] = sums(t, calm.database, forgiving.judgement(t))
	if diff := cmp.Diff(want[calm.judgement(t)], sums(t, calm.database, calm.judgement(t))); diff != "" {
		t.Fatalf("the old judgement (-before +after judge):\n%s", diff)
	}
	t.Logf("undisturbed in %s:\n%s\n%s", length.Round(time.Millisecond), want[calm.judgement(t)], want[forgiving.judgement(t)])
	for j, w := range want {
		if !strings.Contains(w, fmt.Sprintf("comparisons %d %d ", replays, replays)) {
			t.Fatalf("the undisturbed run is not whole under %s:\n%s", j, w)
		}
	}

	s := storm{t: t, length: length, engine: engine.Native}
	for round := 0; s.kills < killsWanted(); round++ {
		name := fmt.Sprint("stormy", round)
		a, b := in(name, ""), in(name, rules)
		s.round(a, b, fmt.Sprintf("%s.%s", prefix, name))
		for j, w := range want {
			if diff := cmp.Diff(w, sums(t, a.database, j)); diff != "" {
				t.Fatalf("round %d, judgement %s (-undisturbed +disturbed):\n%s", round, j, diff)
			}
		}
		balance := exec.Command(binary, "runs", "balance", "r", "--clickhouse", a.database)
		if out, err := balance.CombinedOutput(); err != nil {
			t.Fatalf("round %d: runs balance: %v\n%s", round, err, out)
		}
	}
	t.Logf("%d kills", s.kills)
}

// killsWanted is how often comparators are killed at least: UNDERSTUDY_KILLS, or
// 6.
func killsWanted() int {
	if n, err := strconv.Atoi(os.Getenv("UNDERSTUDY_KILLS")); err == nil {
		return n
	}
	return 6
}
