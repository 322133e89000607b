package comparator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// response makes a JSON answer.
func response(status uint32, body string, headers ...string) *understudyv1.Response {
	r := &understudyv1.Response{Status: status, Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body))}}
	if body != "" {
		headers = append([]string{"Content-Type: application/json"}, headers...)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Headers = append(r.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return r
}

// immediate is a replay that was answered at once, ten minutes after the
// recording.
func immediate(baseline, candidate *understudyv1.Response, change ...func(*understudyv1.Replay)) *understudyv1.Replay {
	r := &understudyv1.Replay{
		Run: "r", Ordinal: 1, Speed: 5,
		SentUnixNano: start.Add(10 * time.Minute).UnixNano(), ClosedUnixNano: start.Add(11 * time.Minute).UnixNano(),
		Exchange: &understudyv1.Exchange{
			Id: "e1", Route: "POST /orders", StartUnixNano: start.UnixNano(), Response: baseline,
			Request: &understudyv1.Request{Method: "POST", Target: []byte("/orders?customer=c-17"), Body: &understudyv1.Body{Content: []byte(`{"sku":"A-1"}`)}},
		},
		Candidate: &understudyv1.Observation{Ack: candidate},
	}
	if candidate != nil && candidate.Status < 400 {
		r.Candidate.Completion = &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, Seen: 1}
	}
	for _, c := range change {
		c(r)
	}
	return r
}

// polled is a replay that was accepted with 202 and completed later.
func polled(baseline, final *understudyv1.Response, change ...func(*understudyv1.Completion)) *understudyv1.Replay {
	r := immediate(baseline, response(202, ""))
	r.Candidate.Completion = &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_POLL, Payload: final, Seen: 1}
	for _, c := range change {
		c(r.Candidate.Completion)
	}
	return r
}

// lines shows findings and differences as "place path kind baseline|candidate
// (noise)".
func lines(c comparator.Comparison) []string {
	out := []string{}
	for _, v := range c.Findings {
		out = append(out, string(v))
	}
	for _, d := range c.Differences {
		s := strings.Join([]string{string(d.Place), d.Path, string(d.Kind), d.Baseline + "|" + d.Candidate}, " ")
		if d.Noise != "" {
			s += " (" + d.Noise + ")"
		}
		out = append(out, s)
	}
	return out
}

