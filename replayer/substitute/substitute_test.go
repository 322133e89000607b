package substitute_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// step is one exchange of a story, with the candidate's answer. A line of it
// reads "session METHOD /target body", "status Header: value; … body".
type step struct{ request, recorded, candidate string }

func headersOf(text string) (headers []*understudyv1.Header, rest string) {
	for {
		field, after, ok := strings.Cut(text, "; ")
		name, value, isField := strings.Cut(field, ": ")
		if !ok || !isField || strings.ContainsAny(name, "{\"[ ") {
			return headers, text
		}
		headers, text = append(headers, &understudyv1.Header{Name: name, Value: []byte(value)}), after
	}
}

func body(text string) *understudyv1.Body {
	return &understudyv1.Body{Content: []byte(text), Length: int64(len(text))}
}

func response(text string) *understudyv1.Response {
	if text == "" {
		return nil
	}
	status, rest, _ := strings.Cut(text, " ")
	a := &understudyv1.Response{}
	_, _ = fmt.Sscan(status, &a.Status)
	var content string
	a.Headers, content = headersOf(rest)
	a.Body = body(content)
	return a
}

var count int

func exchange(request, recorded string) *understudyv1.Exchange {
	session, rest, _ := strings.Cut(request, " ")
	method, rest, _ := strings.Cut(rest, " ")
	target, rest, _ := strings.Cut(rest, " ")
	count++
	e := &understudyv1.Exchange{
		Id: fmt.Sprint("e", count), Session: session, Response: response(recorded),
		Request: &understudyv1.Request{Method: method, Target: []byte(target)},
	}
	headers, content := headersOf(rest)
	e.Request.Headers, e.Request.Body = append(headers, &understudyv1.Header{Name: "Content-Type", Value: []byte("application/json")}), body(content)
	return e
}

// sends plays a story: what came before is answered, and this is what the last
// request becomes, or why it does not. An exchange without a candidate's answer
// was lost.
func sends(t *testing.T, m *substitute.Memory, story []step, request string) string {
	t.Helper()
	for _, s := range story {
		x := m.Register(exchange(s.request, s.recorded))
		if s.candidate != "" {
			x.Learn(nil, response(s.candidate), timestamp.Frame{})
		}
		x.Settle()
	}
	e := exchange(request, "200 {}")
	x := m.Register(e)
	defer x.Settle()
	if _, u := x.Wait(t.Context(), time.Minute, time.Time{}); u != nil {
		return u.String()
	}
	out := ""
	if _, u := x.Translate(func(r *substitute.Request) {
		out = r.Target(string(e.Request.Target))
		for _, h := range e.Request.Headers {
			if h.Name != "Content-Type" {
				out += fmt.Sprintf(" %s: %s;", h.Name, r.Field(h.Name, string(h.Value)))
			}
		}
		if content := r.Body(message.First(e.Request.Headers, "Content-Type"), e.Request.Body.Content); len(content) > 0 {
			out += " " + string(content)
		}
	}); u != nil {
		return u.String()
	}
	return out
}

var maker = regexp.MustCompile(` of exchange e\d+`)

