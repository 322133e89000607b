package comparator_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"understudy.dev/comparator"
	"understudy.dev/comparator/diff"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestHeaders(t *testing.T) {
	f := func(baseline, candidate []string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, "", baseline...), response(200, "", candidate...)), want...)
	}
	f([]string{"Cache-Control: no-store"}, []string{"cache-control: no-store"}, "match")
	f([]string{"Vary-By: a", "Vary-By: b"}, []string{"Vary-By: a, b"}, "match")
	f([]string{"Vary-By: a, b"}, []string{"Vary-By: b, a"}, "mismatch", "header header:vary-by value a, b|b, a")
	f([]string{"Location: /orders/ord_1"}, []string{"Location: /orders/5"}, "match")
	f([]string{"Location: /orders/ord_1"}, []string{"Location: /order/5"}, "mismatch", "header header:location value /orders/ord_1|/order/5")
	f([]string{"Cache-Control: no-store"}, nil, "mismatch", "header header:cache-control missing no-store|")
	f(nil, []string{"X-New: 1"}, "mismatch", "header header:x-new extra |1")
	// What is lost is a difference, whatever it holds.
	for _, name := range []string{"etag", "content-encoding", "vary", "accept-ranges", "location", "digest", "content-digest", "repr-digest"} {
		f([]string{name + ": x"}, nil, "mismatch", "header header:"+name+" missing x|")
		f(nil, []string{name + ": x"}, "mismatch", "header header:"+name+" extra |x")
	}
	// A tag may be another name of the same state.
	f([]string{`ETag: "a1"`}, []string{`ETag: "b2"`}, "match", `header header:etag value "a1"|"b2" (default:entity-tag)`)
	f([]string{`ETag: "a1"`}, []string{`ETag: W/"a1"`}, "mismatch", `header header:etag value "a1"|W/"a1"`)
	// Of the same bytes there is one digest.
	f([]string{"Digest: md5=a"}, []string{"Digest: md5=b"}, "mismatch", "header header:digest value md5=a|md5=b")
}

func TestHeadersThatAreSets(t *testing.T) {
	f := func(name, baseline, candidate string, same bool) {
		t.Helper()
		want := []string{"match"}
		if !same {
			want = []string{"mismatch", "header header:" + strings.ToLower(name) + " value " + baseline + "|" + candidate}
		}
		judge(t, comparator.DefaultConfig(), immediate(response(200, "", name+": "+baseline), response(200, "", name+": "+candidate)), want...)
	}
	for _, name := range []string{"Allow", "Vary", "Accept-Patch", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
		"Access-Control-Expose-Headers", "Cache-Control", "Content-Language"} {
		f(name, "a1, b2", "b2,a1", true)
		f(name, "a1, b2", "b2, a1, , b2", true)
		f(name, "a1, b2", "a1", false)
		f(name, "a1, b2", "a1, b3", false)
	}
	f("Allow", "GET", "get", false)
	f("Vary", "Accept", "accept", true)
	f("Cache-Control", `private="a, b", max-age=60`, `Max-Age="60", private="a, b"`, true)
	f("Cache-Control", `private="a, b"`, `private="a", b`, false)
	f("Cache-Control", "max-age=60", "max-age=600", false)
	f("Link", `</a>; rel="next", </b>; rel=prev`, `</b>; rel="prev", </a>; rel=next`, true)

	judge(t, comparator.DefaultConfig(), immediate(response(200, "", `Link: </a,1>; rel=next; title="x"`), response(200, "", `Link: </c>; title=x; rel=next`)),
		"mismatch", "header header:link:next value /a,1|/c")
	judge(t, comparator.DefaultConfig(), immediate(response(200, "", `Link: </orders/o-17/items?page=2>; rel=next; title=x`), response(200, "", `Link: </orders/o-18/items?page=2>; rel=next; title=y`)),
		"mismatch", "header header:link:next value /orders/o-17/items?page=2|/orders/o-18/items?page=2 (presumed:identifier)", "header header:link:next;attributes value title=x|title=y")
	judge(t, comparator.DefaultConfig(), immediate(response(200, "", "Content-Encoding: x-gzip"), response(200, "", "Content-Encoding: GZIP")), "match")
	judge(t, comparator.DefaultConfig(), immediate(response(200, "", "Content-Encoding: br, gzip"), response(200, "", "Content-Encoding: gzip, br")),
		"mismatch", "header header:content-encoding value br, gzip|gzip, br")
}

