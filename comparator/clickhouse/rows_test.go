package clickhouse

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
	"understudy.dev/schemas/table"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

var at = Position{TopicID: "topic", Partition: 3, Offset: 77, Time: time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("", 3600))}

func exchange() *understudyv1.Exchange {
	return &understudyv1.Exchange{
		Id: "id", Recorder: "rec", Sequence: 9, Session: "s", Route: "POST /orders",
		Request: &understudyv1.Request{
			Method: "POST", Target: []byte("/orders?token=tok_1"), Body: &understudyv1.Body{Length: 5, Truncated: true},
		},
		Response:      &understudyv1.Response{Status: 201, Body: &understudyv1.Body{Length: 7}},
		StartUnixNano: 1_000, FirstByteNano: 20, DurationNano: 30, ServedBy: understudyv1.Side_SIDE_BASELINE, Source: "proxy",
		Migration: "shop", Stage: "canary:10%", Step: 4, Decision: "bucket", Attempts: 2,
		Redactions: []*understudyv1.Redaction{{Name: "token", Count: 1}, {Name: "Cookie", Count: 2}},
	}
}

func replay() *understudyv1.Replay {
	return &understudyv1.Replay{
		Run: "r", Ordinal: 4, Attempt: 1, Exchange: exchange(), ScheduledUnixNano: 100, SentUnixNano: 90, ClosedUnixNano: 500,
		Candidate: &understudyv1.Observation{
			Ack: &understudyv1.Response{Status: 202, Body: &understudyv1.Body{Length: 2}}, AckLatencyNano: 11, AckServiceNano: 10,
			Completion: &understudyv1.Completion{
				Channel: understudyv1.Channel_CHANNEL_POLL, Seen: 2, Polls: 5, LatencyNano: 70, ServiceNano: 60,
				Payload: &understudyv1.Response{Status: 201, Body: &understudyv1.Body{Length: 8}},
			},
		},
	}
}

var mismatch = comparator.Comparison{
	Verdict: comparator.Mismatch, Findings: []comparator.Verdict{comparator.Mismatch, comparator.Late},
	Differences: []comparator.Difference{
		{Place: comparator.InBody, Path: "$.items[].n", Location: "$.items[3].n", Kind: comparator.Value, Baseline: "9007199254740993", Candidate: "9007199254740992"},
		{Place: comparator.InBody, Path: "$.at", Location: "$.at", Kind: comparator.Value, Noise: "timestamp"},
	},
	Totals: comparator.Totals{Counting: 5, Presumed: 2, Harmless: 1}, Dropped: 6, BaselineStatus: 201, CandidateStatus: 201,
}

