package clickhouse

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator"
	"understudy.dev/comparator/gate"
	"understudy.dev/comparator/report"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// sent is one replay of a run that a gate is asked about; times in milliseconds.
type sent struct {
	route    string
	findings []comparator.Verdict
	baseline int64  // its time; -1 is no answer
	service  int64  // the candidate's; 0 is no answer
	lag      int64  // of the replayer
	lost     bool   // an acknowledgement is all that came
	step     uint64 // of migration shop; 0 is recorded without a gateway
	by       understudyv1.Side
}

func (s sent) replay(ordinal uint64) *understudyv1.Replay {
	ms := int64(time.Millisecond)
	r := &understudyv1.Replay{
		Run: "r", Ordinal: ordinal, ClosedUnixNano: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).UnixNano() + int64(ordinal),
		Exchange:  &understudyv1.Exchange{Id: fmt.Sprint("e", ordinal), Recorder: "rec", Sequence: ordinal, Route: s.route, Session: "s", Request: &understudyv1.Request{Method: "GET"}},
		Candidate: &understudyv1.Observation{},
	}
	if s.step > 0 {
		r.Exchange.Migration, r.Exchange.Step, r.Exchange.ServedBy = "shop", s.step, s.by
	}
	if s.baseline >= 0 {
		r.Exchange.Response, r.Exchange.DurationNano = &understudyv1.Response{Status: 200}, s.baseline*ms
	}
	if s.service > 0 {
		r.Candidate = &understudyv1.Observation{Ack: &understudyv1.Response{Status: 200}, AckServiceNano: s.service * ms, AckLatencyNano: (s.service + s.lag) * ms}
		r.Candidate.Completion = &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE}
	}
	if s.lost {
		r.Candidate.Completion = &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_POLL, Reason: "timeout"}
	}
	return r
}

// script judges as the list says.
type script []sent

func (s script) Judge(r *understudyv1.Replay) comparator.Comparison {
	f := s[r.Ordinal-1].findings
	return comparator.Comparison{Verdict: f[0], Findings: f}
}