func TestCookies(t *testing.T) {
	f := func(baseline, candidate string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, "", "Set-Cookie: "+baseline), response(200, "", "Set-Cookie: "+candidate)), want...)
	}
	value := "header header:set-cookie:sid;value value (redacted)|(redacted) "
	f("sid=abc; Path=/; HttpOnly", "sid=abc; HttpOnly; path=/", "match")
	f("sid=A8s7Df6gH5jK4l3M2n; Path=/", "sid=q9W8e7R6t5Y4u3I2o1; Path=/", "presumed", value+"(presumed:random)")
	f("sid=abc; Path=/", "sid=xyz; Path=/", "mismatch", strings.TrimSpace(value))
	f("sid=rdx_0123456789012345678901", "sid=xyz", "incomplete", value+"(incomparable)")
	f("sid=rdx_0123456789012345678901", "sid=rdx_1234567890123456789012", "incomplete", value+"(incomparable)")
	f("sid=abc; HttpOnly", "sid=abc", "mismatch", "header header:set-cookie:sid value set; httponly|set")
	f("sid=abc; Path=/Orders", "sid=abc; Path=/orders", "mismatch", "header header:set-cookie:sid value set; path=/Orders|set; path=/orders")
	f("sid=abc", "other=abc", "mismatch", "header header:set-cookie:other extra |set", "header header:set-cookie:sid missing set|")
	two := []string{"Set-Cookie: a=1; Path=/x", "Set-Cookie: a=2; Path=/y"}
	judge(t, comparator.DefaultConfig(), immediate(response(200, "", two...), response(200, "", two[1], two[0])), "match")
	judge(t, comparator.DefaultConfig(), immediate(response(200, "", two...), response(200, "", two[1])), "mismatch",
		"header header:set-cookie:a;path=/x missing set; path=/x|")
	for _, cleared := range []string{"sid=", `sid=""`, "sid=x; Max-Age=0", "sid=x; Max-Age=-1", "sid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "sid=x; expires=Thu, 01-Jan-1970 00:00:00 GMT"} {
		attributes := ""
		if _, age, ok := strings.Cut(cleared, "; Max"); ok {
			attributes = "; max" + strings.ToLower(age)
		}
		f("sid=abc", cleared, "mismatch", "header header:set-cookie:sid value set|cleared"+attributes)
		f(cleared, "sid=abc", "mismatch", "header header:set-cookie:sid value cleared"+attributes+"|set")
		f(cleared, "sid=; Max-Age=0; Secure", "match") // forgotten is forgotten
	}
	// Max-Age goes before Expires; without it the time is compared like any other.
	f("sid=a; Max-Age=60; Expires=Tue, 24 Nov 2026 10:01:00 GMT", "sid=a; Max-Age=60", "match")
	f("sid=a; Expires=Tue, 24 Nov 2026 11:00:00 GMT", "sid=a; Expires=Tue, 24 Nov 2026 11:10:00 GMT", "match",
		"header header:set-cookie:sid;expires value Tue, 24 Nov 2026 11:00:00 GMT|Tue, 24 Nov 2026 11:10:00 GMT (timestamp)")
	f("sid=a; Expires=Tue, 24 Nov 2026 11:00:00 GMT", "sid=a; Expires=Wed, 25 Nov 2026 11:10:00 GMT", "mismatch",
		"header header:set-cookie:sid;expires value Tue, 24 Nov 2026 11:00:00 GMT|Wed, 25 Nov 2026 11:10:00 GMT")
	f("sid=a; Expires=Tue, 24 Nov 2026 11:00:00 GMT", "sid=a", "mismatch", "header header:set-cookie:sid;expires missing Tue, 24 Nov 2026 11:00:00 GMT|")
}

// TestValuesOfCookies: what somebody may read is a difference; what a machine made
// for nobody is presumed. Neither is shown.
func TestValuesOfCookies(t *testing.T) {
	f := func(name, baseline, candidate string, want comparator.Verdict) {
		t.Helper()
		got := judgement(t, immediate(response(200, "", "Set-Cookie: "+name+"="+baseline), response(200, "", "Set-Cookie: "+name+"="+candidate)))
		if got.Verdict != want {
			t.Errorf("%s=%s and %s: want %s, got %q", name, baseline, candidate, want, lines(got))
		}
		for _, d := range got.Differences {
			if d.Baseline != "(redacted)" || d.Candidate != "(redacted)" {
				t.Errorf("%s=%s: shown: %q", name, baseline, lines(got))
			}
		}
	}
	for _, c := range [][3]string{
		{"theme", "dark", "light"}, {"theme", "dark-2", "light-2"}, {"theme", "dark2024", "light2024"}, {"theme", "solarized-dark-high-contrast", "solarized-light-high-contrast"},
		{"locale", "de-DE", "en-US"}, {"plan", "pro-2024", "free-2024"}, {"ab", "exp-17:b", "exp-17:a"}, {"variant", "checkout_v2_blue", "checkout_v3_red"},
		{"prefs", "currency%3DEUR%26theme%3Ddark%26x%3D1", "currency%3DUSD%26theme%3Ddark%26x%3D1"}, {"prefs", `{"currency":"EUR"}`, `{"currency":"USD"}`},
		{"cart", "items.3.total.1299.currency.eur", "items.4.total.1599.currency.eur"}, {"msg", "Your order has been placed today", "Your order has been refused today"},
		{"token", jwt(`{"sub":"u1","role":"user"}`, "one"), jwt(`{"sub":"u1","role":"admin"}`, "two")},
		{"s", "user.A8s7Df6gH5jK4l3M2n", "admin.q9W8e7R6t5Y4u3I2o1"},
		{"s", "dXNlciBvbmUgaXMgaGVyZQ:A8s7Df6gH5jK4l3M2n", "dXNlciB0d28gaXMgaGVyZQ:q9W8e7R6t5Y4u3I2o1"}, // user one is here
	} {
		f(c[0], c[1], c[2], comparator.Mismatch)
		f(c[0], c[1], c[1], comparator.Match)
	}
	for _, c := range [][2]string{
		{"A8s7Df6gH5jK4l3M2n", "q9W8e7R6t5Y4u3I2o1"}, {uuid1, uuid2}, {"s%3AA8s7Df6gH5jK4l3M2n.Bb8Yq2Zz91Kp0Xw7", "s%3Aq9W8e7R6t5Y4u3I2o1.x9Zr3Aa52Lq8Vu6m"},
		{"A8s7Df6gH5jK4l3M2n:1rX2bQ:Bb8Yq2Zz91Kp0Xw7", "q9W8e7R6t5Y4u3I2o1:1rX2f7:x9Zr3Aa52Lq8Vu6m"},
		{jwt(`{"sub":"u1"}`, "one"), jwt(`{"sub":"u1"}`, "two")},
	} {
		f("sid", c[0], c[1], comparator.Presumed)
	}
	f("token", jwt(fmt.Sprintf(`{"sub":"u1","iat":%d}`, start.Unix()), "one"), jwt(fmt.Sprintf(`{"sub":"u1","iat":%d}`, start.Unix()+600), "two"), comparator.Match)
}