func judge(t *testing.T, cfg comparator.Config, r *understudyv1.Replay, want ...string) {
	t.Helper()
	j, err := comparator.NewJudge(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := proto.Clone(r)
	got := j.Judge(r)
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got.Verdict != got.Findings[0] {
		t.Errorf("verdict %s is not the first finding %s", got.Verdict, got.Findings[0])
	}
	if !proto.Equal(before, r) {
		t.Error("judging changed the record")
	}
	if diff := cmp.Diff(got, j.Judge(r)); diff != "" {
		t.Errorf("judging again gives another comparison:\n%s", diff)
	}
}

func TestOutcomes(t *testing.T) {
	f := func(r *understudyv1.Replay, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), r, want...)
	}
	ok := response(201, `{"total":"5.00"}`)
	f(immediate(ok, ok), "match")
	f(&understudyv1.Replay{Skipped: "canceled", Exchange: &understudyv1.Exchange{Response: ok}}, "skipped")
	f(&understudyv1.Replay{Orphan: &understudyv1.Orphan{}}, "orphan")
	f(immediate(ok, nil, func(r *understudyv1.Replay) {
		r.Candidate.Error = &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_RESET, Message: "gone"}
	}), "error", "transport transport outcome 201|reset: gone")
	f(immediate(ok, response(409, `{"e":1}`)), "rejected", `status status status 201 {"total":"5.00"}|409 {"e":1}`)
	f(immediate(response(422, `{"e":1}`), ok), "rejected", `status status status 422 {"e":1}|201 {"total":"5.00"}`)
	f(immediate(response(404, `{"e":1}`), response(404, `{"e":1}`)), "match")
	f(immediate(response(404, `{"e":1}`), response(410, `{"e":1}`)), "mismatch", "status status status 404|410")
	f(immediate(ok, response(200, `{"total":"5.00"}`)), "mismatch", "status status status 201|200")

	f(polled(ok, response(200, `{"total":"5.00"}`)), "match") // 201 polled as 200
	f(polled(ok, response(200, `{"total":"5.01"}`)), "mismatch", "body $.total value 5.00|5.01")
	f(polled(ok, nil, func(d *understudyv1.Completion) { d.Seen, d.Reason = 0, "timeout" }), "lost", "completion completion outcome 201|timeout")
	f(polled(ok, nil, func(d *understudyv1.Completion) { d.Seen, d.Reason, d.Detail = 0, "location_refused", "elsewhere" }),
		"lost", "completion completion outcome 201|location_refused: elsewhere")
	f(polled(ok, response(200, `{"total":"5.00"}`), func(d *understudyv1.Completion) { d.Failed = true }),
		"rejected", `status status status 201 {"total":"5.00"}|200 {"total":"5.00"}`)
	f(polled(response(409, `{"e":1}`), response(409, `{"e":1}`), func(d *understudyv1.Completion) { d.Failed = true }), "match")
	f(polled(response(409, `{"e":1}`), response(200, `{"e":1}`), func(d *understudyv1.Completion) { d.Failed = true }), "match")
	f(polled(response(409, `{"e":1}`), response(422, `{"e":1}`), func(d *understudyv1.Completion) { d.Failed = true }),
		"mismatch", "status status status 409|422")
	f(immediate(nil, ok, func(r *understudyv1.Replay) {
		r.Exchange.Error = &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_TIMEOUT, Message: "slow"}
	}), "error", "transport transport outcome timeout: slow|201")
	f(polled(ok, ok, func(d *understudyv1.Completion) { d.Overtook = []string{"e0"} }), "out_of_order")
	// Everything that holds is found; the worst is the verdict.
	f(polled(ok, response(200, `{"total":"5.01"}`), func(d *understudyv1.Completion) {
		d.Channel, d.Seen, d.DeadlineNano, d.ServiceNano, d.Overtook = understudyv1.Channel_CHANNEL_CALLBACK, 2, 10, 11, []string{"e0"}
	}), "mismatch", "duplicate", "late", "out_of_order", "body $.total value 5.00|5.01")
}

func TestNoiseDoesNotCountAndStaysVisible(t *testing.T) {
	f := func(baseline, candidate string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(201, baseline), response(201, candidate)), want...)
	}
	f(`{"created_at":"2026-11-24T10:00:00Z"}`, `{"created_at":"2026-11-24T10:10:00Z"}`,
		"match", "body $.created_at value 2026-11-24T10:00:00Z|2026-11-24T10:10:00Z (timestamp)")
	f(`{"created_at":"2026-11-24T10:00:00Z"}`, `{"created_at":"2026-11-24T10:10:00.250Z"}`, // of another precision
		"mismatch", "body $.created_at value 2026-11-24T10:00:00Z|2026-11-24T10:10:00.250Z")
	f(`{"due":"2026-11-27T10:00:00Z"}`, `{"due":"2026-11-28T10:10:00Z"}`,
		"mismatch", "body $.due value 2026-11-27T10:00:00Z|2026-11-28T10:10:00Z")
	f(`{"id":"ord_1001","text":"order ord_1001"}`, `{"id":"9b2e8c1e-4f6e-4a7e-9d55-0c8d0b6b7d10","text":"order 9b2e8c1e-4f6e-4a7e-9d55-0c8d0b6b7d10"}`, "match")
	// One recorded id cannot become two.
	f(`{"id":"ord_1","parent_id":"ord_1"}`, `{"id":"x1","parent_id":"x2"}`,
		"mismatch", "body $.parent_id value ord_1|x2")
	// What the client sent must come back.
	f(`{"customer_id":"c-17"}`, `{"customer_id":"c-18"}`, "mismatch", "body $.customer_id value c-17|c-18")
	f(`{"currency_id":"USD"}`, `{"currency_id":"EUR"}`, "mismatch", "body $.currency_id value USD|EUR")
	f(`{"n":9007199254740993}`, `{"n":9007199254740992}`, "mismatch", "body $.n value 9007199254740993|9007199254740992")
	f(`{"n":1.50,"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1e0,"n":1.5}`, "match")
	f(`{"n":1}`, `{"n":"1"}`, "mismatch", `body $.n type 1|"1"`)
	f(`{"a":[1,2,3]}`, `{"a":[3,2,1]}`, "mismatch", "body $.a order [1,2,3]|[3,2,1]")
}

