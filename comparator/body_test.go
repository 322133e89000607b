package comparator_test

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator"
	"understudy.dev/exchange/message/messagetest"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// coded makes an answer with a content coding.
func coded(t *testing.T, coding, body string) *understudyv1.Response {
	t.Helper()
	b := messagetest.Encode(t, []byte(body), coding)
	return response(200, string(b), "Content-Encoding: "+strings.TrimSuffix(coding, " raw"))
}

func TestContentCodings(t *testing.T) {
	f := func(baseline, candidate *understudyv1.Response, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(baseline, candidate), want...)
	}
	for _, coding := range []string{"gzip", "x-gzip", "deflate", "deflate raw", "br", "zstd"} {
		name := strings.TrimSuffix(coding, " raw")
		// That one side does not compress is a difference, and the only one.
		f(coded(t, coding, `{"a":1,"b":2}`), response(200, `{"b":2,"a":1.0}`), "mismatch", "header header:content-encoding missing "+name+"|")
		f(coded(t, coding, `{"a":1}`), coded(t, coding, `{"a":2}`), "mismatch", "body $.a value 1|2")
	}
	f(coded(t, "x-gzip", `{"a":1}`), coded(t, "gzip", `{"a":2}`), "mismatch", "body $.a value 1|2")
	whole := coded(t, "gzip", `{"a":1}`)
	broken := proto.Clone(whole).(*understudyv1.Response)
	broken.Body.Content = broken.Body.Content[:len(broken.Body.Content)-4]
	f(whole, broken, "mismatch", "body $ unparsable |content coding gzip: unexpected EOF")
	// The same bytes, called gzip by one side alone, are not the same.
	f(whole, response(200, string(whole.Body.Content)), "mismatch", "header header:content-encoding missing gzip|", "body $ unparsable "+`{"a":1}|not JSON: no value at offset 0`)
	many := response(200, "x", "Content-Encoding: gzip, gzip, gzip", "Content-Encoding: gzip, gzip")
	f(whole, many, "mismatch", "header header:content-encoding value gzip|gzip, gzip, gzip, gzip, gzip", "body $ unparsable |5 content codings: at most 4 are removed")
}

func TestABombIsNotUnpacked(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.MaxDecoded = 64 << 10
	long := strings.Repeat("0", 1<<20)
	for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
		judge(t, cfg, immediate(coded(t, coding, long), response(200, `{}`)),
			"mismatch", "header header:content-encoding missing "+coding+"|",
			"body $ truncated content coding "+coding+": body is longer than max_decoded after decoding|2 bytes")
		judge(t, cfg, immediate(coded(t, coding, long), coded(t, coding, long+"1")),
			"incomplete", "body $ truncated content coding "+coding+": body is longer than max_decoded after decoding|content coding "+coding+": body is longer than max_decoded after decoding (incomparable)")
	}
	judge(t, cfg, immediate(coded(t, "gzip", long), response(200, long+"1")),
		"mismatch", "incomplete", "header header:content-encoding missing gzip|", "body $ truncated content coding gzip: body is longer than max_decoded after decoding|1048577 bytes (incomparable)")
	judge(t, cfg, immediate(response(200, "x", "Content-Encoding: rot13"), response(200, "y", "Content-Encoding: rot13")),
		"incomplete", `body $ truncated unknown content coding "rot13"|unknown content coding "rot13" (incomparable)`)
}

func TestForms(t *testing.T) {
	form := func(s string) *understudyv1.Response {
		r := response(200, s)
		r.Headers[0].Value = []byte("application/x-www-form-urlencoded")
		return r
	}
	f := func(baseline, candidate string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(form(baseline), form(candidate)), want...)
	}
	f("a=1&b=two+words", "b=two%20words&a=1", "match")
	f("a=1&a=2", "a=2&a=1", "mismatch", `body $.a order ["1","2"]|["2","1"]`)
	f("a=1&odd.name=2", "c=3&a=1", "mismatch", `body $["odd.name"] missing ["2"]|`, `body $.c extra |["3"]`)
	f("a=%zz", "a=1", "mismatch", "body $ unparsable not form: invalid escape in the field at offset 0|a=1")
	f("a=%zz", "a=%zy", "mismatch", "body $[] value a=%zz|a=%zy") // as text
}

func TestTextsByLine(t *testing.T) {
	f := func(kind, baseline, candidate string, want ...string) {
		t.Helper()
		b, c := response(200, baseline), response(200, candidate)
		b.Headers[0].Value, c.Headers[0].Value = []byte(kind), []byte(kind)
		judge(t, comparator.DefaultConfig(), immediate(b, c), want...)
	}
	f("text/plain", "a\nb\nc", "a\nx\nb\nc", "mismatch", "body $[] extra |x")
	f("text/plain", "a\nb\nc", "a\nc", "mismatch", "body $[] missing b|")
	f("text/plain", "a\n\nc", "a\nc", "mismatch", "body $[] missing |")
	f("text/plain", `{"a":1}`, `{"a":2}`, "mismatch", "body $.a value 1|2") // looks like JSON
	f("application/xml", "<a>1</a>", "<a>2</a>", "mismatch", "body $.a[] value 1|2")
	f("image/png", "\x00\x01", "\x00\x02", "mismatch",
		"body $ body 2 bytes, sha256 b413f47d13ee2fe6c845b2ee141af81de858df4ec549a58b7970bb96645bc8d2|2 bytes, sha256 fcf0a6c700dd13e274b6fba8deea8dd9b26e4eedde3495717cac8408c9c5177f")
}