func TestASecretOfTheCandidateIsNotShown(t *testing.T) {
	token, other := "rdx_0123456789012345678901", "rdx_1234567890123456789012"
	f := func(baseline, candidate string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, "", baseline), response(200, "", candidate)), want...)
	}
	f("X-Auth-Token: "+token, "X-Auth-Token: plain", "incomplete", "header header:x-auth-token value (redacted)|(redacted) (incomparable)")
	f("X-Auth-Token: "+token, "X-Auth-Token: "+other, "incomplete", "header header:x-auth-token value (redacted)|(redacted) (incomparable)")
	f("X-Auth-Token: "+token, "X-Auth-Token: "+token, "match")
	f("Location: /a?sid="+token, "Location: /a?sid=plain", "incomplete", "header header:location value /a?sid=(redacted)|/a?sid=(redacted) (incomparable)")
	f("Location: /a?sid="+token+"&x=1", "Location: /b?sid="+other+"&x=1", "mismatch", "header header:location value /a?sid=(redacted)&x=1|/b?sid=(redacted)&x=1")
	f("Location: /a?sid="+token, "Location: /b?sid=plain", "mismatch", "header header:location value /a?sid=(redacted)|/b?(redacted)")
	f("X-Auth-Token: "+token, "X-Other: 1", "mismatch", "header header:x-auth-token missing (redacted)|", "header header:x-other extra |1")
}

func TestContentType(t *testing.T) {
	f := func(body, baseline, candidate string, want ...string) {
		t.Helper()
		b, c := response(200, body), response(200, body)
		b.Headers[0].Value, c.Headers[0].Value = []byte(baseline), []byte(candidate)
		judge(t, comparator.DefaultConfig(), immediate(b, c), want...)
		judge(t, comparator.DefaultConfig(), polled(b, c), want...)
	}
	say := func(b, c, class string) string { return "header header:content-type value " + b + "|" + c + class }
	f("[]", "application/json", "Application/JSON", "match")
	f("[]", "application/json", "application/json; charset=UTF-8", "match", say("application/json", "application/json; charset=UTF-8", " (default:charset)"))
	f("[]", "text/html; charset=UTF-8", `text/html;charset="utf-8"`, "match")
	f("[]", "text/html; charset=utf-8", "text/html; charset=latin1", "match", say("text/html; charset=utf-8", "text/html; charset=latin1", " (default:charset)"))
	f("[é]", "text/html; charset=utf-8", "text/html; charset=latin1", "mismatch", say("text/html; charset=utf-8", "text/html; charset=latin1", ""),
		"body $.html[].body[] value [é]|[Ã©]", "body $ value utf-8|windows-1252 (default:charset)")
	f("[]", "multipart/mixed; boundary=a", "multipart/mixed; boundary=b", "match", say("multipart/mixed; boundary=a", "multipart/mixed; boundary=b", " (default:boundary)"))
	f("[]", "text/plain", "text/html", "mismatch", say("text/plain", "text/html", ""))
	f("[]", "nonsense;;=", "nonsense;;==", "mismatch", say("nonsense;;=", "nonsense;;==", ""))

	// The same bytes of two charsets are not the same text.
	page := func(kind string) *understudyv1.Response {
		r := response(200, "[é]")
		r.Headers[0].Value = []byte(kind)
		return r
	}
	if c := judgement(t, immediate(page("text/html; charset=utf-8"), page("text/html; charset=latin1"))); c.Verdict != comparator.Mismatch || c.Differences[0].Noise != "" {
		t.Errorf("got %+v", c)
	}

	nothing := func(kind string) *understudyv1.Response { return response(200, "", "Content-Type: "+kind) }
	judge(t, comparator.DefaultConfig(), immediate(nothing("text/html"), nothing("text/plain")), "match", say("text/html", "text/plain", " (default:empty-body)"))
	head := func(r *understudyv1.Replay) { r.Exchange.Request.Method = "HEAD" }
	judge(t, comparator.DefaultConfig(), immediate(nothing("text/html"), nothing("text/plain"), head), "mismatch", say("text/html", "text/plain", ""))
}

// defaultCases has a difference for each default rule that fields can show.
var defaultCases = map[string][2][]string{
	"hop-by-hop":     {{"Connection: close, X-Hop", "X-Hop: 1"}, {"Keep-Alive: 5"}},
	"date-server":    {{"Date: a", "Server: x"}, {"Date: b", "X-Runtime: 3"}},
	"tracing":        {{"X-Request-Id: 1"}, {"X-B3-TraceId: 7"}},
	"cache-hops":     {{"Age: 1", "CF-Ray: x"}, {"Via: y"}},
	"quota":          {{"X-RateLimit-Remaining: 1"}, {"RateLimit-Remaining: 7", "Retry-After: 3"}},
	"async-headers":  {nil, {"Operation-Location: /o/1", "Preference-Applied: respond-async"}},
	"own-marks":      {nil, {"Understudy-Run: r", "Idempotency-Key: e1"}},
	"content-length": {{"Content-Length: 2"}, nil},
	"charset":        {{"Content-Type: text/html; charset=utf-8"}, {"Content-Type: text/html; charset=latin1"}},
	"boundary":       {{"Content-Type: multipart/mixed; boundary=a"}, {"Content-Type: multipart/mixed; boundary=b"}},
}

