package volume

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kadm"

	"understudy.dev/comparator/report"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// small orders: every fifth total is a cent too high.
var small = kind{"small", func(r *rand.Rand, i int) (string, string, bool) {
	body := order(r, 1<<10, fmt.Sprintf("ord_%d", 100_000+i), moment, fmt.Sprintf("%d.00", i%500))
	if i%5 != 0 {
		return body, body, false
	}
	return body, strings.Replace(body, `.00","items"`, `.01","items"`, 1), true
}, 1, false}

const forgiving = `rules:
  - {name: cents, owner: volume, reason: rounding, path: $.total, action: ignore}
`

// TestJudgeAgain judges a run under other rules: without another replay, beside
// the old judgement, which stays as it was; any row leads back to its record,
// under either, until retention takes it. UNDERSTUDY_JUDGED=200000 is the run of
// docs/tables.md.
func TestJudgeAgain(t *testing.T) {
	n := number(t, "UNDERSTUDY_JUDGED", 2000)
	p := newPlace(t, "volume_judged")
	differing := publish(t, p, "r", n, small)
	rules := filepath.Join(t.TempDir(), "new.yaml")
	if err := os.WriteFile(rules, []byte(forgiving), 0o600); err != nil {
		t.Fatal(err)
	}
	compared := p.must(t, "compare", "--run", "r")
	t.Logf("compare: %d replays in %s", n, compared)
	before := p.list(t)
	if len(before) != 1 || !before[0].Current || before[0].Replays != uint64(n) || before[0].Match != uint64(n)-differing {
		t.Fatalf("after compare: %+v", before)
	}
	rows, ends := p.rows(t, before[0].ID), p.ends(t)

	judged := p.must(t, "judge", "r", "--rules", rules)
	t.Logf("judge: %d replays in %s", n, judged)
	if again := p.ends(t); !maps.Equal(ends, again) {
		t.Errorf("the topics end at %v, before at %v: judge has written to Kafka", again, ends)
	}
	if again := p.rows(t, before[0].ID); again != rows {
		t.Errorf("the old judgement has rows %s, before %s", again, rows)
	}
	after := p.list(t)
	if len(after) != 2 || after[0].Current || !after[1].Current || after[1].Replays != uint64(n) || after[1].Match != uint64(n) {
		t.Fatalf("after judge: %+v", after)
	}
	var shown report.Report
	p.decode(t, &shown, "report", "r", "-o", "json")
	if shown.Judgement == nil || shown.Judgement.ID != after[1].ID || !shown.Judgement.Time.Equal(after[1].Time) || shown.Total.Match != uint64(n) {
		t.Errorf("the report is of %+v with %d matches, the list says %+v", shown.Judgement, shown.Total.Match, after[1])
	}

	diff := p.diff(t, after)
	changed := uint64(0)
	for _, x := range diff.Transitions {
		changed += x.Replays
		if x.Old != "mismatch" || x.New != "match" {
			t.Errorf("%+v", x)
		}
	}
	places := map[string]uint64{}
	for _, x := range diff.Paths {
		places[x.Path+" "+x.Class] += x.Old + x.New
	}
	if want := map[string]uint64{"$.total ": differing, "$.total rule:cents": differing}; changed != differing || diff.Same != uint64(n)-differing || !maps.Equal(places, want) {
		t.Errorf("%d verdicts changed, want %d; %d are the same; places %v", changed, differing, diff.Same, places)
	}
	p.leadBack(t, after, n)
	p.expire(t, n)
}

