package comparator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// object is a JSON object with n members that all differ between the sides, and
// one more.
func object(n int, side, last string) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, `"n%d":"%s%d",`, i, side, i)
	}
	return b.String() + last + "}"
}

func TestNothingIsLostBehindNoise(t *testing.T) {
	f := func(cfg comparator.Config, baseline, candidate string, verdict comparator.Verdict, totals comparator.Totals, last string) {
		t.Helper()
		j, err := comparator.NewJudge(cfg)
		if err != nil {
			t.Fatal(err)
		}
		c := j.Judge(immediate(response(200, baseline), response(200, candidate)))
		kept := min(cfg.MaxDifferences, totals.Counting+totals.Presumed+totals.Harmless)
		if c.Verdict != verdict || c.Totals != totals || len(c.Differences) != kept ||
			c.Dropped != totals.Counting+totals.Presumed+totals.Harmless-kept {
			t.Errorf("got %s, %+v, %d kept, %d dropped", c.Verdict, c.Totals, len(c.Differences), c.Dropped)
		}
		if !slices.ContainsFunc(c.Differences, func(d comparator.Difference) bool { return d.Path == last }) {
			t.Errorf("%s is not among what is kept", last)
		}
	}
	cfg := comparator.DefaultConfig()
	cfg.MaxDifferences = 3
	cfg.Rules = []comparator.Rule{{Name: "n", Owner: "o", Reason: "r", Path: "$.n*", Action: "ignore"}}
	const many = 25_000
	f(cfg, object(many, "a", `"z":1`), object(many, "b", `"z":2`), comparator.Mismatch, comparator.Totals{Counting: 1, Harmless: many}, "$.z")
	f(cfg, object(many, "a", `"z":1`), object(many, "b", `"z":1`), comparator.Match, comparator.Totals{Harmless: many}, "$.n0")
	f(cfg, object(2, "a", `"z":1`), object(2, "b", `"z":2`), comparator.Mismatch, comparator.Totals{Counting: 1, Harmless: 2}, "$.z")
	// Of each place an example is kept.
	cfg.Rules[0].Path = "$.**"
	list := func(v string) string {
		return "{\"a\":[" + strings.TrimSuffix(strings.Repeat(v+",", 50), ",") + "],\"z\":" + v + "}"
	}
	f(cfg, list("1"), list("2"), comparator.Match, comparator.Totals{Harmless: 51}, "$.z")
}

func TestASearchThatEndsEarlySaysSo(t *testing.T) {
	c := judgement(t, immediate(response(200, object(11_000, "a", `"z":1`)), response(200, object(11_000, "b", `"z":1`))))
	if c.Verdict != comparator.Mismatch || !slices.Contains(c.Findings, comparator.Incomplete) || c.Incomplete != "the search ended after 10000 differences that count" {
		t.Errorf("got %s %v %q", c.Verdict, c.Findings, c.Incomplete)
	}
}

func TestWhatIsPresumedIsNoMatch(t *testing.T) {
	etag := func(v string) *understudyv1.Response { return response(200, `{"a":1}`, "Digest: "+v) }
	random := func(v string) *understudyv1.Response { return response(200, `{"a":"`+v+`"}`) }
	c := judgement(t, immediate(random("A8s7Df6gH5jK4l3M2n"), random("q9W8e7R6t5Y4u3I2o1")))
	if c.Verdict != comparator.Presumed || c.Totals != (comparator.Totals{Presumed: 1}) {
		t.Errorf("got %+v", c)
	}
	overtaken := polled(etag(`"1"`), response(200, `{"a":2}`), func(d *understudyv1.Completion) { d.Overtook = []string{"e0"} })
	if got := judgement(t, overtaken).Findings; !slices.Equal(got, []comparator.Verdict{comparator.Mismatch, comparator.OutOfOrder}) {
		t.Errorf("got %v", got)
	}
}

func TestTheSideThatRefused(t *testing.T) {
	f := func(r *understudyv1.Replay, want string) {
		t.Helper()
		if c := judgement(t, r); c.RejectedBy != want || (c.Verdict == comparator.Rejected) != (want != "") {
			t.Errorf("got %s by %q, want %q", c.Verdict, c.RejectedBy, want)
		}
	}
	ok, no := response(200, `{}`), response(403, `{}`)
	f(immediate(ok, no), "candidate")
	f(immediate(no, ok), "baseline")
	f(immediate(no, no), "")
	f(immediate(ok, ok), "")
	f(polled(ok, ok, func(d *understudyv1.Completion) { d.Failed = true }), "candidate")
	f(immediate(ok, rpc(nil, []string{"grpc-status: 7"})), "candidate")
}

// TestWhatALogCannotProve: what was not recorded was not compared, and an
// answer to conditions that were not recorded is not the candidate's fault.
func TestWhatALogCannotProve(t *testing.T) {
	f := func(status uint32, length int64, candidate *understudyv1.Response, reason string, want ...string) {
		t.Helper()
		log := &understudyv1.Response{Status: status, Body: &understudyv1.Body{Length: length, Truncated: length > 0, DeclaredLength: -1}}
		r := immediate(log, candidate, func(r *understudyv1.Replay) {
			r.Exchange.Source = "import/combined"
			r.Exchange.Request.Headers = []*understudyv1.Header{{Name: "User-Agent", Value: []byte("x")}}
		})
		judge(t, comparator.DefaultConfig(), r, want...)
		if got := judgement(t, r).Incomplete; !strings.Contains(got, reason) {
			t.Errorf("reason %q, want %q", got, reason)
		}
	}
	page := response(200, `{"a":1}`)
	f(304, 0, page, "If-None-Match", "incomplete")
	f(412, 0, page, "If-None-Match", "incomplete")
	f(206, 1000, page, "Range", "incomplete")
	f(416, 0, page, "Range", "incomplete")
	f(304, 0, response(304, ""), "no headers", "incomplete")
	f(204, 0, response(204, ""), "no headers", "incomplete")
	f(500, 9, page, "", "rejected", `status status status 500 |200 {"a":1}`)
	f(404, 0, response(410, ""), "no headers", "mismatch", "incomplete", "status status status 404|410")

	bare := func(r *understudyv1.Replay) { r.Exchange.Source, r.Exchange.Response.Headers = "import/nock", nil }
	judge(t, comparator.DefaultConfig(), immediate(response(200, `{"a":1}`), page, bare), "incomplete")
	judge(t, comparator.DefaultConfig(), immediate(response(200, `{"a":2}`), page, bare), "mismatch", "incomplete", "body $.a value 2|1")
	judge(t, comparator.DefaultConfig(), immediate(response(304, ""), page, bare), "mismatch", "incomplete", "status status status 304|200", `body $ extra |{"a":1}`)

	recorded := immediate(response(304, "", "ETag: x"), page)
	judge(t, comparator.DefaultConfig(), recorded, "mismatch", "status status status 304|200",
		"header header:content-type extra |application/json", "header header:etag missing x|", `body $ extra |{"a":1}`)
}