// TestDefaultRules: each is noise of its own name, and a difference that counts
// once it is switched off.
func TestDefaultRules(t *testing.T) {
	for name, lines := range defaultCases {
		b, c := response(200, "", lines[0]...), response(200, "", lines[1]...)
		for _, r := range []*understudyv1.Response{b, c} {
			r.Body = &understudyv1.Body{Content: []byte("ab"), Length: 2}
		}
		for _, off := range [][]string{nil, {name}} {
			cfg := comparator.DefaultConfig()
			cfg.DefaultRulesOff = off
			j, err := comparator.NewJudge(cfg)
			if err != nil {
				t.Fatal(err)
			}
			got := j.Judge(immediate(b, c))
			want, class := comparator.Match, "default:"+name
			if off != nil {
				want, class = comparator.Mismatch, ""
			}
			if got.Verdict != want || len(got.Differences) == 0 {
				t.Errorf("%s, off %v: got %+v", name, off, got)
			}
			for _, d := range got.Differences {
				if d.Noise != class {
					t.Errorf("%s, off %v: %s has class %q", name, off, d.Path, d.Noise)
				}
			}
		}
	}
	cfg := comparator.DefaultConfig()
	cfg.DefaultRulesOff = []string{"tracing", "traces"}
	odd := comparator.DefaultConfig()
	odd.IgnoreHeaders = []string{"x-*", "x y", ""}
	odd.Rules = []comparator.Rule{{Name: "ignore_headers", Owner: "o", Reason: "r", Path: "$.a", Action: "ignore"}}
	for _, want := range []string{`ignore_headers[1]: "x y" is not the name of a header`, "ignore_headers[2]", "rules[0].name"} {
		if err := odd.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "ignore_headers[0]") {
			t.Errorf("%v; want %s", err, want)
		}
	}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), `default_rules_off[1]: "traces" is not one of hop-by-hop`) {
		t.Errorf("got %v", err)
	}
}

// TestANameOfTheRequestComesBack: the client finds its request again by the name
// that it gave it; one that is made anew is nothing to it.
func TestANameOfTheRequestComesBack(t *testing.T) {
	f := func(sent, baseline, candidate string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, "", oneField(baseline)...), response(200, "", oneField(candidate)...), func(r *understudyv1.Replay) {
			name, value, _ := strings.Cut(sent, ": ")
			r.Exchange.Request.Headers = append(r.Exchange.Request.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
		}), want...)
	}
	const own = "X-Request-Id: job-7"
	f(own, own, own, "match")
	f(own, own, "X-Request-Id: 81", "mismatch", "header header:x-request-id value job-7|81")
	f(own, own, "", "mismatch", "header header:x-request-id missing job-7|")
	f("Request-Id: job-7", "X-Correlation-Id: job-7", "", "mismatch", "header header:x-correlation-id missing job-7|")
	f(own, "X-Request-Id: 80", "X-Request-Id: 81", "match", "header header:x-request-id value 80|81 (default:tracing)")
	f(own, "", own, "match", "header header:x-request-id extra |job-7 (default:tracing)")
	const parent = "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	f(parent, parent, "Traceparent: 00-1", "match", "header header:traceparent value "+parent[len("Traceparent: "):]+"|00-1 (default:tracing)")
}

// oneField is a field, or none.
func oneField(line string) []string {
	if line == "" {
		return nil
	}
	return []string{line}
}

func TestContentLengthOfAnotherBodyCounts(t *testing.T) {
	f := func(baseline, candidate string, method string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, "", "Content-Length: "+baseline), response(200, "", "Content-Length: "+candidate), func(r *understudyv1.Replay) {
			r.Exchange.Request.Method = method
		}), want...)
	}
	f("10", "11", "HEAD", "mismatch", "header header:content-length value 10|11")
	f("10", "10", "HEAD", "match")
	f("0", "11", "GET", "mismatch", "header header:content-length value 0|11")
}

// TestTheMarkOfAClone is its own: that of another, or of none, is no echo of it.
func TestTheMarkOfAClone(t *testing.T) {
	f := func(echo string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, `{"headers":{}}`), response(200, `{"headers":{"Idempotency-Key":"`+echo+`"}}`),
			func(r *understudyv1.Replay) { r.Lap, r.Clone = 2, 3 }), want...)
	}
	f("e1~2.3", "match", `body $.headers.Idempotency-Key extra |e1~2.3 (default:own-marks)`)
	f("e1~2.1", "mismatch", `body $.headers.Idempotency-Key extra |e1~2.1`)
	f("e1", "mismatch", `body $.headers.Idempotency-Key extra |e1`)
}

func TestOwnMarksInABody(t *testing.T) {
	f := func(baseline, candidate string, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(response(200, baseline), response(200, candidate)), want...)
	}
	f(`{"headers":{}}`, `{"headers":{"Understudy-Run":"r","idempotency-key":["e1"]}}`, "match",
		`body $.headers.Understudy-Run extra |r (default:own-marks)`, `body $.headers.idempotency-key extra |["e1"] (default:own-marks)`)
	f(`{"headers":{"Understudy-Hop":"x"}}`, `{"headers":{}}`, "match", `body $.headers.Understudy-Hop missing x| (default:own-marks)`)
	f(`{}`, `{"Understudy-Hop":"x"}`, "mismatch", "body $.Understudy-Hop extra |x") // a replay sends none
	f(`{}`, `{"a b":{"IDEMPOTENCY_KEY":"e1"},"my-understudy-run":"r"}`, "mismatch", `body $["a b"] extra |{"IDEMPOTENCY_KEY":"e1"}`, "body $.my-understudy-run extra |r")
	f(`{"h":["a"]}`, `{"h":["a"],"IDEMPOTENCY_KEY":"e1"}`, "match", "body $.IDEMPOTENCY_KEY extra |e1 (default:own-marks)")
	f(`{}`, `{"idempotency_key":"e2"}`, "mismatch", "body $.idempotency_key extra |e2")
	f(`{"Understudy-Run":"x"}`, `{"Understudy-Run":"r"}`, "mismatch", "body $.Understudy-Run value x|r")
	f(`{"Understudy-Run":"r"}`, `{}`, "mismatch", "body $.Understudy-Run missing r|")
}