func (p place) must(t *testing.T, args ...string) cost {
	t.Helper()
	c, err := p.understudy(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// decode reads what a command prints.
func (p place) decode(t *testing.T, into any, args ...string) {
	t.Helper()
	c := p.must(t, args...)
	if err := json.Unmarshal([]byte(c.out), into); err != nil {
		t.Fatalf("%v: %v\n%.2000s", args, err, c.out)
	}
}

func (p place) list(t *testing.T) (all []report.Judgement) {
	t.Helper()
	p.decode(t, &all, "judge", "list", "r", "-o", "json")
	return all
}

func (p place) diff(t *testing.T, js []report.Judgement) (d report.JudgementDiff) {
	t.Helper()
	c := p.must(t, "judge", "diff", "r", js[0].ID, js[1].ID, "-o", "json")
	t.Logf("judge diff: %s", c)
	if err := json.Unmarshal([]byte(c.out), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// rows are sums over everything that a judgement has written.
func (p place) rows(t *testing.T, judgement string) string {
	t.Helper()
	var out []string
	for _, table := range []string{"stored_comparisons", "stored_differences", "stored_comparisons_by_minute", "stored_differences_by_minute", "stored_comparison_totals", "stored_difference_totals"} {
		var n, sum uint64
		query := fmt.Sprintf("SELECT count(), sum(cityHash64(toString(tuple(* EXCEPT (baseline_latency, ack_latency, completion_latency))))) FROM %s FINAL WHERE judgement = @judgement", table)
		if table != "stored_comparisons_by_minute" {
			query = strings.Replace(query, " EXCEPT (baseline_latency, ack_latency, completion_latency)", "", 1)
		}
		if err := p.conn.QueryRow(t.Context(), query, chgo.Named("judgement", judgement)).Scan(&n, &sum); err != nil || n == 0 {
			t.Fatalf("%s: %d rows, %v", query, n, err)
		}
		out = append(out, fmt.Sprintf("%s %d %d", table, n, sum))
	}
	return strings.Join(out, ", ")
}

// ends are the ends of all topics, by topic and partition.
func (p place) ends(t *testing.T) map[string]int64 {
	t.Helper()
	client, err := stream.Dial(t.Context(), stream.Config{Brokers: []string{p.at.Kafka}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	names := p.names()
	listed, err := kadm.NewClient(client).ListEndOffsets(t.Context(), names.Replays, names.Runs, names.Exchanges, names.Tallies)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	listed.Each(func(o kadm.ListedOffset) { out[fmt.Sprintf("%s/%d", o.Topic, o.Partition)] = o.Offset })
	return out
}

// explained is what explain says, as far as it is looked at here.
type explained struct {
	Ordinal uint64 `json:"ordinal"`
	Verdict string `json:"verdict"`
	Agrees  bool   `json:"agrees"`
	Under   string `json:"under"`
	Stored  struct {
		Judgement string `json:"judgement"`
		Current   bool   `json:"current"`
	} `json:"stored"`
}

// leadBack asks show and explain for the first row, the last and some others.
func (p place) leadBack(t *testing.T, js []report.Judgement, n int) {
	t.Helper()
	for _, ordinal := range []int{1, n, n / 2, 1 + rand.IntN(n), 1 + rand.IntN(n)} {
		text := fmt.Sprint(ordinal)
		if c := p.must(t, "show", "r", text); !strings.Contains(c.out, fmt.Sprintf("ordinal %d: match under judgement %s", ordinal, js[1].ID)) {
			t.Errorf("show of %d:\n%.1000s", ordinal, c.out)
		}
		old := "match"
		if (ordinal-1)%5 == 0 {
			old = "mismatch"
		}
		for i, want := range []string{old, "match"} {
			args := []string{"explain", "r", text, "-o", "json"}
			if i == 0 {
				args = append(args, "--judgement", js[0].ID[:8])
			}
			var got explained
			p.decode(t, &got, args...)
			if got.Ordinal != uint64(ordinal) || got.Verdict != want || !got.Agrees || got.Under != "" || got.Stored.Judgement != js[i].ID || got.Stored.Current != (i == 1) {
				t.Errorf("explain of %d under judgement %d: %+v, want %s", ordinal, i, got, want)
			}
		}
	}
}

// expire lets retention take the first half of each partition: what is left is
// shown as before, and of the rest it is said that it is gone.
func (p place) expire(t *testing.T, n int) {
	t.Helper()
	client, err := stream.Dial(t.Context(), stream.Config{Brokers: []string{p.at.Kafka}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	gone := kadm.Offsets{}
	for at, end := range p.ends(t) {
		if topic, number, _ := strings.Cut(at, "/"); topic == p.names().Replays {
			var partition int32
			if _, err := fmt.Sscan(number, &partition); err != nil {
				t.Fatal(err)
			}
			gone.AddOffset(topic, partition, end/2, -1)
		}
	}
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	first := p.count(t, "SELECT argMin(ordinal, kafka_offset) FROM comparisons")
	last := p.count(t, "SELECT argMax(ordinal, kafka_offset) FROM comparisons")
	for _, command := range []string{"show", "explain"} {
		p.must(t, command, "r", fmt.Sprint(last))
		if c, err := p.understudy(t, command, "r", fmt.Sprint(first)); err == nil || !strings.Contains(c.out, "retention has taken the record") || !strings.Contains(c.out, "what the tables keep of it") {
			t.Errorf("%s of a record that is gone: %v\n%s", command, err, c.out)
		}
	}
	if c, err := p.understudy(t, "judge", "r"); err == nil || !strings.Contains(c.out, "the others have expired") {
		t.Errorf("judge of a run that has expired in part: %v\n%s", err, c.out)
	}
	if got := p.count(t, "SELECT count() FROM comparisons"); got != uint64(n) {
		t.Errorf("%d replays are left in the tables, want %d", got, n)
	}
}

// TestWhatHasNoOrdinal is found by where its record stands: a completion that
// nobody asked for.
func TestWhatHasNoOrdinal(t *testing.T) {
	p := newPlace(t, "volume_orphan")
	publish(t, p, "r", 20, small)
	producer, err := stream.NewProducer(t.Context(), stream.Config{Brokers: []string{p.at.Kafka}}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	record, err := stream.ReplayRecord(p.names(), &understudyv1.Replay{Run: "r", ClosedUnixNano: time.Now().UnixNano(), Orphan: &understudyv1.Orphan{
		Received: &understudyv1.Request{Method: "POST", Target: []byte("/callbacks/nobody")},
	}})
	if err == nil {
		err = producer.ProduceSync(t.Context(), record)
	}
	if err != nil {
		t.Fatal(err)
	}
	// The books of the run know of no orphan, and compare says so.
	if c, err := p.understudy(t, "compare", "--run", "r"); err == nil || !strings.Contains(c.out, "orphans 0 ≠") {
		t.Fatalf("%v\n%s", err, c.out)
	}
	var partition int32
	var offset int64
	if err := p.conn.QueryRow(t.Context(), "SELECT kafka_partition, kafka_offset FROM comparisons WHERE verdict = 'orphan'").Scan(&partition, &offset); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("%d:%d", partition, offset)
	for command, want := range map[string]string{"show": "/callbacks/nobody", "explain": "orphan"} {
		if c := p.must(t, command, "r", at); !strings.Contains(c.out, want) {
			t.Errorf("%s r %s:\n%s", command, at, c.out)
		}
	}
	if c, err := p.understudy(t, "show", "r", at+"99"); err == nil || !strings.Contains(c.out, "no replay "+at+"99 in the tables") {
		t.Errorf("a record that is not there: %v\n%s", err, c.out)
	}
}