func TestWhatIsSent(t *testing.T) {
	f := func(request, want string, story ...step) {
		t.Helper()
		if got := maker.ReplaceAllString(sends(t, substitute.NewMemory(""), story, request), ""); got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	const nowhere = "the candidate's answers do not hold it, and no pair is known"
	const lost = "the candidate did not do that exchange"
	const foreign = "the candidate calls another thing so"
	created := step{`s POST /orders {"qty":3}`, `201 {"id":10000,"qty":3}`, `201 {"id":20000,"qty":3}`}
	// An amount is no order, though it is the same number.
	f(`s POST /payments {"order_id":10000,"amount":10000}`, `/payments {"order_id":20000,"amount":10000}`, created)
	f(`s GET /orders/10000?order=10000&page=10000`, `/orders/20000?order=20000&page=10000`, created)
	f(`s GET /x X-Order-Id: 10000; X-Trace: 10000; `, `/x X-Order-Id: 20000; X-Trace: 10000;`, created)
	f(`s GET /x Link: </orders/10000>;rel=up; `, `/x Link: </orders/20000>;rel=up;`, created)
	f(`s GET /x Referer: https://shop/orders/10000; `, `/x Referer: https://shop/orders/20000;`, created)
	// Orders that are numbered per shop.
	for _, id := range []string{`"ord_1001"`, `"1001"`, `1001`} {
		shop := func(name, candidate string) step {
			return step{`s POST /shops/` + name + `/orders {"qty":3}`, `201 {"id":` + id + `,"qty":3}`, `201 {"id":"` + candidate + `","qty":3}`}
		}
		a, b, text := shop("a", "ord_5001"), shop("b", "ord_7001"), strings.Trim(id, `"`)
		f(`s GET /shops/a/orders/`+text, `/shops/a/orders/ord_5001`, a, b)
		f(`s GET /shops/b/orders/`+text, `/shops/b/orders/ord_7001`, a, b)
		f(`t GET /shops/a/orders/`+text, `/shops/a/orders/ord_5001`, a, b)
		f(`t GET /shops/b/orders/`+text, `/shops/b/orders/ord_7001`, a, b)
	}
	// What one session made, another may use.
	f(`other GET /orders/10000`, `/orders/20000`, created)
	f(`other POST /x {"order":10000,"n":10000}`, `/x {"order":20000,"n":10000}`, created)
	// An entity tag may stand in the query too; what the candidate makes no tags
	// of gets no condition by one, unless the request is to fail without.
	queried := step{"s GET /orders", `200 ETag: "7"; []`, `200 ETag: "x9"; []`}
	f(`s GET /orders?since=%227%22&n=7`, `/orders?since=%22x9%22&n=7`, queried)
	f(`s GET /orders?since=%228%22`, `/orders?since=%228%22`, queried)
	untagged := step{"s GET /orders", `200 ETag: "7"; []`, `200 []`}
	f(`s GET /orders If-None-Match: "7", "8"; `, `/orders If-None-Match: "7", "8";`, untagged)
	f(`s GET /orders If-None-Match: W/"7"; `, `/orders If-None-Match: ;`, untagged)
	f(`s GET /orders?since=%227%22`, `version "\"7\"": the candidate's answer names none`, untagged)
	// The next page is where the candidate's own link leads.
	token, other := "eyJsYXN0IjoxNzk1NzExNTY4NTM4fQ%3D%3D", "eyJsYXN0IjoxODk1NzExNTY4NTQ3fQ%3D%3D"
	next := func(token string) string { return "/orders?limit=2&page_token=" + token }
	for _, field := range []string{"Next-Page: http://h%s; []", `Link: </orders?limit=9>;rel="last", <%s>;rel="next"; []`} {
		f("s GET "+next(token), next(other), step{"s GET /orders?limit=2", "200 " + fmt.Sprintf(field, next(token)), "200 " + fmt.Sprintf(field, next(other))})
	}
	// What was refused may have been made all the same.
	failed := step{`s POST /work/execution {}`, `400 Location: http://h/jobs/job-71; {"code":"bad"}`, `400 Location: http://c/jobs/job-93; {"code":"bad"}`}
	f(`s GET /jobs/job-71`, `/jobs/job-93`, failed)
	failed.candidate = `400 {"code":"bad"}`
	f(`s GET /jobs/job-71`, `job "job-71": `+lost, failed)
	// Answers to a list that was posted come in its order.
	listed := step{
		`s POST /batch {"requests":[{"path":"/orders"},{"path":"/carts"}]}`,
		`200 {"responses":[{"body":{"id":"ord_1001","n":1},"by":"a"},{"body":{"id":"ord_1002","n":2},"by":"a"}]}`,
		`200 {"responses":[{"body":{"id":"x7f1a","n":1},"by":"b"},{"body":{"id":"x8f1b","n":2},"by":"b"}]}`,
	}
	f(`s GET /orders/ord_1002`, `/orders/x8f1b`, listed)
	listed.candidate = `200 {"responses":[{"body":{"id":"x7f1a","n":2},"by":"b"},{"body":{"id":"x8f1b","n":1},"by":"b"}]}`
	f(`s GET /orders/ord_1002`, `order "ord_1002": `+nowhere, listed)
	// Lists shifted by one are aligned by what they hold.
	list := step{`s GET /notes`, `200 [{"id":"n-52","text":"b"},{"id":"n-51","text":"a"}]`, `200 [{"id":"n-51","text":"b"},{"id":"n-50","text":"a"}]`}
	f(`s PATCH /notes/n-51 {"text":"c"}`, `/notes/n-50 {"text":"c"}`, list)
	f(`s DELETE /notes/n-52`, `/notes/n-51`, list)
	// Alike elements tell nothing: n-51 is another note there.
	alike := step{`s GET /notes`, `200 [{"id":"n-52"},{"id":"n-51"}]`, `200 [{"id":"n-51"},{"id":"n-50"}]`}
	f(`s DELETE /notes/n-52`, `note "n-52": `+nowhere, alike)
	// Of another type, or without a digit.
	f(`s POST /x {"user_id":10201,"n":"10201"}`, `/x {"user_id":"a3f1","n":"10201"}`, step{`s POST /users {}`, `201 {"id":10201}`, `201 {"id":"a3f1"}`})
	f(`s GET /tickets/kqzvb/log`, `/tickets/wtrpl/log`, step{`s POST /tickets {}`, `201 {"id":"kqzvb"}`, `201 {"id":"wtrpl"}`})
	f(`s GET /tickets/kqzvb`, `/tickets/wtrpl`, step{`s POST /tickets {}`, `201 Location: /tickets/kqzvb; `, `201 Location: /tickets/wtrpl; `})
	// Dates and amounts are no names.
	f(`s POST /x {"since":"2026-11-01","total":500}`, `/x {"since":"2026-11-01","total":500}`,
		step{`s GET /reports/1`, `200 {"id":1,"since":"2026-11-01","total":500}`, `200 {"id":1,"since":"2026-11-02","total":600}`})
	f(`s POST /x {"status_id":2,"kind":"new"}`, `/x {"status_id":2,"kind":"new"}`, step{`s GET /orders/5`, `200 {"id":5,"status_id":2,"kind":"new"}`, `200 {"id":5,"status_id":1,"kind":"old"}`})
	// What both had shown under one name keeps it: an answer with another is wrong.
	f(`s POST /x {"customer_id":"c50027"}`, `/x {"customer_id":"c50027"}`, step{`s GET /orders/4`, `200 {"id":4,"customer_id":"c50027"}`, `200 {"id":4,"customer_id":"c50027"}`},
		step{`s GET /orders/5`, `200 {"id":5,"customer_id":"c50027"}`, `200 {"id":5,"customer_id":5034}`})
	// What both call the same goes by itself, if the candidate says so.
	same := step{`s GET /items`, `200 [{"id":5},{"id":6}]`, `200 [{"id":5},{"id":7}]`}
	f(`s GET /items/5`, `/items/5`, same)
	f(`s GET /items/6`, `item "6": `+nowhere, same)
	f(`s POST /x {"item_id":6}`, `item "6": `+nowhere, same)
	f(`s POST /x {"count":6}`, `/x {"count":6}`, same)
	// The client's own names are its own, but never somebody else's.
	f(`s GET /orders/77`, `/orders/77`, created)
	f(`s GET /orders/20000`, `order "20000": `+foreign, created)
	f(`other GET /orders/20000`, `order "20000": `+foreign, created)
	f(`s GET /customers/20000`, `/customers/20000`, created)
	f(`s GET /orders/search`, `/orders/search`, created)
	// What was lost, refused or not said has no name there.
	f(`s GET /orders/10000`, `order "10000": `+lost, step{created.request, created.recorded, ""})
	f(`s GET /orders/10000`, `order "10000": `+lost, step{created.request, created.recorded, `500 {}`})
	f(`s GET /orders/10000`, `order "10000": `+nowhere, step{created.request, created.recorded, `201 {}`})
	f(`other GET /orders/10000`, `order "10000": `+lost, step{created.request, created.recorded, ""})
	f(`s GET /orders/10000`, `order "10000": `+nowhere, step{created.request, created.recorded, `201 {}`},
		step{`s GET /orders`, `200 [{"id":10000,"qty":3},{"id":9,"qty":4}]`, `200 [{"id":10000,"qty":9},{"id":8,"qty":4}]`})
	// A contradicted pair is not sent.
	f(`s GET /orders/1`, `order "1": the answers contradict each other about what the candidate calls it`,
		step{`s POST /orders {}`, `201 {"id":1}`, `201 {"id":11}`}, step{`s POST /orders {}`, `201 {"id":2}`, `201 {"id":11}`})
	// Versions of a resource.
	tagged := step{`s GET /docs/1`, `200 ETag: "b1"; Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT; {}`, `200 ETag: W/"c1"; Last-Modified: Mon, 02 Nov 2026 10:00:07 GMT; {}`}
	f(`s PUT /docs/1 If-Match: "b1"; {}`, `/docs/1 If-Match: W/"c1"; {}`, tagged)
	f(`s GET /docs/1 If-None-Match: "x", W/"b1"; `, `/docs/1 If-None-Match: "x", W/"c1";`, tagged)
	f(`s GET /docs/1 If-Modified-Since: Mon, 02 Nov 2026 10:00:00 GMT; `, `/docs/1 If-Modified-Since: Mon, 02 Nov 2026 10:00:07 GMT;`, tagged)
	f(`other PUT /docs/1 If-Match: "b1"; {}`, `/docs/1 If-Match: "b1"; {}`, tagged)
	f(`s PUT /docs/1 If-Match: "b1"; {}`, `version "\"b1\"": the candidate's answer names none`, step{tagged.request, tagged.recorded, `200 {}`})
	f(`s GET /docs/1 If-None-Match: "b1"; `, `/docs/1 If-None-Match: ;`, step{tagged.request, tagged.recorded, `200 {}`})
}

// TestARequestWaitsForWhatItNeeds, and for nothing else.
func TestARequestWaitsForWhatItNeeds(t *testing.T) {
	m := substitute.NewMemory("")
	post := m.Register(exchange(`s POST /orders {}`, `201 {"id":17,"total":3}`))
	f := func(request string, waits bool) {
		t.Helper()
		x := m.Register(exchange(request, `200 {}`))
		defer x.Settle()
		if _, u := x.Wait(t.Context(), time.Millisecond, time.Time{}); (u != nil) != waits {
			t.Errorf("%s: %v", request, u)
		}
	}
	f(`s DELETE /orders/17`, true)
	f(`other DELETE /orders/17`, true)
	f(`s POST /x {"order_id":17}`, true)
	f(`s POST /x {"order":17}`, true) // it may be a rank, or that order
	f(`s POST /x {"count":17}`, false)
	f(`s GET /orders/18`, false)
	f(`s GET /orders?total=3`, false)
	f(`s GET /customers/17`, false)
	post.Learn(nil, response(`201 {"id":91,"total":3}`), timestamp.Frame{})
	f(`s DELETE /orders/17`, false)
}

func recorded(t *testing.T, m *substitute.Memory, s step) []*understudyv1.Substitution {
	t.Helper()
	e := exchange(s.request, s.recorded)
	x := m.Register(e)
	if _, u := x.Wait(t.Context(), time.Second, time.Time{}); u != nil {
		t.Fatal(u)
	}
	r, u := x.Translate(func(r *substitute.Request) { r.Target(string(e.Request.Target)); r.JSON(e.Request.Body.Content) })
	if u != nil {
		t.Fatal(u)
	}
	answer := response(s.candidate)
	x.Learn(nil, answer, timestamp.Frame{Baseline: timestamp.Span{From: moment(t1), To: moment(t1)}, Candidate: timestamp.Span{From: moment(t2), To: moment(t2)}})
	out, dropped := x.Record(r, answer)
	if dropped != 0 {
		t.Errorf("%d dropped", dropped)
	}
	return out
}

// Two moments, the one of the recording and its replay.
const t1, t2 = "2026-03-03T10:00:00.123Z", "2026-11-26T10:00:00.456Z"

func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return at
}