func TestHeadersOfACompletion(t *testing.T) {
	ok := func(headers ...string) *understudyv1.Response { return response(201, `{"id":7}`, headers...) }
	f := func(r *understudyv1.Replay, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), r, want...)
	}
	acknowledged := func(r *understudyv1.Replay, headers ...string) *understudyv1.Replay {
		r.Candidate.Ack = response(202, "", headers...)
		return r
	}
	const covered, lost = "header header:location missing /orders/7| (default:completion)", "header header:location missing /orders/7|"
	f(polled(ok("Location: /orders/7"), ok("X-Poll: 1")), "presumed", covered, "header header:x-poll extra |1 (presumed:completion)")
	cfg := comparator.DefaultConfig()
	cfg.DefaultRulesOff = []string{"completion"}
	judge(t, cfg, polled(ok("Location: /orders/7"), ok()), "mismatch", lost)

	// What the completion says itself may be the answer's.
	f(polled(ok("X-Balance: 5"), ok("X-Balance: 5")), "match")
	f(polled(ok("X-Balance: 5"), ok("X-Balance: 6")), "presumed", "header header:x-balance value 5|6 (presumed:completion)")
	f(polled(ok("Content-Length: 500"), ok("Content-Length: 620")), "match", "header header:content-length value 500|620 (default:completion)")
	f(polled(ok("X-Balance: 5"), ok()), "presumed", "header header:x-balance missing 5| (presumed:completion)")
	f(acknowledged(polled(ok("X-Balance: 5"), ok()), "X-Balance: 6"), "presumed", "header header:x-balance missing 5| (presumed:completion)")
	f(polled(ok("Cache-Control: max-age=9"), ok("Cache-Control: no-store")), "presumed", "header header:cache-control value max-age=9|no-store (presumed:completion)")
	f(polled(ok("X-Served-At: 2026-11-24T10:00:00Z"), ok("X-Served-At: 2026-11-24T10:10:00Z")), "match", "header header:x-served-at value 2026-11-24T10:00:00Z|2026-11-24T10:10:00Z (timestamp)")

	// The address of what was made is told somewhere, or lost.
	other := func(headers ...string) *understudyv1.Response { return response(200, `{"n":7}`, headers...) }
	made := response(201, `{"n":7}`, "Location: /orders/7")
	f(polled(made, other()), "mismatch", lost)
	f(polled(made, response(200, `{"n":7,"x":{"self":"http://h/orders/7"}}`)), "mismatch", covered, `body $.x extra |{"self":"http://h/orders/7"}`)
	f(polled(made, other("Location: /orders/7")), "match")
	f(polled(made, other("Location: /orders/8")), "match") // its name there
	f(polled(made, other("Location: /receipts/8")), "mismatch", "header header:location value /orders/7|/receipts/8")
	f(polled(made, other("Content-Location: http://shop/orders/7")), "match", "header header:content-location extra |http://shop/orders/7 (default:completion)", covered)
	f(acknowledged(polled(made, other()), "Location: /orders/7"), "match")
	f(acknowledged(polled(made, other()), "Location: /orders/8"), "match")                                                                   // its name there
	f(acknowledged(polled(response(201, `{"n":7}`, "Location: http://a/orders/mine"), other()), "Location: http://a/orders/yours"), "match") // likewise
	f(acknowledged(polled(made, other()), "Location: /orders/7/status"), "mismatch", lost)
	f(acknowledged(polled(made, other()), "Location: /jobs/1"), "mismatch", lost)
	// Where the client was sent on to, it goes.
	sent := response(302, "", "Location: /welcome")
	f(polled(sent, response(200, "")), "mismatch", "header header:location missing /welcome|")
	f(polled(sent, response(302, "", "Location: /welcome")), "match")
	f(polled(sent, response(302, "", "Location: /login")), "mismatch", "header header:location value /welcome|/login")
	f(acknowledged(polled(response(303, "", "Location: /orders/7"), response(200, `{"id":7}`)), "Location: /jobs/1"), "mismatch", "header header:content-type extra |application/json", lost, `body $ extra |{"id":7}`)
	// A cookie is one wherever it was set.
	set := ok("Set-Cookie: seen=1; Secure")
	f(polled(set, ok()), "mismatch", "header header:set-cookie:seen missing set; secure|")
	f(acknowledged(polled(set, ok()), "Set-Cookie: seen=1; Secure"), "match")
	f(polled(set, ok("Set-Cookie: seen=1; Secure; Expires=Tue, 24 Nov 2026 11:10:00 GMT")), "mismatch", "header header:set-cookie:seen;expires extra |Tue, 24 Nov 2026 11:10:00 GMT")
	f(acknowledged(polled(set, ok()), "Set-Cookie: seen=1"), "mismatch", "header header:set-cookie:seen value set; secure|set")
	f(acknowledged(polled(set, ok()), "Set-Cookie: seen=; Max-Age=0"), "mismatch", "header header:set-cookie:seen value set; secure|cleared; max-age=0")
	f(polled(set, ok("Set-Cookie: seen=2; Secure")), "mismatch", "header header:set-cookie:seen;value value (redacted)|(redacted)")
	f(acknowledged(polled(ok(), ok()), "Set-Cookie: job=1"), "match", "header header:set-cookie:job extra |set (default:completion)")
}