func TestCutBodies(t *testing.T) {
	cut := func(kind, content string, length int64, sum string) *understudyv1.Response {
		r := response(200, content+" ")
		r.Headers[0].Value = []byte(kind)
		hash := sha256.Sum256([]byte(sum))
		r.Body = &understudyv1.Body{Content: []byte(content), Length: length, Truncated: true, Sha256: hash[:]}
		return r
	}
	f := func(baseline, candidate *understudyv1.Response, want ...string) {
		t.Helper()
		got := lines(judgement(t, immediate(baseline, candidate)))
		for i, g := range got { // the sums themselves are of no interest
			if at := strings.Index(g, "sha256"); at > 0 {
				got[i] = g[:at]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	f(cut("image/png", "x", 9, "a"), cut("image/png", "x", 9, "a"), "match")
	f(cut("image/png", "x", 9, "a"), cut("image/png", "x", 9, "b"), "mismatch", "body $ body 9 bytes, ")
	f(cut("application/json", "x", 9, "a"), cut("application/json", "x", 9, "b"), "incomplete", "body $ truncated 1 of 9 bytes kept|1 of 9 bytes kept (incomparable)")
	none := response(200, "", "Content-Type: application/json")
	f(cut("application/json", "x", 9, "a"), none, "mismatch", "header header:content-type missing application/json|", "body $ missing 1 of 9 bytes kept|")
	f(cut("application/json", "x", 9, "a"), cut("application/json", "x", 10, "b"), "mismatch", "body $ truncated 1 of 9 bytes kept|1 of 10 bytes kept")
	// What redaction left out because nobody can undo its coding.
	broken := func(sum string) *understudyv1.Response {
		r := cut("application/json", "", 9, sum)
		r.Headers = append(r.Headers, &understudyv1.Header{Name: "Content-Encoding", Value: []byte("gzip")})
		r.Body.Unreadable = true
		return r
	}
	packed := coded(t, "gzip", `{"a":1}`)
	packed.Headers[0].Value = []byte("application/json")
	f(packed, broken("a"), "mismatch", "body $ unparsable "+strconv.Itoa(len(packed.Body.Content))+" of "+strconv.Itoa(len(packed.Body.Content))+" bytes kept|content coding gzip: cannot be undone")
	f(broken("a"), broken("a"), "match")
	f(broken("a"), broken("b"), "incomplete", "body $ truncated 0 of 9 bytes kept|0 of 9 bytes kept (incomparable)")
	f(none, cut("application/json", "x", 9, "a"), "mismatch", "header header:content-type extra |application/json", "body $ extra |1 of 9 bytes kept")
}

// judgement is the comparison under the default configuration.
func judgement(t *testing.T, r *understudyv1.Replay) comparator.Comparison {
	t.Helper()
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	return j.Judge(r)
}

// An access log knows the status and the length; that is what is compared.
func TestWhatAnAccessLogDoesNotSay(t *testing.T) {
	log := &understudyv1.Response{Status: 200, Body: &understudyv1.Body{Length: 9, Truncated: true}}
	f := func(candidate *understudyv1.Response, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(log, candidate), want...)
	}
	f(response(200, `{"a":1}`, "X-Any: 1"), "incomplete", "body $ truncated 0 of 9 bytes kept|7 of 7 bytes kept (incomparable)")
	f(response(206, `{"a":1}`), "mismatch", "incomplete", "status status status 200|206", "body $ truncated 0 of 9 bytes kept|7 of 7 bytes kept (incomparable)")
	f(response(200, ""), "mismatch", "incomplete", "body $ missing 0 of 9 bytes kept|")
}

func FuzzJudge(f *testing.F) {
	seed := func(r *understudyv1.Replay) {
		b, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	seed(immediate(response(200, `{"id":"a1","t":"2026-11-24T10:00:00Z"}`), response(200, `{"t":"2026-11-24T10:10:00Z","id":"b2"}`, "Set-Cookie: =;;=")))
	seed(polled(response(201, `[1,2]`), response(200, `[2,1]`)))
	seed(immediate(response(200, "a=1", "Content-Encoding: gzip"), response(200, "\x1f\x8b", "Content-Encoding: zstd, br")))
	seed(&understudyv1.Replay{Orphan: &understudyv1.Orphan{}})
	cfg := comparator.DefaultConfig()
	cfg.MaxDifferences, cfg.MaxDecoded = 5, 1<<16
	cfg.Rules = []comparator.Rule{
		{Name: "a", Owner: "o", Reason: "r", Path: "$.**.x*y", Action: "ignore"},
		{Name: "b", Owner: "o", Reason: "r", Path: "$.**", Action: "tolerance", Tolerance: "1%"},
		{Name: "c", Owner: "o", Reason: "r", Path: "$.u[]", Action: "unordered"},
		{Name: "d", Owner: "o", Reason: "r", Path: "$.k[]", Action: "keyed", Key: "id"},
	}
	j, err := comparator.NewJudge(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		r := &understudyv1.Replay{}
		if proto.Unmarshal(record, r) != nil {
			return
		}
		c := j.Judge(r)
		if len(c.Findings) == 0 || c.Findings[0] != c.Verdict || len(c.Differences) > cfg.MaxDifferences {
			t.Fatalf("%+v", c)
		}
		if diff := cmp.Diff(c, j.Judge(r)); diff != "" {
			t.Fatal(diff)
		}
		if c.Verdict == comparator.Match && c.Counting() > 0 || c.Verdict == comparator.Mismatch && c.Counting() == 0 {
			t.Fatalf("%s with %d differences that count", c.Verdict, c.Counting())
		}
	})
}
