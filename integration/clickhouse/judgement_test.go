package clickhouse

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator"
	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/report"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// part is a batch of some of the records of another.
func part(b stream.Batch, first, end int64) stream.Batch {
	b.Records, b.First, b.End = b.Records[first:end], first, end
	return b
}

// TestOtherBatchesLeaveNoSecondTrace: another group cuts the records elsewhere,
// begins anew, and does it at the same time.
func TestOtherBatchesLeaveNoSecondTrace(t *testing.T) {
	conn, names := database(t, "boundaries"), topic.NamesFor("")
	const n = 20_000 // of three segments
	all := batch(t, names, "topic", n)
	var wg sync.WaitGroup
	for _, size := range []int64{1700, 3000, 9999} {
		in := ingest(t, conn, "j", everyThird{})
		wg.Go(func() {
			for first := int64(0); first < n; first += size {
				if err := in.Handle(t.Context(), part(all, first, min(first+size, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	third := uint64(n / 3)
	want := map[string]uint64{
		"comparisons": n, "differences": 2 * third, "discrepancies": third, "noise": third, "substitutions": n / 4,
		"minutes": n, "places": 2 * third, "totals": 2 * third, "matches": n - third, "exact text": third,
	}
	if diff := cmp.Diff(want, counts(t, conn)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	classes, err := report.Noise(t.Context(), conn, "r")
	if err != nil || len(classes) != 1 || classes[0].Replays != third {
		t.Errorf("%+v, %v", classes, err)
	}
	var stored uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM stored_comparisons").Scan(&stored); err != nil || stored <= n {
		t.Errorf("%d rows are stored, %v: nothing was written twice, so this shows nothing", stored, err)
	}
}

// TestJudgementsStandBesideEachOther: each is whole, one is shown.
func TestJudgementsStandBesideEachOther(t *testing.T) {
	conn, names := database(t, "judgements"), topic.NamesFor("")
	b := batch(t, names, "topic", 120)
	put := func(id string, aside bool, judge clickhouse.Judge) {
		t.Helper()
		in, err := clickhouse.NewIngest(conn, clickhouse.IngestConfig{
			Names: names, Judgement: comparator.Judgement{ID: id, Version: comparator.JudgeVersion, Config: "rules: [{name: cents}]"}, Origin: "here", Aside: aside,
		}, judge, nil, prometheus.NewRegistry())
		if err == nil {
			err = in.Handle(t.Context(), b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	shown := func(want uint64) {
		t.Helper()
		scores, err := report.Scorecard(t.Context(), conn, "r")
		if err != nil || len(scores) != 1 || scores[0].Mismatch != want || scores[0].Replays != 120 {
			t.Errorf("%+v, %v; want %d mismatches", scores, err, want)
		}
	}
	put("aaa1", false, everyThird{})
	shown(40)
	put("aaa2", true, manyDifferences{1}) // beside
	shown(40)
	if err := clickhouse.Choose(t.Context(), conn, "r", comparator.Judgement{ID: "aaa2"}, "test"); err != nil {
		t.Fatal(err)
	}
	shown(120)
	put("aaa1", false, everyThird{}) // an old process comes again
	shown(120)

	js, err := report.Judgements(t.Context(), conn, "r")
	if err != nil || len(js) != 2 || js[0].ID != "aaa1" || js[0].Current || js[0].Match != 80 || js[0].Replays != 120 || !js[1].Current || js[1].Match != 0 {
		t.Fatalf("%+v, %v", js, err)
	}
	f := func(prefix, want string) {
		t.Helper()
		if _, err := report.FindJudgement(js, "r", prefix); !errors.Is(err, report.ErrJudgement) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", prefix, err)
		}
	}
	f("aaa", "ambiguous: aaa1 and aaa2")
	f("b", "unknown: run r has aaa1, aaa2")
	f("", "unknown")
	js[0].Version = comparator.JudgeVersion + 1
	f("aaa1", fmt.Sprintf("version %d of the judge", js[0].Version))

	d, err := report.DiffJudgements(t.Context(), conn, "r", js[0], js[1])
	want := report.JudgementDiff{
		Run: "r", Old: "aaa1", New: "aaa2", Same: 40, NewDropped: 240,
		Transitions: []report.Transition{{Route: "GET /n", Old: "match", New: "mismatch", Replays: 80, Exchange: "e0", Ordinal: 1}},
		Paths: []report.PathChange{
			{Route: "GET /n", Path: "$.n0", Kind: "value", New: 120},
			{Route: "GET /n", Path: "$.at", Kind: "value", Class: "timestamp", Old: 40},
			{Route: "GET /n", Path: "$.n", Kind: "value", Old: 40},
		},
	}
	if diff := cmp.Diff(want, d); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestARunOfAnotherPrefixIsRefused, whoever comes first, and also when both come
// at once; and no other run waits for it.
func TestARunOfAnotherPrefixIsRefused(t *testing.T) {
	conn, names := database(t, "origins"), topic.NamesFor("")
	from := func(origin string) *clickhouse.Ingest {
		t.Helper()
		in, err := clickhouse.NewIngest(conn, clickhouse.IngestConfig{Names: names, Judgement: comparator.Judgement{ID: "j"}, Origin: origin},
			everyThird{}, nil, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	here, there := from("here"), from("there")
	if err := here.Handle(t.Context(), batch(t, names, "a", 12)); err != nil {
		t.Fatal(err)
	}
	mixed := batch(t, names, "b", 12)
	free, err := stream.ReplayRecord(names, &understudyv1.Replay{Run: "free", Ordinal: 1, ClosedUnixNano: time.Now().UnixNano()})
	if err != nil {
		t.Fatal(err)
	}
	free.Offset = mixed.End
	mixed.Records, mixed.End = append(mixed.Records, free), mixed.End+1
	if err := there.Handle(t.Context(), mixed); err != nil {
		t.Error(err)
	}
	var states []*kgo.Record
	for _, run := range []string{"r", "free"} {
		state, err := stream.RunRecord(names, &understudyv1.Run{Name: run, Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, state)
	}
	if err := there.Handle(t.Context(), stream.Batch{Topic: names.Runs, End: 2, Records: states}); err != nil {
		t.Error(err)
	}
	if err := there.Claim(t.Context(), "other", "r"); !errors.Is(err, clickhouse.ErrOrigin) || !strings.Contains(err.Error(), `run "r" is another run in this database`) {
		t.Errorf("got %v", err)
	}
	if got := there.Taken(); !slices.Equal(got, []string{"r"}) {
		t.Errorf("taken are %q", got)
	}
	var written, runs []string
	if err := conn.QueryRow(t.Context(), "SELECT groupArray(s) FROM (SELECT concat(run, ' ', toString(count())) AS s FROM stored_comparisons GROUP BY run ORDER BY run)").Scan(&written); err != nil || !slices.Equal(written, []string{"free 1", "r 12"}) {
		t.Errorf("comparisons of %q, %v", written, err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT groupArray(name) FROM runs").Scan(&runs); err != nil || !slices.Equal(runs, []string{"free"}) {
		t.Errorf("states of %q, %v", runs, err)
	}
	for i := range 10 {
		run := fmt.Sprint("race", i)
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for n := range errs {
			in := from(fmt.Sprint("origin", n))
			wg.Go(func() { errs[n] = in.Claim(t.Context(), run) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, clickhouse.ErrOrigin) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d have it: %v", run, won, errs)
		}
	}
}