// rpc is an answer of gRPC whose fields after a bar are trailers.
func rpc(headers, trailers []string) *understudyv1.Response {
	r := response(200, "", append([]string{"Content-Type: application/grpc+proto"}, headers...)...)
	r.Body.Content, r.Body.Length = []byte{0, 0, 0, 0, 0}, 5
	for _, h := range trailers {
		name, value, _ := strings.Cut(h, ": ")
		r.Trailers = append(r.Trailers, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return r
}

func TestTrailers(t *testing.T) {
	f := func(baseline, candidate *understudyv1.Response, want ...string) {
		t.Helper()
		judge(t, comparator.DefaultConfig(), immediate(baseline, candidate), want...)
	}
	fine := rpc(nil, []string{"grpc-status: 0"})
	f(fine, rpc(nil, []string{"Grpc-Status: 0"}), "match")
	f(fine, rpc(nil, []string{"grpc-status: 13", "grpc-message: boom"}), "rejected", "status status status 200, grpc-status 0|200, grpc-status 13")
	f(rpc([]string{"grpc-status: 5"}, nil), fine, "rejected", "status status status 200, grpc-status 5|200, grpc-status 0")
	f(rpc([]string{"grpc-status: 5"}, nil), rpc(nil, []string{"grpc-status: 5"}), "match") // alone or after a message, it is the same
	f(rpc(nil, []string{"grpc-status: 5"}), rpc(nil, []string{"grpc-status: 13"}), "mismatch", "trailer trailer:grpc-status value 5|13")
	f(fine, rpc(nil, nil), "mismatch", "trailer trailer:grpc-status missing 0|")
	f(rpc(nil, []string{"grpc-status: 0", "X-Sum: a", "Server-Timing: x"}), rpc(nil, []string{"grpc-status: 0", "X-Sum: b"}), "mismatch",
		"trailer trailer:server-timing missing x| (default:date-server)", "trailer trailer:x-sum value a|b")

	cfg := comparator.DefaultConfig()
	cfg.Rules = []comparator.Rule{{Name: "r1", Owner: "o", Reason: "r", Path: "trailer:X-Sum", Action: "ignore"}}
	judge(t, cfg, immediate(rpc(nil, []string{"X-Sum: a"}), rpc(nil, []string{"X-Sum: b"})), "match", "trailer trailer:x-sum value a|b (rule:r1)")

	imported := func(r *understudyv1.Replay) { r.Exchange.Source = "import/har" }
	judge(t, cfg, immediate(rpc(nil, nil), fine, imported), "incomplete")
}

func TestDefaultRulesInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/compare.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, r := range comparator.DefaultRules() {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", r.Name, r.Covers, r.Reason)
	}
	if !strings.Contains(string(page), "|---|---|---|\n"+table.String()+"\n") {
		t.Errorf("docs/compare.md must have this table:\n%s", table.String())
	}
}

// FuzzFields: fields in another order differ in nothing, what one side lacks
// the other has, and no value that was redacted on one side is shown.
func FuzzFields(f *testing.F) {
	f.Add("Set-Cookie: a=1; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT\nLink: </a,b>; rel=\"x y\", <c\nVary: *", "Cache-Control: private=\"a, b\", x=\"\nset-cookie: =;;=\nLink: >;=,")
	f.Add("Content-Type: text/html; charset=\"a\nConnection: close, x\nX: 1", "Content-Length: 7\nX-Auth-Token: hush-hush\nETag: W/")
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		if strings.Contains(one+other, "hush-hush") {
			one, other = strings.ReplaceAll(one, "hush-hush", ""), strings.ReplaceAll(other, "hush-hush", "")
		}
		lines := func(s string, reverse bool) []string {
			names := map[string]bool{}
			var out []string
			for _, l := range strings.Split(s, "\n") {
				name, _, _ := strings.Cut(l, ": ")
				if name = strings.ToLower(name); !names[name] && strings.Contains(l, ": ") {
					out = append(out, l)
				}
				names[name] = true
			}
			if reverse {
				slices.Reverse(out)
			}
			return out
		}
		at := func(r *understudyv1.Replay) { r.SentUnixNano = r.Exchange.StartUnixNano }
		same := j.Judge(immediate(response(200, "", lines(one, false)...), response(200, "", lines(one, true)...), at))
		if same.Verdict != comparator.Match || len(same.Differences) > 0 {
			t.Fatalf("in another order: %+v", same)
		}
		there := j.Judge(immediate(response(200, "", lines(one, false)...), response(200, "", lines(other, false)...), at))
		back := j.Judge(immediate(response(200, "", lines(other, false)...), response(200, "", lines(one, false)...), at))
		if there.Totals.Counting+there.Totals.Presumed+there.Totals.Harmless != back.Totals.Counting+back.Totals.Presumed+back.Totals.Harmless {
			t.Fatalf("there %+v\nback %+v", there, back)
		}
		if (there.Verdict == comparator.Match) != (there.Totals.Counting+there.Totals.Presumed == 0) {
			t.Fatalf("%+v", there)
		}
		secret := j.Judge(immediate(response(200, "", "X-Auth-Token: rdx_0123456789012345678901", "Set-Cookie: s=rdx_0123456789012345678901"),
			response(200, "", append(lines(one, false), "X-Auth-Token: hush-hush", "Set-Cookie: s=hush-hush")...), at))
		for _, d := range secret.Differences {
			if strings.Contains(d.Baseline+d.Candidate, "hush-hush") {
				t.Fatalf("shown: %+v", d)
			}
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add("a.b", "$.x[].*")
	f.Add("", `$["a\"b"][]`)
	f.Fuzz(func(t *testing.T, name, pattern string) {
		cfg := comparator.DefaultConfig()
		cfg.Rules = []comparator.Rule{{Name: "r", Owner: "o", Reason: "r", Path: pattern, Action: "ignore"}}
		if cfg.Validate() == nil {
			if _, err := comparator.NewJudge(cfg); err != nil {
				t.Fatal(err)
			}
		}
		cfg.Rules[0].Path = diff.Member("$.x[]", name)
		if err := cfg.Validate(); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	})
}

// TestSpellingsOfFields: what a field means is compared, not how it is spelled.
func TestSpellingsOfFields(t *testing.T) {
	f := func(name, baseline, candidate string, want comparator.Verdict) {
		t.Helper()
		if c := judgement(t, immediate(response(200, `{"a":1}`, name+": "+baseline), response(200, `{"a":1}`, name+": "+candidate))); c.Verdict != want {
			t.Errorf("%s: want %s, got %q", name, want, lines(c))
		}
	}
	same := func(name, baseline, candidate string) { t.Helper(); f(name, baseline, candidate, comparator.Match) }
	differs := func(name, baseline, candidate string) {
		t.Helper()
		f(name, baseline, candidate, comparator.Mismatch)
	}
	same("Content-Disposition", `attachment; filename=a.txt`, `Attachment;filename="a.txt"`)
	same("Content-Disposition", `attachment; filename="a.txt"; size=3`, `attachment; SIZE="3"; filename=a.txt`)
	same("Content-Disposition", `inline; filename*=UTF-8''%c3%a9.txt`, `inline; filename*=utf-8''%C3%A9.txt`)
	differs("Content-Disposition", `attachment; filename=a.txt`, `inline; filename=a.txt`)
	differs("Content-Disposition", `attachment; filename=a.txt`, `attachment; filename=A.txt`)
	differs("Content-Disposition", `attachment; filename=a.txt`, `attachment`)
	same("Strict-Transport-Security", `max-age=31536000; includeSubDomains`, `IncludeSubdomains;max-age="31536000";`)
	differs("Strict-Transport-Security", `max-age=31536000; includeSubDomains`, `max-age=31536000`)
	differs("Strict-Transport-Security", `max-age=31536000`, `max-age=0`)
	same("X-Frame-Options", "DENY", "deny")
	differs("X-Frame-Options", "DENY", "SAMEORIGIN")
	same("Content-Security-Policy", "default-src 'self' https://a; img-src *", "IMG-src *;default-src https://a 'self';")
	same("Content-Security-Policy", "img-src *; img-src 'none'", "img-src *")
	differs("Content-Security-Policy", "default-src 'self'; img-src *", "default-src 'self'")
	differs("Content-Security-Policy", "img-src 'self'", "img-src 'none'")
	differs("Content-Security-Policy", "img-src *; img-src 'none'", "img-src 'none'; img-src *")
	same("Permissions-Policy", `camera=(), geolocation=(self "https://a")`, `geolocation=(self "https://a"), camera=()`)
	differs("Permissions-Policy", "camera=(), geolocation=()", "camera=*, geolocation=()")
	same("WWW-Authenticate", `Bearer realm="a b", error="x"`, `bearer Error=x,  realm="a b"`)
	same("WWW-Authenticate", `Digest realm="a, b", qop="auth", Basic realm=c`, `digest qop=auth, realm="a, \b", BASIC realm="c"`)
	same("WWW-Authenticate", `Negotiate`, `negotiate`)
	differs("WWW-Authenticate", `Negotiate YWJj==`, `Negotiate ywjj==`)
	differs("WWW-Authenticate", `Bearer realm="a"`, `Basic realm="a"`)
	differs("WWW-Authenticate", `Bearer realm="a"`, `Bearer realm="A"`)
	differs("WWW-Authenticate", `Bearer, Basic`, `Bearer`)
	differs("WWW-Authenticate", `=`, `x=`)
	for _, name := range []string{"Last-Modified", "Expires", "Sunset"} {
		same(name, "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT")
		same(name, "Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
		differs(name, "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:38 GMT")
	}
	same("Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT", "Tuesday, 24-Nov-26 10:10:00 GMT") // each just now
	differs("Expires", "0", "-1")
	same("Set-Cookie", "a=1; Expires=Sun, 06 Nov 2044 08:49:37 GMT", "a=1; expires=Sun, 06-Nov-2044 08:49:37 GMT")
	same("Set-Cookie", "a=1; Expires=Sun, 06 Nov 2044 08:49:37 GMT", "a=1; Expires=Sunday, 06-Nov-44 08:49:37 GMT")
	same("Set-Cookie", "a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "a=; Expires=Sunday, 06-Nov-94 08:49:37 GMT") // both cleared
	differs("Set-Cookie", "a=1; Expires=Sun, 06 Nov 2044 08:49:37 GMT", "a=1; Expires=Sun Nov  6 08:49:38 2044")
}

// TestLinkOfACompletion: each relation is a part of one field, which both have.
func TestLinkOfACompletion(t *testing.T) {
	ok := func(headers ...string) *understudyv1.Response { return response(200, `{"n":1}`, headers...) }
	f := func(baseline, candidate string, want ...string) {
		t.Helper()
		for _, channel := range []understudyv1.Channel{understudyv1.Channel_CHANNEL_POLL, understudyv1.Channel_CHANNEL_CALLBACK} {
			judge(t, comparator.DefaultConfig(), polled(ok("Link: "+baseline), ok("Link: "+candidate), func(d *understudyv1.Completion) { d.Channel = channel }), want...)
		}
	}
	f(`</customers/4711>; rel="owner"`, `</customers/4711>; rel=owner`, "match")
	f(`</customers/4711>; rel="owner"`, `</customers/4712>; rel="owner"`, "presumed", "header header:link:owner value /customers/4711|/customers/4712 (presumed:completion)")
	f(`</customers/4711>; rel="owner"`, `</vendors/4711>; rel="owner"`, "presumed", "header header:link:owner value /customers/4711|/vendors/4711 (presumed:completion)")
	f(`</orders?page=2>; rel="next"`, `</orders?page=3>; rel="next"`, "presumed", "header header:link:next value /orders?page=2|/orders?page=3 (presumed:completion)")
	f(`</orders?page=2>; rel="next"`, `</orders?page=2>; rel="prev"`, "presumed",
		"header header:link:next missing /orders?page=2| (presumed:completion)", "header header:link:prev extra |/orders?page=2 (presumed:completion)")
	f(`</a>; rel="next", </b>; rel="last"`, `</a>; rel="next"`, "presumed", "header header:link:last missing /b| (presumed:completion)")
	f(`</a>; rel="next"; title=x`, `</a>; rel="next"; title=y`, "presumed", "header header:link:next;attributes value title=x|title=y (presumed:completion)")
}

// TestFieldsOfACompletion: those of an answer say what they say; those of what
// delivered it, or of the document that held it, say nothing of what is lost.
func TestFieldsOfACompletion(t *testing.T) {
	type head = understudyv1.Completion_Head
	const (
		asChannel = understudyv1.Completion_HEAD_UNSPECIFIED
		answer    = understudyv1.Completion_HEAD_ANSWER
		document  = understudyv1.Completion_HEAD_DOCUMENT
		poll      = understudyv1.Channel_CHANNEL_POLL
		callback  = understudyv1.Channel_CHANNEL_CALLBACK
	)
	f := func(baseline, candidate string, channel understudyv1.Channel, head head, want comparator.Verdict) {
		t.Helper()
		ok := func(field string) *understudyv1.Response {
			if field == "" {
				return response(200, `{"n":1}`)
			}
			return response(200, `{"n":1}`, field)
		}
		got := judgement(t, polled(ok(baseline), ok(candidate), func(d *understudyv1.Completion) { d.Channel, d.Head = channel, head }))
		if got.Verdict != want {
			t.Errorf("%q and %q by %s, head %s: want %s, got %q", baseline, candidate, channel, head, want, lines(got))
		}
	}
	for _, c := range [][2]string{
		{"Cache-Control: private", "Cache-Control: public, max-age=999"}, {"Cache-Control: private", "Cache-Control: no-store"}, {"Vary: Accept", "Vary: Cookie"}, {`ETag: "a"`, `ETag: W/"a"`},
		{"Expires: Tue, 24 Nov 2026 10:01:00 GMT", "Expires: Wed, 25 Nov 2026 10:10:00 GMT"}, {"Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT", "Last-Modified: Tue, 03 Nov 2026 10:00:00 GMT"},
		{"X-Quorum: 5", "X-Quorum: 6"},
	} {
		for _, channel := range []understudyv1.Channel{poll, callback} {
			for _, h := range []head{asChannel, answer, document} {
				f(c[0], c[1], channel, h, comparator.Presumed)
				f(c[0], c[0], channel, h, comparator.Match)
			}
		}
	}
	for _, c := range [][2]string{
		{"X-Total-Count: 5", ""}, {"", "X-Impersonating: root"}, {"", "Set-Cookie: adm=1"}, {`Content-Disposition: attachment; filename="a.pdf"`, ""}, {"Content-Security-Policy: default-src 'self'", ""},
		{`ETag: "a"`, ""}, {"Cache-Control: no-store", ""}, {"", "Cache-Control: public, max-age=999"}, {"", "Cache-Control: no-store, public"},
	} {
		f(c[0], c[1], poll, asChannel, comparator.Presumed)
		f(c[0], c[1], callback, answer, comparator.Presumed)
		f(c[0], c[1], poll, document, comparator.Match)
		f(c[0], c[1], callback, asChannel, comparator.Match)
	}
	for _, c := range [][2]string{
		{"", "Cache-Control: no-store, no-cache"}, {"", "Pragma: no-cache"}, {"", "Content-Location: /orders/1"}, {"", "Location: /orders/1"}, {"Content-Length: 5", "Content-Length: 7"},
		{"Date: Tue, 24 Nov 2026 10:01:00 GMT", ""}, {"", "Via: x"}, {"", "Operation-Location: /o/1"}, {"", "Retry-After: 1"},
	} {
		f(c[0], c[1], poll, asChannel, comparator.Match)
	}
}

// TestPolicies: what a limit is counts no requests of others; what is left does.
func TestPolicies(t *testing.T) {
	f := func(baseline, candidate []string, want comparator.Verdict) {
		t.Helper()
		got := judgement(t, immediate(response(429, "", baseline...), response(429, "", candidate...)))
		if got.Verdict != want {
			t.Errorf("%q and %q: want %s, got %q", baseline, candidate, want, lines(got))
		}
	}
	one := func(s string) []string { return []string{s} }
	f(one("X-RateLimit-Limit: 1000"), one("X-RateLimit-Limit: 10"), comparator.Mismatch)
	f(one("RateLimit-Policy: 1000;w=60"), one("RateLimit-Policy: 10;w=60"), comparator.Mismatch)
	f(one("RateLimit: limit=1000, remaining=7, reset=30"), one("RateLimit: limit=10, remaining=7, reset=30"), comparator.Mismatch)
	f(one("RateLimit: limit=1000, remaining=7, reset=30"), one("RateLimit: limit=1000, remaining=9, reset=31"), comparator.Match)
	f(one("X-RateLimit-Remaining: 7"), one("X-RateLimit-Remaining: 9"), comparator.Match)
	f(one("Retry-After: 5"), nil, comparator.Presumed)
	f(one("Retry-After: 5"), one("Retry-After: 86400"), comparator.Presumed)
	f(one("Retry-After: 5"), one("Retry-After: 8"), comparator.Match)

	f(one("Cache-Control: max-age=60, max-age=0"), one("Cache-Control: max-age=0, max-age=60"), comparator.Mismatch)
	f(one("Cache-Control: private, max-age=60"), one("Cache-Control: max-age=60, private"), comparator.Match)
	f(one("X-Total: 5"), one("Connection: X-Total"), comparator.Mismatch)
	f(one("X-Total: 5"), []string{"Connection: X-Total", "X-Total: 6"}, comparator.Mismatch)
	f([]string{"Connection: X-Hop", "X-Hop: 5"}, []string{"Connection: X-Hop", "X-Hop: 6"}, comparator.Match)
	f([]string{"Connection: X-Hop", "X-Hop: 5"}, nil, comparator.Match)
}