// deliver writes replays of the list, those of these ordinals, and the state of the
// run, which has all of it.
func (s script) deliver(t *testing.T, conn driver.Conn, version uint64, state understudyv1.Run_State, ordinals ...uint64) {
	t.Helper()
	names := topic.NamesFor("")
	in := ingest(t, conn, "j", s)
	handle := func(name string, records ...*kgo.Record) {
		t.Helper()
		if err := in.Handle(t.Context(), stream.Batch{Topic: name, TopicID: name, End: int64(len(s)), Records: records}); err != nil {
			t.Fatal(err)
		}
	}
	var records []*kgo.Record
	for _, n := range ordinals {
		r, err := stream.ReplayRecord(names, s[n-1].replay(n))
		if err != nil {
			t.Fatal(err)
		}
		r.Offset = int64(n - 1)
		records = append(records, r)
	}
	handle(names.Replays, records...)
	skipped := uint64(0)
	for _, x := range s {
		if x.findings[0] == comparator.Skipped {
			skipped++
		}
	}
	r, err := stream.RunRecord(names, &understudyv1.Run{
		Name: "r", Version: version, State: state, Detail: "why it failed", Spec: &understudyv1.RunSpec{Candidate: "http://c"}, StartUnixNano: time.Now().UnixNano(),
		Selected: uint64(len(s)), Replayed: uint64(len(s)) - skipped, Skipped: map[string]uint64{"unresolved": skipped}, Written: uint64(len(s)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Timestamp = time.Now()
	handle(names.Runs, r)
}

func all(n int) (ordinals []uint64) {
	for i := range n {
		ordinals = append(ordinals, uint64(i+1))
	}
	return ordinals
}

var (
	match   = []comparator.Verdict{comparator.Match}
	gateRun = script{
		{route: "GET /a", findings: match, baseline: 50, service: 90},
		{route: "GET /a", findings: []comparator.Verdict{comparator.Mismatch, comparator.Late, comparator.Presumed}, baseline: 50, service: 150},
		{route: "GET /a", findings: []comparator.Verdict{comparator.Late, comparator.Presumed}, baseline: 100, service: 150},
		{route: "GET /a", findings: []comparator.Verdict{comparator.Incomplete, comparator.Presumed}, baseline: 50, service: 90, lag: 30},
		{route: "POST /b", findings: []comparator.Verdict{comparator.Lost}, baseline: 50, service: 5, lost: true},
		{route: "POST /b", findings: []comparator.Verdict{comparator.Error}, baseline: 50},
		{route: "POST /b", findings: []comparator.Verdict{comparator.Error}, baseline: -1, service: 500}, // the baseline's
		{route: "POST /b", findings: []comparator.Verdict{comparator.Error}, baseline: -1},
		{route: "POST /b", findings: []comparator.Verdict{comparator.Skipped}, baseline: 50},
		{route: "POST /b", findings: match, baseline: 0, service: 70}, // nobody knows how long the baseline took
	}
	gateTimes = []gate.Threshold{{Plus: 100 * time.Millisecond}, {Ratio: 2}, {Ratio: 1, Plus: 45 * time.Millisecond}}
	asJudged  = comparator.Judgement{ID: "j"}
)

// TestGateEvidence: what a gate looks at, counted by hand.
func TestGateEvidence(t *testing.T) {
	conn := database(t, "gate_evidence")
	if _, err := report.Evidence(t.Context(), conn, "r", nil, asJudged); err == nil {
		t.Fatal("an unknown run has evidence")
	}
	gateRun.deliver(t, conn, 1, understudyv1.Run_STATE_COMPLETED, all(len(gateRun))...)
	e, err := report.Evidence(t.Context(), conn, "r", gateTimes, asJudged)
	if err != nil {
		t.Fatal(err)
	}
	want := []gate.Counts{
		{
			Route: "GET /a", First: 1, Requests: 4, Presumed: 3, Incomplete: 1, Unsure: 2,
			Findings: map[string]uint64{"match": 1, "mismatch": 1, "late": 2, "presumed": 3, "incomplete": 1, "error": 0},
			Over:     []gate.Over{{Over: 2, Unknown: 1}, {Over: 1, Unknown: 1}, {Over: 2, Unknown: 1}},
		},
		{
			Route: "POST /b", First: 5, Requests: 6, Skipped: 1, Unanswered: 2,
			Findings: map[string]uint64{"match": 1, "lost": 1, "error": 1, "skipped": 1},
			Over:     []gate.Over{{Over: 2, Unknown: 3}, {Over: 2, Unknown: 4}, {Over: 2, Unknown: 4}},
		},
	}
	if diff := cmp.Diff(want, e.Routes); diff != "" {
		t.Error(diff)
	}
	if e.Judgement != "j" || len(e.Spoiled) > 0 || len(e.Doubts) > 0 {
		t.Errorf("got judgement %s, spoiled by %v, doubts %v", e.Judgement, e.Spoiled, e.Doubts)
	}
}

// TestGateOfARunThatGoesOn: what came after a request that is not judged yet is not
// looked at, since the quick ones come first.
func TestGateOfARunThatGoesOn(t *testing.T) {
	conn := database(t, "gate_running")
	f := func(want uint64, version uint64, ordinals ...uint64) {
		t.Helper()
		gateRun.deliver(t, conn, version, understudyv1.Run_STATE_RUNNING, ordinals...)
		e, err := report.Evidence(t.Context(), conn, "r", gateTimes, asJudged)
		if err != nil {
			t.Fatal(err)
		}
		got := uint64(0)
		for _, c := range e.Routes {
			got += c.Requests
		}
		if got != want || len(e.Spoiled) > 0 {
			t.Errorf("after %v: looked at %d, want %d; spoiled by %v", ordinals, got, want, e.Spoiled)
		}
	}
	f(0, 1, 2, 3)
	f(4, 2, 1, 4, 6, 7, 8, 9)
	f(9, 3, 5)
	f(10, 4, 10)
}

// TestGateOfManyOrdinals: they are counted by blocks of 65,536.
func TestGateOfManyOrdinals(t *testing.T) {
	conn := database(t, "gate_many")
	gateRun.deliver(t, conn, 1, understudyv1.Run_STATE_RUNNING, 1)
	insert := func(from, to int) {
		t.Helper()
		if err := conn.Exec(t.Context(), fmt.Sprintf(`INSERT INTO stored_comparisons (run, judgement, ordinal, route, verdict, findings, topic_id, kafka_offset, closed_time)
SELECT 'r', 'j', number, 'GET /a', 'match', ['match'], 'many', number, toDateTime64('2026-11-24 12:00:00', 9, 'UTC') FROM numbers(%d, %d)`, from, to-from+1)); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want uint64) {
		t.Helper()
		e, err := report.Evidence(t.Context(), conn, "r", nil, asJudged)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Routes[0].Requests; got != want {
			t.Errorf("looked at %d, want %d", got, want)
		}
	}
	insert(2, 65_535)
	f(65_535)
	insert(65_537, 140_000) // the second block is whole, the first is not
	f(65_535)
	insert(65_536, 65_536)
	f(140_000)
	insert(200_000, 300_000)
	f(140_000)
	insert(140_001, 196_608)
	f(196_608)
}

// TestWhatSpoilsAGate: each is told by its name.
func TestWhatSpoilsAGate(t *testing.T) {
	f := func(name string, state understudyv1.Run_State, given string, spoiled, doubts []string, ordinals ...uint64) {
		t.Helper()
		conn := database(t, "gate_"+name)
		gateRun.deliver(t, conn, 1, state, ordinals...)
		e, err := report.Evidence(t.Context(), conn, "r", gateTimes, comparator.Judgement{ID: given})
		if err != nil {
			t.Fatal(err)
		}
		names := func(reasons []gate.Reason) (out []string) {
			for _, r := range reasons {
				out = append(out, r.Name)
			}
			return out
		}
		if !slices.Equal(names(e.Spoiled), spoiled) || !slices.Equal(names(e.Doubts), doubts) {
			t.Errorf("%s: spoiled by %v, doubts %v", name, e.Spoiled, e.Doubts)
		}
	}
	n := len(gateRun)
	f("stale", understudyv1.Run_STATE_COMPLETED, "k", []string{gate.Stale}, nil, all(n)...)
	f("unbalanced", understudyv1.Run_STATE_COMPLETED, "j", []string{gate.Unbalanced}, nil, all(n-1)...)
	f("failed", understudyv1.Run_STATE_FAILED, "j", nil, []string{gate.Failed}, all(n)...)
	f("both", understudyv1.Run_STATE_COMPLETED, "k", []string{gate.Stale, gate.Unbalanced}, nil, all(n-2)...)
}