func TestARenamedValueOfTheSessionMustBeThatOne(t *testing.T) {
	known := func(r *understudyv1.Replay) {
		r.Substitutions = []*understudyv1.Substitution{{Recorded: "ord_7", Candidate: "u-7", LearnedFrom: "e0", Kind: "order", Proof: understudyv1.Substitution_PROOF_CREATED}}
	}
	f := func(candidate string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, `{"order_id":"ord_7"}`), response(200, candidate), known), want...)
	}
	f(`{"order_id":"u-7"}`, "match")
	f(`{"order_id":"ord_7"}`, "mismatch", "body $.order_id value ord_7|ord_7")
	f(`{"order_id":"u-8"}`, "mismatch", "body $.order_id value ord_7|u-8")
}

func TestBodies(t *testing.T) {
	f := func(baseline, candidate *understudyv1.Response, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(baseline, candidate), want...)
	}
	text := func(s string) *understudyv1.Response {
		r := response(200, s)
		r.Headers[0].Value = []byte("text/html")
		return r
	}
	f(text("a\nb\n"), text("a  \r\nb\n"), "match")
	f(text("a\nb"), text("a\nc"), "mismatch", "body $.html[].body[] value a b|a c")
	f(response(200, `{"a":1}`), response(200, `{"a":`), "mismatch", `body $ unparsable {"a":1}|not JSON: unexpected end at offset 5`)
	f(response(200, `{"a":1}`), response(200, ""), "mismatch", "header header:content-type missing application/json|", `body $ missing {"a":1}|`)

	cut := func(sum string) *understudyv1.Response {
		r := response(200, `{"a":1`)
		r.Body.Truncated, r.Body.Length, r.Body.Sha256 = true, 900, []byte(sum)
		return r
	}
	f(cut("same"), cut("same"), "match")
	f(cut("one"), cut("two"), "incomplete", "body $ truncated 6 of 900 bytes kept|6 of 900 bytes kept (incomparable)")
}

func TestWhatTheClientSentInAHeaderMustComeBack(t *testing.T) {
	f := func(header string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, `{"reference_id":"R-2026-71"}`), response(200, `{"reference_id":"R-2026-82"}`), func(r *understudyv1.Replay) {
			r.Exchange.Request.Headers = []*understudyv1.Header{{Name: header, Value: []byte("R-2026-71")}}
		}), want...)
	}
	f("X-Reference", "mismatch", "body $.reference_id value R-2026-71|R-2026-82")
	f("X-Request-Id", "presumed", "body $.reference_id value R-2026-71|R-2026-82 (presumed:identifier)") // made anew by every replay
}

// TestCookiesOfALongOperation: a client has what either answer sets.
func TestCookiesOfALongOperation(t *testing.T) {
	r := polled(response(201, `{"a":1}`, "Set-Cookie: sid=5"), response(200, `{"a":1}`))
	if c := judgement(t, r); c.Verdict != comparator.Mismatch {
		t.Errorf("set by neither: %q", lines(c))
	}
	r.Candidate.Ack.Headers = append(r.Candidate.Ack.Headers, &understudyv1.Header{Name: "Set-Cookie", Value: []byte("sid=5")})
	if c := judgement(t, r); c.Verdict != comparator.Match {
		t.Errorf("set by the acknowledgement: %q", lines(c))
	}
	r.Candidate.Ack.Headers[0].Value = []byte("sid=77")
	if c := judgement(t, r); c.Verdict != comparator.Mismatch {
		t.Errorf("set otherwise by the acknowledgement: %q", lines(c))
	}
}
