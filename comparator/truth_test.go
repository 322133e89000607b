package comparator_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

const (
	uuid1, uuid2 = "4f1c2d3e-1111-4222-8333-444455556666", "0a1b2c3d-9999-4888-8777-666655554444"
	nilUUID      = "00000000-0000-0000-0000-000000000000"
)

// get is a replay of a read of an order, in a run that was recorded for an hour
// before, at the speed 5; both sides answered within 50 ms.
func get(baseline, candidate string, change ...func(*understudyv1.Replay)) *understudyv1.Replay {
	return immediate(response(200, baseline), response(200, candidate), append([]func(*understudyv1.Replay){func(r *understudyv1.Replay) {
		r.Exchange.Route, r.Exchange.Request.Method, r.Exchange.Request.Target = "GET /orders/{id}", "GET", []byte("/orders/o-5")
		r.Exchange.Request.Body = nil
		r.Exchange.DurationNano, r.Candidate.AckServiceNano = 50e6, 50e6
		r.Moments = []*understudyv1.Moment{{
			RecordedUnixNano: start.Add(-time.Hour).UnixNano(), ReplayedUnixNano: start.Add(10*time.Minute - 12*time.Minute).UnixNano(),
		}}
	}}, change...)...)
}

// knows adds pairs "kind recorded=candidate"; a ~ before the kind is only
// aligned, a # before a name makes it a number.
func knows(pairs ...string) func(*understudyv1.Replay) {
	return func(r *understudyv1.Replay) {
		for _, p := range pairs {
			kind, both, _ := strings.Cut(p, " ")
			b, c, _ := strings.Cut(both, "=")
			s := &understudyv1.Substitution{LearnedFrom: "e0", Proof: understudyv1.Substitution_PROOF_CREATED}
			if rest, aligned := strings.CutPrefix(kind, "~"); aligned {
				kind, s.Proof = rest, understudyv1.Substitution_PROOF_ALIGNED
			}
			s.Kind = kind
			s.Recorded, s.RecordedNumber = strings.CutPrefix(b, "#")
			s.Candidate, s.CandidateNumber = strings.CutPrefix(c, "#")
			r.Substitutions = append(r.Substitutions, s)
		}
	}
}