func TestComparisonRow(t *testing.T) {
	base := comparisonRow{
		Run: "r", ExchangeID: "id", Ordinal: 4, Attempt: 1, Session: "s", Route: "POST /orders", Method: "POST",
		Verdict: "mismatch", Findings: []string{"mismatch", "late"}, BaselineStatus: 201, AckStatus: 202, CandidateStatus: 201,
		Channel: "poll", Completions: 2, Polls: 5,
		ExchangeTime: at64(1_000), ScheduledTime: at64(100), SentTime: at64(90), ClosedTime: at64(500), LagNS: -10,
		BaselineFirstByteNS: 20, BaselineLatencyNS: 30, AckLatencyNS: 11, AckServiceNS: 10, CompletionLatencyNS: 70, CompletionServiceNS: 60,
		Differences: 5, Presumed: 2, Noise: 1, DifferencesDropped: 6, BaselineBytes: 7, CandidateBytes: 8, Recorder: "rec", Sequence: 9,
		KafkaPartition: 3, KafkaOffset: 77, TopicID: "topic", Judgement: "j",
		Migration: "shop", Stage: "canary:10%", Step: 4, Decision: "bucket", ServedBy: "baseline",
	}
	f := func(change func(*understudyv1.Replay), want func(*comparisonRow)) {
		t.Helper()
		r, w := replay(), base
		change(r)
		want(&w)
		if diff := cmp.Diff(&w, toComparison(r, mismatch, at, "j")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(func(*understudyv1.Replay) {}, func(*comparisonRow) {})
	f(func(r *understudyv1.Replay) { r.Exchange.DurationNano = -1 }, func(w *comparisonRow) { w.BaselineLatencyNS = 0 })
	f(func(r *understudyv1.Replay) { r.Candidate.Completion.Channel = understudyv1.Channel_CHANNEL_IMMEDIATE }, func(w *comparisonRow) {
		w.Channel, w.CompletionLatencyNS, w.CompletionServiceNS, w.CandidateBytes = "immediate", 11, 10, 2
	})
	f(func(r *understudyv1.Replay) {
		r.Candidate = &understudyv1.Observation{Error: &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_CONNECT}}
	}, func(w *comparisonRow) {
		w.Error, w.AckStatus, w.Channel, w.Completions, w.Polls, w.CandidateBytes = "connect", 0, "", 0, 0, 0
		w.AckLatencyNS, w.AckServiceNS, w.CompletionLatencyNS, w.CompletionServiceNS = 0, 0, 0, 0
	})
	f(func(r *understudyv1.Replay) {
		r.Candidate.Completion = &understudyv1.Completion{Reason: "timeout", Channel: understudyv1.Channel_CHANNEL_POLL}
	}, func(w *comparisonRow) {
		w.CompletionReason, w.Completions, w.Polls, w.CompletionLatencyNS, w.CompletionServiceNS, w.CandidateBytes = "timeout", 0, 0, 0, 0, 2
	})
	f(func(r *understudyv1.Replay) {
		r.Skipped, r.Candidate, r.ScheduledUnixNano, r.SentUnixNano = "unsafe_method", nil, 0, 0
	}, func(w *comparisonRow) {
		w.Skipped, w.AckStatus, w.Channel, w.Completions, w.Polls, w.CandidateBytes = "unsafe_method", 0, "", 0, 0, 0
		w.AckLatencyNS, w.AckServiceNS, w.CompletionLatencyNS, w.CompletionServiceNS = 0, 0, 0, 0
		w.ScheduledTime, w.SentTime, w.LagNS = at64(0), at64(0), 0
	})
}

func TestOrphanRow(t *testing.T) {
	r := &understudyv1.Replay{Run: "r", ClosedUnixNano: 500, Orphan: &understudyv1.Orphan{Received: &understudyv1.Request{Method: "POST"}}}
	got := toComparison(r, comparator.Comparison{Verdict: comparator.Orphan, Findings: []comparator.Verdict{comparator.Orphan}}, at, "j")
	want := &comparisonRow{
		Run: "r", Route: "(orphan)", Method: "POST", Verdict: "orphan", Findings: []string{"orphan"},
		ExchangeTime: at64(0), ScheduledTime: at64(0), SentTime: at64(0), ClosedTime: at64(500), KafkaPartition: 3, KafkaOffset: 77, TopicID: "topic", Judgement: "j",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheRestOfAComparison(t *testing.T) {
	got := toComparison(replay(), comparator.Comparison{RejectedBy: comparator.Baseline, Incomplete: "a log has no headers"}, at, "j")
	if got.RejectedBy != "baseline" || got.Incomplete != "a log has no headers" {
		t.Errorf("got %+v", got)
	}
}

func TestDifferenceRows(t *testing.T) {
	base := differenceRow{
		Run: "r", ExchangeID: "id", Route: "POST /orders", Place: "body", Path: "$.items[].n", Location: "$.items[3].n", Kind: "value",
		Baseline: "9007199254740993", Candidate: "9007199254740992", Verdict: "mismatch", ClosedTime: at64(500), KafkaPartition: 3, KafkaOffset: 77, TopicID: "topic", Judgement: "j",
	}
	second := base
	second.Number = 1
	second.Path, second.Location, second.Baseline, second.Candidate, second.NoiseClass = "$.at", "$.at", "", "", "timestamp"
	if diff := cmp.Diff([]*differenceRow{&base, &second}, toDifferences(replay(), mismatch, at, "j")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExchangeRow(t *testing.T) {
	want := &exchangeRow{
		ID: "id", Recorder: "rec", Sequence: 9, Session: "s", Route: "POST /orders", Method: "POST", Target: "/orders?token=tok_1",
		Status: 201, StartTime: at64(1_000), FirstByteNS: 20, LatencyNS: 30, RequestBytes: 5, ResponseBytes: 7, Truncated: true,
		Redactions: 3, ServedBy: "baseline", Source: "proxy", StoredTime: at.Time.UTC(), KafkaPartition: 3, KafkaOffset: 77, TopicID: "topic",
		Headers: map[string]string{}, RecorderStart: at64(0),
		Migration: "shop", Stage: "canary:10%", Step: 4, Decision: "bucket", Attempts: 2,
	}
	if diff := cmp.Diff(want, toExchange(exchange(), at)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestIndexedHeaders: those that are named, as they were recorded, and bounded.
func TestIndexedHeaders(t *testing.T) {
	e := &understudyv1.Exchange{Request: &understudyv1.Request{}}
	header := func(name, value string) {
		e.Request.Headers = append(e.Request.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	header("X-Tenant", "acme")
	header("x-tag", "a")
	header("X-Tag", "b\xff")
	header("Authorization", "Bearer rdx_1")
	header("X-Other", "not named")
	header("X-Long", strings.Repeat("ä", 200))
	e.IndexedHeaders = []string{"x-tenant", "x-tag", "authorization", "x-absent", "x-long"}
	got := toExchange(e, at).Headers
	want := map[string]string{
		"x-tenant": "acme", "x-tag": "a, b\uFFFD", "authorization": "Bearer rdx_1", "x-long": strings.Repeat("ä", 126) + "…",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e.IndexedHeaders = nil
	for i := range 100 {
		name := fmt.Sprintf("h-%d", i)
		header(name, "v")
		e.IndexedHeaders = append(e.IndexedHeaders, name)
	}
	if got := toExchange(e, at).Headers; len(got) != 16 {
		t.Errorf("%d headers, want 16", len(got))
	}
}

func TestTallyAndRunRow(t *testing.T) {
	tally := toTally(&understudyv1.Tally{Recorder: "rec", Number: 2, Served: 3, Recorded: 2, Dropped: map[string]uint64{"full": 1}, Final: true})
	if want := (&tallyRow{
		Recorder: "rec", Number: 2, StartTime: at64(0), Time: at64(0), Served: 3, Recorded: 2, Dropped: map[string]uint64{"full": 1}, Final: true,
	}); !cmp.Equal(want, tally) {
		t.Error(cmp.Diff(want, tally))
	}
	run := toRun(&understudyv1.Run{
		Name: "r", Version: 5, State: understudyv1.Run_STATE_CANCELED, Spec: &understudyv1.RunSpec{Candidate: "http://c", Speed: 5}, Selected: 3, Replayed: 3,
		Controlled: 2, Uncontrolled: map[string]uint64{"late": 1},
	}, "origin")
	none := map[string]uint64{}
	if want := (&runRow{
		Name: "r", Version: 5, State: "canceled", Candidate: "http://c", Speed: 5, StartTime: at64(0), EndTime: at64(0),
		Selected: 3, Replayed: 3, Skipped: none, Unselected: none, Completed: none, Origin: "origin",
		Controlled: 2, Uncontrolled: map[string]uint64{"late": 1},
	}); !cmp.Equal(want, run) {
		t.Error(cmp.Diff(want, run))
	}
}

// TestRowsAreTheTables: every column of a table is filled, in the order of the
// migrations.
func TestRowsAreTheTables(t *testing.T) {
	files, err := table.Migrations.ReadDir(table.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, f := range files {
		one, err := table.Migrations.ReadFile(table.Dir + "/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, one...)
	}
	f := func(name string, row any) {
		t.Helper()
		_, rest, ok := strings.Cut(string(text), "EXISTS "+name+"\n(")
		body, _, _ := strings.Cut(rest, "\n)\nENGINE")
		var want, got []string
		for _, m := range regexp.MustCompile(`(?m)^\s+(\w+) .*COMMENT '`).FindAllStringSubmatch(body, -1) {
			want = append(want, m[1])
		}
		for _, m := range regexp.MustCompile(`ALTER TABLE `+name+` ADD COLUMN IF NOT EXISTS (\w+)`).FindAllStringSubmatch(string(text), -1) {
			want = append(want, m[1])
		}
		for i := range reflect.TypeOf(row).NumField() {
			got = append(got, reflect.TypeOf(row).Field(i).Tag.Get("ch"))
		}
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s (-table +row):\n%s", name, diff)
		}
	}
	f("stored_comparisons", comparisonRow{})
	f("stored_differences", differenceRow{})
	f("stored_substitutions", substitutionRow{})
	f("stored_exchanges", exchangeRow{})
	f("stored_controls", controlRow{})
	f("stored_tallies", tallyRow{})
	f("runs", runRow{})
	f("stored_stages", stageRow{})
}