// TestWhatIsRecorded: the pairs that were used and those that occur, but none
// that the exchange itself taught.
func TestWhatIsRecorded(t *testing.T) {
	m := substitute.NewMemory("")
	f := func(s step, want ...string) {
		t.Helper()
		var got []string
		for _, p := range recorded(t, m, s) {
			got = append(got, fmt.Sprintf("%s %s=%s %d %s%s", p.Kind, p.Recorded, p.Candidate, p.Uses, strings.ToLower(strings.TrimPrefix(p.Proof.String(), "PROOF_")), map[bool]string{true: " broken"}[p.BrokenBy != ""]))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s %s\n got %q\nwant %q", s.request, s.recorded, got, want)
		}
	}
	f(step{`s POST /orders {}`, `201 {"id":17,"at":"` + t1 + `"}`, `201 {"id":"u-77","at":"` + t2 + `"}`}) // a value does not vouch for itself
	f(step{`s GET /orders/17`, `200 {"id":17,"at":"` + t1 + `"}`, `200 {"id":"u-77","at":"` + t2 + `"}`}, "order 17=u-77 1 created", "@time "+t1+"="+t2+" 0 aligned")
	// Versions of the same resource, before this exchange.
	const version = `@version "b1"=W/"c1" 0 aligned`
	f(step{`s GET /docs/1`, `200 ETag: "b1"; {}`, `200 ETag: W/"c1"; {}`})
	f(step{`s GET /docs/1 If-None-Match: W/"b1"; `, `304 ETag: "b1"; `, `304 ETag: "c3"; `}, version)
	f(step{`s PUT /docs/1 {}`, `200 ETag: "b2"; {}`, `200 ETag: "c1"; {}`}, version)
	f(step{`s GET /docs/1`, `200 ETag: "b2"; {}`, `200 ETag: "c1"; {}`}, version, `@version "b2"="c1" 0 aligned`)
	f(step{`s GET /docs/2`, `200 ETag: "b1"; {}`, `200 ETag: "c1"; {}`})
	f(step{`other GET /docs/1`, `200 ETag: "b1"; {}`, `200 ETag: "c1"; {}`})
	const ofMoment = "@time " + t1 + "=" + t2 + " 0 aligned"
	f(step{`s GET /x`, `200 at,n 2026-03-03 10:00:00.123,1`, `200 x`}, ofMoment) // in another style
	f(step{`s GET /x`, `200 {"ms":1772532000123}`, `200 {}`}, ofMoment)
	f(step{`s GET /x`, `200 Last-Modified: Tue, 03 Mar 2026 10:00:00 GMT; {}`, `200 {}`}, ofMoment)
	f(step{`s GET /x`, `200 {"ms":1772532002123,"n":1772532}`, `200 {}`})
	f(step{`s GET /orders`, `200 [{"id":17}]`, `200 []`}, "order 17=u-77 0 created")
	f(step{`s GET /log`, `200 {}`, `200 {"text":"made u-77 now"}`}, "order 17=u-77 0 created")
	f(step{`s GET /x`, `200 plain 17`, `200 text`}, "order 17=u-77 0 created")
	f(step{`s GET /x`, `200 {"n":1}`, `200 {"n":2}`})
	token := func(claims string) string {
		return `200 {"proof":"eyJhbGciOiJub25lIn0.` + base64.RawURLEncoding.EncodeToString([]byte(claims)) + `.c2ln"}`
	}
	f(step{`s GET /proof`, token(`{"about":17,"\u0072":"\u00ff?>"}`), token(`{}`)}, "order 17=u-77 0 created")
	f(step{`s GET /proof`, token(`{"of":1}`), token(`{"about":"u-77"}`)}, "order 17=u-77 0 created")
	f(step{`s GET /proof`, token(`{"count":1`), token(`7`)})
	f(step{`s GET /proof`, `200 {"state":"` + base64.StdEncoding.EncodeToString([]byte(`{"order":"u-77"}`)) + `"}`, `200 {}`}, "order 17=u-77 0 created")
	// Within words, codes, fields and other spellings; a number within another is none.
	const uuid = "4f1c2d3e-1111-4222-8333-444455556666"
	f(step{`s POST /files {}`, `201 {"id":"` + uuid + `"}`, `201 {"id":"f-1"}`})
	// A cookie with its name makes it no secret.
	f(step{`s GET /visit`, `200 Set-Cookie: last_file=` + uuid + `;Path=/; {}`, `200 Set-Cookie: last_file=f-1;Path=/; {}`}, "file "+uuid+"=f-1 0 created")
	const file = "file " + uuid + "=f-1 0 created"
	for _, answer := range []string{
		`{"url":"/x/inv-` + uuid + `.pdf"}`, `{"v":"` + strings.ToUpper(uuid) + `"}`, `{"v":"` + strings.ReplaceAll(uuid, "-", "") + `"}`, `{"v":"inv\u002d` + uuid + `"}`,
		`{"v":"` + base64.StdEncoding.EncodeToString([]byte("File:"+uuid)) + `"}`, `Content-Disposition: attachment; filename=` + uuid + `.pdf; {}`,
		`Etag: "` + uuid + `"; {}`, "<a href='x-" + uuid + "'>", "\xff\x00" + uuid, "\xff\x00\x4f\x1c\x2d\x3e\x11\x11\x42\x22\x83\x33\x44\x44\x55\x55\x66\x66",
	} {
		f(step{`s GET /x`, `200 ` + answer, `200 {}`}, file)
		f(step{`other GET /x`, `200 {}`, `200 {}`})
	}
	f(step{`third GET /x`, `200 {"url":"/x/inv-` + uuid + `.pdf"}`, `200 {}`}, file) // made by another session
	f(step{`s GET /x`, `200 Set-Cookie: order_id=17; {}`, `200 {}`}, "order 17=u-77 0 created")
	f(step{`s GET /x`, `200 {"text":"order no. 17, please"}`, `200 {}`}, "order 17=u-77 0 created")
	f(step{`s GET /x`, `200 {"v":"` + base64.StdEncoding.EncodeToString([]byte("gid://Order/17")) + `"}`, `200 {}`}, "order 17=u-77 0 created")
	f(step{`s GET /x`, `200 {"v":"1.17","w":"a17","at":"10:17:17"}`, `200 {}`})
	f(step{`other GET /orders`, `200 {"orders":[{"id":17}]}`, `200 []`}, "order 17=u-77 0 created")
	f(step{`s POST /orders {}`, `201 {"id":18}`, `201 {"id":"u-77"}`}, "order 17=u-77 0 created broken")
}

// fieldsOf makes header fields of names and values.
func fieldsOf(pairs ...string) (out []*understudyv1.Header) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, &understudyv1.Header{Name: pairs[i], Value: []byte(pairs[i+1])})
	}
	return out
}