func jwt(payload, signature string) string {
	code := base64.RawURLEncoding.EncodeToString
	return code([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + code([]byte(payload)) + "." + code([]byte(signature))
}

// at is a moment before or after the request, on either side.
func recordedAt(d time.Duration) string {
	return start.Add(d).UTC().Format("2006-01-02T15:04:05.000Z")
}
func replayedAt(d time.Duration) string {
	return start.Add(10*time.Minute + d).UTC().Format("2006-01-02T15:04:05.000Z")
}

// TestADifferenceIsNoMatch: what a user would pay for is a mismatch, not a match
// and not presumed.
func TestADifferenceIsNoMatch(t *testing.T) {
	f := func(what string, r *understudyv1.Replay) {
		t.Helper()
		if c := judgement(t, r); c.Verdict != comparator.Mismatch {
			t.Errorf("%s: got %q", what, lines(c))
		}
	}
	value := func(name, baseline, candidate string) {
		t.Helper()
		f(name, get(`{"`+name+`":`+baseline+`,"x":1}`, `{"x":1,"`+name+`":`+candidate+`}`))
	}
	value("customer_id", `7`, `9`)
	value("status_id", `1`, `2`)
	value("order_id", `1001`, `0`)
	value("payment_id", `"`+uuid1+`"`, `"`+nilUUID+`"`)
	value("plan_id", `"pro-2024"`, `"free-2024"`)
	value("user_id", `100100`, `100200`)
	value("price_id", `"1999"`, `"2999"`)
	value("ids", `[1001,1002]`, `[1003,1004]`)
	value("checksum", `"9f86d081884c7d659a2feaa0c55ad015"`, `"2c26b46b68ffc68ff99b453c1d304134"`)
	value("document_sha256", `"9f86d081884c7d659a2feaa0c55ad015"`, `"2c26b46b68ffc68ff99b453c1d304134"`)
	value("iban", `"DE89370400440532013000"`, `"DE02120300000000202051"`)
	value("iban", `"GB29NWBK60161331926819"`, `"GB33BUKB20201555555555"`)
	value("text", `"line "`, `"line"`)
	base64JSON := func(s string) string { return `"` + base64.StdEncoding.EncodeToString([]byte(s)) + `"` }
	value("blob", base64JSON(`{"total":100,"currency":"EUR"}`), base64JSON(`{"total":999,"currency":"EUR"}`))
	value("blob", `"{\"total\":100}"`, `"{\"total\":999}"`)
	value("cursor", base64JSON(`["2026-01-01",17]`), base64JSON(`["2026-01-01",18]`)) // an element has no name
	value("tags", `"[\"a\",\"b\"]"`, `"[\"a\",\"c\"]"`)
	now, then := start.Unix(), start.Add(10*time.Minute).Unix()
	token := func(sub, role string, iat int64, signature string) string {
		return `"` + jwt(fmt.Sprintf(`{"sub":"%s","role":"%s","iat":%d,"exp":%d}`, sub, role, iat, iat+3600), signature) + `"`
	}
	value("token", token("u1", "user", now, "one"), token("u2", "user", then, "two"))
	value("token", token("u1", "user", now, "one"), token("u1", "admin", then, "two"))
	value("token", token("u1", "user", now, "one"), token("u1", "user", then, ""))
	value("token", token("u1", "user", now, "one"), token("u1", "user", then-7200, "two")) // has expired
	// Times: of long ago and of now, of other precision or offset, as days.
	value("created_at", `"`+recordedAt(-19*time.Second)+`"`, `"`+replayedAt(0)+`"`)
	value("created_at", `"`+recordedAt(0)+`"`, `"`+replayedAt(time.Minute)+`"`)
	value("created_at", `"`+recordedAt(0)+`"`, `"`+recordedAt(0)[:19]+`Z"`)
	value("created_at", `"`+recordedAt(0)+`"`, `"`+replayedAt(0)[:23]+`+00:00"`)
	value("created_at", `"`+recordedAt(-48*time.Hour)+`"`, `"`+recordedAt(-47*time.Hour)+`"`)
	value("born", `"1980-05-17"`, `"1980-05-18"`)
	value("at", fmt.Sprint(now), fmt.Sprint(then*1000))

	// One that agrees and one that does not.
	f("two customers", get(`{"order":{"customer_id":17},"invoice":{"customer_id":17}}`, `{"order":{"customer_id":17},"invoice":{"customer_id":18}}`))
	// Names that are known: not renamed, renamed otherwise, swapped.
	orders := knows("order #1001=#2001", "order #1002=#2002", "order o-5=o-9", "customer "+uuid1+"="+uuid2)
	f("not renamed", get(`{"id":"o-5","order_id":1001}`, `{"id":"o-9","order_id":1001}`, orders))
	f("renamed otherwise", get(`{"id":"o-5","order_id":1001}`, `{"id":"o-9","order_id":2003}`, orders))
	f("swapped", get(`{"orders":[{"id":1001,"n":1},{"id":1002,"n":2}]}`, `{"orders":[{"id":2002,"n":1},{"id":2001,"n":2}]}`, orders))
	f("another's", get(`{"id":"o-5","order_id":1003}`, `{"id":"o-9","order_id":2001}`, orders))
	f("in a text", get(`{"text":"order o-5 is yours"}`, `{"text":"order o-8 is yours"}`, orders))
	f("in a link", get(`{"self":"/orders/1001"}`, `{"self":"/orders/2002"}`, orders))
	f("in a link to another kind", get(`{"self":"/orders/1001"}`, `{"self":"/invoices/2001"}`, orders))
	f("as a key", get(`{"orders":{"1001":{"n":1}}}`, `{"orders":{"2002":{"n":1}}}`, orders))
	f("an amount that is also a name", get(`{"order_id":1001,"amount":1001}`, `{"order_id":2001,"amount":2001}`, orders))
	f("a number as a text", get(`{"id":1001,"order_id":1002}`, `{"id":2001,"order_id":"2002"}`, orders))
	f("a text as a number", get(`{"order_id":"7"}`, `{"order_id":7}`, knows("order 7=#7")))
	f("made as a text", immediate(response(201, `{"id":5,"sku":"A-1"}`, "Location: /orders/5"), response(201, `{"id":"5","sku":"A-1"}`, "Location: /orders/5")))
	f("broken", get(`{"order_id":"o-7"}`, `{"order_id":"o-8"}`, knows("order o-7=o-8"), func(r *understudyv1.Replay) { r.Substitutions[0].BrokenBy = "e2" }))

	// Links in fields, and a body of which only the beginning is there.
	old := func(field string) {
		t.Helper()
		f(field, immediate(response(200, `{"a":1}`, field), response(200, `{"a":1}`, field), orders))
	}
	old("Location: /orders/1001")
	old("Content-Location: /orders/1001")
	old("Link: </orders?page=2>; rel=next, </orders/1001>; rel=self")
	old("Refresh: 5; url=/orders/1001")
	whole := func(r *understudyv1.Replay) {
		for _, x := range []*understudyv1.Body{r.Exchange.Response.Body, r.Candidate.Ack.Body} {
			x.Truncated, x.Length, x.Sha256 = true, 1<<20, make([]byte, 32)
		}
	}
	f("cut, and equal to the byte", get(`{"customer":"`+uuid1+`","a":[`, `{"customer":"`+uuid1+`","a":[`, orders, whole))
	verdict := func(what string, want comparator.Verdict, r *understudyv1.Replay) {
		t.Helper()
		if c := judgement(t, r); c.Verdict != want {
			t.Errorf("%s: got %q", what, lines(c))
		}
	}
	verdict("cut, with what may be a name", comparator.Incomplete, get(`{"order_id":1001,"a":[`, `{"order_id":1001,"a":[`, orders, whole))
	verdict("cut, without", comparator.Match, get(`{"order_id":1003,"a":[`, `{"order_id":1003,"a":[`, orders, whole))
	verdict("a map keyed by something", comparator.Presumed, get(`{"quantities":{"1001":3}}`, `{"quantities":{"1001":3}}`, orders))
	for _, text := range []string{`"order 1001 is shipped"`, `"urn:order:1001"`, `"see [it](/orders/1001)"`, `"<a href='/orders/1001'>"`, `{"note":"orderId=1001"}`} {
		verdict(text, comparator.Presumed, get(`{"a":`+text+`}`, `{"a":`+text+`}`, orders))
	}
	verdict("aligned", comparator.Presumed, get(`{"customer_id":70123}`, `{"customer_id":70123}`, knows("~customer #70123=#80123")))
	verdict("what is only called by the kind", comparator.Presumed, get(`{"a":{"order":1001}}`, `{"a":{"order":1001}}`, orders))
	for _, text := range []string{`{"amount":1001}`, `"1001 things"`, `"order 10010, reorder1001"`, `"an order of 1001 things"`} {
		verdict(text, comparator.Match, get(`{"a":`+text+`}`, `{"a":`+text+`}`, orders))
	}
	verdict("a map keyed by what it has, too", comparator.Match, get(`{"quantities":{"2001":3}}`, `{"quantities":{"2001":3}}`, orders))

	// What stands beside the body.
	header := func(what string, baseline, candidate []string) {
		t.Helper()
		f(what, immediate(response(200, `{"a":1}`, baseline...), response(200, `{"a":1}`, candidate...)))
	}
	header("tenant", []string{"X-Tenant-Id: t1"}, []string{"X-Tenant-Id: t2"})
	header("cookie", []string{"Set-Cookie: sid=a8; Path=/"}, []string{"Set-Cookie: sid=; Path=/; Max-Age=0"})
	header("role", []string{"Set-Cookie: role=user"}, []string{"Set-Cookie: role=admin"})
	for _, lost := range []string{"Location: /a", `ETag: "x"`, "Vary: Accept", "Content-Encoding: identity", "X-Total: 4"} {
		header(lost, []string{lost}, nil)
	}
	cut := response(200, `{"a":1}`)
	cut.Body.Truncated, cut.Body.Length = true, 100<<20
	f("100 MB", immediate(response(200, `{"a":1}`), cut))
	many := func(last string) string {
		var b strings.Builder
		b.WriteString("[")
		for i := range 12_000 {
			fmt.Fprintf(&b, `{"at":"%s"},`, last[:1]+recordedAt(time.Duration(i) * time.Millisecond)[1:])
		}
		return b.String() + last + "]"
	}
	f("the last of many", get(strings.ReplaceAll(many(`2,"a"`), `"at":"2026-11-24T10:00`, `"at":"2026-11-24T10:00`), strings.ReplaceAll(many(`2,"b"`), `"at":"2026-11-24T10:0`, `"at":"2026-11-24T10:1`)))
}

// TestTheSameIsADiscrepancyToNobody: what is the same to a user matches, however
// it is spelled and named.
func TestTheSameIsADiscrepancyToNobody(t *testing.T) {
	f := func(what string, r *understudyv1.Replay, wants ...comparator.Verdict) {
		t.Helper()
		want := comparator.Match
		if len(wants) > 0 {
			want = wants[0]
		}
		if c := judgement(t, r); c.Verdict != want {
			t.Errorf("%s: got %q", what, lines(c))
		}
	}
	names := knows("order #1001=#2001", "order kqzvb=wtrpl", "order o-5=o-9", "user #10201=a3f1", "customer "+uuid1+"="+uuid2)
	f("ids without a digit", get(`{"id":"kqzvb","order":{"id":"kqzvb"}}`, `{"id":"wtrpl","order":{"id":"wtrpl"}}`, names))
	f("of another type", get(`{"user_id":10201,"users":[{"id":10201}]}`, `{"user_id":"a3f1","users":[{"id":"a3f1"}]}`, names))
	f("everywhere", get(`{"id":"o-5","text":"order o-5, see /orders/1001","orders":{"1001":{"customer":"`+uuid1+`"}},"link":"http://shop/orders/1001?order_id=1001&n=1001"}`,
		`{"id":"o-9","text":"order o-9, see /orders/2001","orders":{"2001":{"customer":"`+uuid2+`"}},"link":"http://shop/orders/2001?order_id=2001&n=1001"}`, names))
	f("a move", get(`{"orders":[{"id":1001,"n":1},{"id":1002,"n":2}]}`, `{"orders":[{"id":1002,"n":2},{"id":2001,"n":1}]}`, names), comparator.Mismatch)
	f("of this exchange", immediate(response(201, `{"id":5,"lines":[{"id":1,"sku":"A-1"}],"self":"/orders/5"}`, "Location: /orders/5"),
		response(201, `{"id":77,"lines":[{"id":1,"sku":"A-1"}],"self":"/orders/77"}`, "Location: /orders/77")))
	f("of this exchange, of another type", immediate(response(201, `{"id":5,"sku":"A-1"}`, "Location: /orders/5"), response(201, `{"id":"3559","sku":"A-1"}`, "Location: /orders/3559")))
	f("of this exchange, beside the body", immediate(response(201, `{"ok":true}`, "Content-Location: /orders/5"), response(201, `{"ok":true}`, "Content-Location: /orders/77")))
	for _, field := range []string{"Content-Location: /orders/%d", "Link: </orders/%d>; rel=self", "Refresh: 5; url=/orders/%d"} {
		f(field, immediate(response(200, `{"a":1}`, fmt.Sprintf(field, 1001)), response(200, `{"a":1}`, fmt.Sprintf(field, 2001)), names))
	}
	f("a number that could be nanoseconds", immediate(response(201, `{"id":"2124954940545584130","sku":"A-1"}`, "Location: /orders/2124954940545584130"),
		response(201, `{"id":"2126042067484392462","sku":"A-1"}`, "Location: /orders/2126042067484392462")))
	f("parts", immediate(response(201, `{"id":5,"lines":[{"id":"2124954940545584130","sku":"A-1"}]}`, "Location: /orders/5"),
		response(201, `{"id":77,"lines":[{"id":"2126042067484392462","sku":"A-1"}]}`, "Location: /orders/77"), func(r *understudyv1.Replay) {
			r.Exchange.Request.Body.Content = []byte(`{"lines":[{"sku":"A-1"}]}`)
		}))
	f("made by nobody here", get(`{"customer":{"id":"`+uuid1+`"}}`, `{"customer":{"id":"`+uuid2+`"}}`), comparator.Presumed)
	f("a token", get(`{"csrf":"A8s7Df6gH5jK4l3M2n"}`, `{"csrf":"q9W8e7R6t5Y4u3I2o1"}`), comparator.Presumed)
	now, then := start.Unix(), start.Add(10*time.Minute).Unix()
	token := func(iat int64, jti, signature string) string {
		return jwt(fmt.Sprintf(`{"sub":"u1","iat":%d,"exp":%d,"jti":"%s"}`, iat, iat+3600, jti), signature)
	}
	f("a token's times and name", get(`{"t":"`+token(now, uuid1, "one")+`"}`, `{"t":"`+token(then, uuid2, "two")+`"}`))
	f("names in JSON in texts", get(`{"a":"{\"order_id\":\"O-16059\"}"}`, `{"a":"{\"order_id\":16089}"}`, knows("order O-16059=#16089")))
	f("numbers in sentences, of another type", get(`{"note":"Please pack order o-5; see (1166)."}`, `{"note":"Please pack order o-9; see (01M8CQZKV9MKXJ73HQ7ZJ7VH6W)."}`, names, knows("parcel #1166=01M8CQZKV9MKXJ73HQ7ZJ7VH6W")))
	f("a number as it was", get(`{"id":"2124948848945606467","title":"x"}`, `{"id":"2124948848945606467","title":"x"}`, knows("~order 2124948848945606467=6b0494737813f3d79e001f5f")), comparator.Presumed)
	for _, same := range []string{
		`{"data":{"type":"customers","id":"70123"}}`, `{"owner":{"type":"customer","id":70123}}`, `{"__typename":"Customer","id":"70123"}`,
		`{"resource_type":"customer","resource_id":70123}`, `{"entity":"Customer","entity_id":70123}`,
	} {
		// The candidate's numbers overlap with the baseline's.
		f("what a member beside it says is somebody else's", get(same, same, knows("customer #70122=#70123", "customer #70123=#80456")), comparator.Presumed)
	}
	f("what nothing says whose it is", get(`{"id":70123,"name":"Ann"}`, `{"id":70123,"name":"Ann"}`, knows("customer #70123=#80456"), func(r *understudyv1.Replay) {
		r.Exchange.Request.Target = []byte("/me")
	}), comparator.Presumed)
	f("another kind", get(`{"product_id":70123,"quantity":70123,"total":70123}`, `{"product_id":70123,"quantity":70123,"total":70123}`, knows("customer #70123=#80456")))
	f("a moment that was not moved", get(`{"created_at":"`+recordedAt(-50*time.Second)+`"}`, `{"created_at":"`+recordedAt(-50*time.Second)+`"}`,
		knows("@time "+recordedAt(-50*time.Second)+"="+replayedAt(-10*time.Second))), comparator.Presumed)
	f("a moment of two events", get(`{"created_at":"`+recordedAt(-50*time.Second)+`"}`, `{"created_at":"`+recordedAt(-50*time.Second)+`"}`,
		knows("@time "+recordedAt(-50*time.Second)+"="+replayedAt(-10*time.Second), "@time "+recordedAt(-50*time.Second)+"="+replayedAt(-9*time.Second))), comparator.Presumed)
	f("a moment that is the same on both sides", get(`{"created_at":"`+recordedAt(-50*time.Second)+`"}`, `{"created_at":"`+recordedAt(-50*time.Second)+`"}`,
		knows("@time "+recordedAt(-50*time.Second)+"="+replayedAt(-10*time.Second), "@time "+recordedAt(-50*time.Second)+"="+recordedAt(-50*time.Second))))
	f("whom a token is about", get(`{"t":"`+jwt(`{"sub":13064}`, "one")+`"}`, `{"t":"`+jwt(`{"sub":"6b0886"}`, "two")+`"}`, knows("customer #13064=6b0886")), comparator.Presumed)
	f("JSON in texts", get(`{"a":"{\"x\":1,\"at\":\"`+recordedAt(0)+`\"}"}`, `{"a":"{\"at\":\"`+replayedAt(0)+`\", \"x\":1.0}"}`))

	f("made now", get(`{"at":"`+recordedAt(20*time.Millisecond)+`"}`, `{"at":"`+replayedAt(40*time.Millisecond)+`"}`))
	f("made earlier in the run", get(`{"at":"`+recordedAt(-50*time.Second)+`"}`, `{"at":"`+replayedAt(-10*time.Second+20*time.Millisecond)+`"}`))
	f("seen earlier", get(`{"at":"2026-11-24T09:59:10.123Z"}`, `{"at":"2026-11-24T10:02:00.456Z"}`, knows("~@time 2026-11-24T09:59:10.123Z=2026-11-24T10:02:00.456Z")))
	f("in an hour", get(`{"exp":"`+recordedAt(time.Hour)+`"}`, `{"exp":"`+replayedAt(time.Hour)+`"}`))
	elements := func(at func(time.Duration) string, first string) string {
		var out []string
		for i := range 8 {
			out = append(out, fmt.Sprintf(`{"text":"t%d","at":"%s"}`, i, at(time.Duration(i)*time.Millisecond)))
		}
		return `{"events":[` + first + strings.Join(out, ",") + `]}`
	}
	c := judgement(t, get(elements(recordedAt, ""), elements(replayedAt, `{"text":"new","at":"`+replayedAt(0)+`"},`)))
	if c.Counting() != 1 || c.Totals.Harmless != 8 {
		t.Errorf("one insertion: %q", lines(c))
	}

	f("twice", get(`{"a":1,"b":0,"a":2}`, `{"b":0,"a":1,"a":2}`))
	f("the client's host", get(`{"self":"http://shop.example/orders"}`, `{"self":"http://10.0.0.7:9090/orders"}`, func(r *understudyv1.Replay) {
		r.Exchange.Request.Authority, r.CandidateAuthority = "shop.example", "10.0.0.7:9090"
	}))
	f("a configured host", get(`{"self":"https://api.shop.example/orders"}`, `{"self":"http://10.0.0.7:9090/orders"}`, func(r *understudyv1.Replay) { r.Exchange.Request.Authority = "localhost:8080" }), comparator.Presumed)
	text := func(kind, baseline, candidate string) *understudyv1.Replay {
		r := get(baseline, candidate)
		r.Exchange.Response.Headers[0].Value, r.Candidate.Ack.Headers[0].Value = []byte(kind), []byte(kind)
		return r
	}
	f("numbers as keys", get(`{"n":{"7":1}}`, `{"n":{"7":1.0}}`))
	f("trailing blanks", text("text/plain", "a \nb\n", "a\nb"))
	head := func(name, baseline, candidate string) {
		t.Helper()
		f(name, immediate(response(200, `{"a":1}`, name+": "+baseline), response(200, `{"a":1}`, name+": "+candidate)))
	}
	head("Allow", "GET, POST", "POST,GET")
	head("Vary", "Accept, Origin", "origin, accept")
	head("Access-Control-Allow-Methods", "GET, PUT", "PUT, GET")
	head("ETag", `"a"`, `"b"`)
	f("own marks", immediate(response(200, `{"a":1}`), response(200, `{"a":1}`, "Understudy-Run: r", "Idempotency-Key: e1")))
}
