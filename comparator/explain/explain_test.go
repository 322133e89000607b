package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator"
	"understudy.dev/comparator/explain"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func answer(status uint32, body string) *understudyv1.Response {
	return &understudyv1.Response{Status: status, Body: message.BodyOf([]byte(body)),
		Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}}
}

func replay(baseline, candidate *understudyv1.Response, change ...func(*understudyv1.Replay)) *understudyv1.Replay {
	r := &understudyv1.Replay{
		Run: "r", Ordinal: 7, Speed: 5, ScheduledUnixNano: start.Add(time.Minute).UnixNano(),
		SentUnixNano: start.Add(time.Minute + time.Millisecond).UnixNano(), ClosedUnixNano: start.Add(2 * time.Minute).UnixNano(),
		Exchange: &understudyv1.Exchange{
			Id: "e7", Route: "POST /orders", StartUnixNano: start.UnixNano(), Response: baseline,
			Request: &understudyv1.Request{Method: "POST", Target: []byte("/orders"), Body: message.BodyOf([]byte(`{"sku":"A-1"}`))},
		},
		Candidate: &understudyv1.Observation{Ack: candidate, Completion: &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, Seen: 1}},
	}
	for _, f := range change {
		f(r)
	}
	return r
}

func explained(t *testing.T, cfg comparator.Config, r *understudyv1.Replay) explain.Explanation {
	t.Helper()
	j, err := comparator.NewJudge(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := j.Judge(r)
	return explain.Of(j, r, explain.Stored{
		Verdict: string(c.Verdict), Incomplete: c.Incomplete,
		Counting: uint32(c.Totals.Counting), Presumed: uint32(c.Totals.Presumed), Harmless: uint32(c.Totals.Harmless),
	}, explain.Options{Rules: cfg.List(start), Where: func(class string) string { return "file of " + class }})
}

// TestPlaces: each with its class, what proves it, by which pair or rule, and
// what counts first.
func TestPlaces(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.Rules = []comparator.Rule{{Name: "vat", Owner: "tax", Reason: "rounding", Path: "$.tax", Action: "tolerance", Tolerance: "0.01"}}
	x := explained(t, cfg, replay(
		answer(201, `{"at":"2026-11-24T10:00:00.100Z","tax":1.00,"ref":"9f1c6d0a-5b7e-4c1d-8f2e-3a4b5c6d7e8f","id":"ord_1001","note":"order ord_1001 is made","old":1,"total":5}`),
		answer(201, `{"at":"2026-11-24T10:01:00.150Z","tax":1.01,"ref":"0a9b8c7d-6e5f-4a3b-9c2d-1e0f9a8b7c6d","id":"ord_7007","note":"order ord_7007 is made","total":6}`),
		func(r *understudyv1.Replay) {
			r.Rewrites = []*understudyv1.Rewrite{{Rule: 1, Place: "header", Name: "X-Env"}}
			r.Substitutions = []*understudyv1.Substitution{
				{Kind: "customer", Recorded: "c-1", Candidate: "k-1", LearnedFrom: "e1", Uses: 2, Proof: understudyv1.Substitution_PROOF_CREATED},
				{Kind: "session_token", Recorded: "(secret)", Candidate: "(secret)", LearnedFrom: "e1", Proof: understudyv1.Substitution_PROOF_CREATED},
			}
		},
	))
	if x.Verdict != comparator.Mismatch || !x.Agrees {
		t.Errorf("%s, agrees %t", x.Verdict, x.Agrees)
	}
	var got []string
	for _, p := range x.Places {
		rule := ""
		if p.Rule != nil {
			rule = " " + p.Rule.Owner + " " + p.Rule.Where
		}
		got = append(got, fmt.Sprintf("%s %s %q by %s%s", p.Location, p.Kind, p.Class, p.Proof, rule))
		if len(p.Why) == 0 || p.Why[0].Text == "" {
			t.Errorf("%s: no reason", p.Location)
		}
	}
	want := []string{
		`$.old missing "" by nothing`,
		`$.total value "" by nothing`,
		`$.ref value "presumed:identifier" by nothing`,
		`$.at value "timestamp" by record`,
		`$.tax value "rule:vat" by rule tax file of rule:vat`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var names []string
	for _, n := range x.Names {
		names = append(names, fmt.Sprintf("%s %s=%s %s in %s %d×", n.Kind, n.Recorded, n.Candidate, n.Proof, n.LearnedFrom, n.Uses))
	}
	if diff := cmp.Diff([]string{"customer c-1=k-1 created in e1 2×", "session_token (secret)=(secret) created in e1 0×", "order ord_1001=ord_7007 created in e7 0×",
		"ref 9f1c6d0a-5b7e-4c1d-8f2e-3a4b5c6d7e8f=0a9b8c7d-6e5f-4a3b-9c2d-1e0f9a8b7c6d aligned in e7 0×"}, names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(x.Rewrites) != 1 || x.Rewrites[0] != (explain.Rewrite{Rule: 1, Place: "header", Name: "X-Env"}) {
		t.Errorf("rewrites %+v", x.Rewrites)
	}
	if s := x.Sent; s.LagNS != 1e6 || s.Speed != 5 {
		t.Errorf("sent %+v", s)
	}
}

// TestEveryPlace: also those that the tables have no room for.
func TestEveryPlace(t *testing.T) {
	list := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"n":%d},`, n), 300), ",") + "]"
	}
	x := explained(t, comparator.DefaultConfig(), replay(answer(200, list(1)), answer(200, list(2))))
	if len(x.Places) != 300 || x.Dropped != 0 {
		t.Errorf("%d places, %d dropped, want all 300", len(x.Places), x.Dropped)
	}
}

// TestOtherJudgement: the tables say something else.
func TestOtherJudgement(t *testing.T) {
	r := replay(answer(200, `{"a":1}`), answer(200, `{"a":2}`))
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	f := func(s explain.Stored, want bool) {
		t.Helper()
		if x := explain.Of(j, r, s, explain.Options{}); x.Agrees != want {
			t.Errorf("%+v agrees: %t", s, x.Agrees)
		}
	}
	f(explain.Stored{Verdict: "mismatch", Counting: 1}, true)
	f(explain.Stored{Verdict: "match"}, false)
	f(explain.Stored{Verdict: "mismatch", Counting: 2}, false)
	f(explain.Stored{Verdict: "mismatch", Counting: 1, Incomplete: "x"}, false)
}

// TestFindings: each verdict says why it holds, from the record.
func TestFindings(t *testing.T) {
	f := func(r *understudyv1.Replay, want string) {
		t.Helper()
		var got []string
		for _, finding := range explained(t, comparator.DefaultConfig(), r).Findings {
			got = append(got, string(finding.Verdict)+": "+finding.Because)
		}
		if all := strings.Join(got, "\n"); !strings.Contains(all, want) {
			t.Errorf("got %s\nwant %s", all, want)
		}
	}
	ok := answer(200, `{"a":1}`)
	completed := func(change func(*understudyv1.Completion)) *understudyv1.Replay {
		return replay(ok, answer(202, ""), func(r *understudyv1.Replay) {
			c := &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_CALLBACK, Seen: 1, ServiceNano: 3e9, DeadlineNano: 5e9, Payload: proto.CloneOf(ok)}
			change(c)
			r.Candidate.Completion = c
		})
	}
	f(replay(ok, ok), "match: everything was compared, and nothing differs")
	f(replay(ok, answer(409, "{}")), "rejected: the candidate refused what the other side accepted: baseline 200, candidate 409")
	f(replay(ok, nil, func(r *understudyv1.Replay) { r.Skipped, r.SkippedDetail = "unresolved", "order 7" }), "skipped: it was not sent: unresolved — order 7")
	f(replay(ok, nil), "error: no answer of the candidate")
	f(replay(nil, ok), "error: no answer of the baseline")
	f(completed(func(c *understudyv1.Completion) { c.DeadlineNano = 2e9 }), "late: its deadline was 2s after the actual send, and a client that asks without a pause could not have known the answer before 3s")
	f(completed(func(c *understudyv1.Completion) { c.Seen, c.Reason, c.Detail, c.Payload = 0, "timeout", "10s", nil }), "lost: accepted with 202 and not completed: timeout — 10s")
	f(completed(func(c *understudyv1.Completion) { c.Seen = 2; c.Later = []*understudyv1.Sighting{{}} }), "duplicate: 2 completions came by callback")
	f(completed(func(c *understudyv1.Completion) { c.Overtook = []string{"e3"} }), "had finished before this one began: e3")
	cut := answer(200, `{"a":1}`)
	cut.Body.Truncated, cut.Body.Sha256 = true, nil
	f(replay(cut, ok), "incomplete: not compared: ")
	f(&understudyv1.Replay{Run: "r", Orphan: &understudyv1.Orphan{Channel: understudyv1.Channel_CHANNEL_CALLBACK}}, "orphan: a completion came by callback")
}

// What a control excuses says so.
func TestPlaceOfAControl(t *testing.T) {
	x := explained(t, comparator.DefaultConfig(), replay(answer(200, `{"eta":10}`), answer(200, `{"eta":13}`), func(r *understudyv1.Replay) {
		r.Control = &understudyv1.Observation{Ack: answer(200, `{"eta":12}`)}
	}))
	if len(x.Places) != 1 || x.Places[0].Class != "control" || x.Places[0].Proof != comparator.ByControl || !strings.Contains(x.Places[0].Why[0].Text, "asked again") {
		t.Errorf("got %+v", x.Places)
	}
}
