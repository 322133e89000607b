package substitute_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/substitute"
)

// orders is an answer that lists n orders from a number on.
func orders(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"id":%d}`, from+i)
	}
	return "200 [" + b.String()[1:] + "]"
}

// TestWhatIsForgottenIsNotSent: beyond its bounds a session no longer knows
// whose a name is, and says so.
func TestWhatIsForgottenIsNotSent(t *testing.T) {
	m := substitute.NewMemory("")
	var story []step
	for at := 1; at < 2*substitute.MaxNames; at += 5000 {
		story = append(story, step{`s GET /orders`, orders(at, 5000), `200 []`})
	}
	const nowhere = `order "1": the candidate's answers do not hold it, and no pair is known`
	if got := maker.ReplaceAllString(sends(t, m, story, `s GET /orders/1`), ""); got != nowhere {
		t.Error(got)
	}
	const unique = "4f1c2d3e-1111-4222-8333-444455556666"
	if got := sends(t, m, nil, `s POST /x X-Request-Id: 7; {"key":"`+unique+`","note":"a-17"}`); got != `/x X-Request-Id: 7; {"key":"`+unique+`","note":"a-17"}` {
		t.Error(got)
	}
	if got := maker.ReplaceAllString(sends(t, m, nil, `other GET /orders/1`), ""); got != nowhere {
		t.Error(got)
	}
}

// TestSessionsAreBounded: the one unused for longest is forgotten, but not that
// the candidate did not show what the baseline did.
func TestSessionsAreBounded(t *testing.T) {
	m := substitute.NewMemory("")
	note := step{`s GET /notes`, `200 [{"id":"n-52","text":"b"}]`, `200 [{"id":"n-51","text":"b"}]`}
	if got := sends(t, m, []step{note}, `s GET /notes/n-52`); got != "/notes/n-51" {
		t.Error(got)
	}
	for i := range substitute.MaxSessions {
		m.Register(exchange(fmt.Sprint("other", i, ` GET /x`), `200 {}`)).Settle()
	}
	if got := maker.ReplaceAllString(sends(t, m, nil, `s GET /notes/n-52`), ""); got != `note "n-52": the candidate's answers do not hold it, and no pair is known` {
		t.Error(got)
	}
}

// TestLongListsAreCut: what is recorded has a bound and counts the rest.
func TestLongListsAreCut(t *testing.T) {
	things := func(side string, from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, `,{"id":"%s-%05d","n":%d}`, side, i, i)
		}
		return "200 [" + b.String()[1:] + "]"
	}
	m := substitute.NewMemory("")
	sends(t, m, []step{
		{`s GET /things?page=1`, things("b", 0, 3000), things("c", 0, 3000)}, {`s GET /things?page=2`, things("b", 3000, 6000), things("c", 3000, 6000)},
	}, `s GET /x`)
	x := m.Register(exchange(`s GET /things`, things("b", 0, 6000)))
	defer x.Settle()
	out, dropped := x.Record(nil, response(`200 []`))
	if len(out) == 0 || len(out) > substitute.MaxListed || len(out)+int(dropped) != 6000 {
		t.Errorf("%d listed, %d dropped", len(out), dropped)
	}
}

func FuzzExchanges(f *testing.F) {
	f.Add("/orders/17?x=1", `{"order_id":17,"_csrf":"abcdefgh"}`, `{"id":17,"token":"abcdefgh"}`, `{"id":"x1","token":"ijklmnop"}`, "sid=1; a", "sid=2; Path=/; Max-Age=5")
	f.Fuzz(func(_ *testing.T, target, sent, recorded, candidate, cookie, set string) {
		m := substitute.NewMemory("h")
		for range 2 {
			e := exchange(`s POST /orders`, "201 "+recorded)
			e.Request.Target, e.Request.Body.Content = []byte(target), []byte(sent)
			e.Request.Headers = append(e.Request.Headers, fieldsOf("Cookie", cookie, "X-Csrf-Token", cookie, "If-Match", cookie, "Link", cookie)...)
			e.Response.Headers = append(e.Response.Headers, fieldsOf("Set-Cookie", cookie, "Location", target, "ETag", set)...)
			x := m.Register(e)
			r, _ := x.Translate(func(r *substitute.Request) {
				r.Target(target)
				if out := r.JSON([]byte(sent)); json.Valid([]byte(sent)) && !json.Valid(out) {
					panic(fmt.Sprintf("%q became %q", sent, out))
				}
				r.Form([]byte(sent))
				for _, h := range e.Request.Headers {
					r.Field(h.Name, string(h.Value))
					r.Credential(h.Name, string(h.Value), true)
				}
				r.Cookie(cookie, target, true)
			})
			a := response("201 " + candidate)
			a.Headers = append(a.Headers, fieldsOf("Set-Cookie", set, "Location", set, "ETag", cookie)...)
			x.Learn(nil, a, timestamp.Frame{})
			x.Settle()
			x.Record(r, a)
		}
	})
}

// BenchmarkExchange is what each exchange of a usual size costs beside sending
// it.
func BenchmarkExchange(b *testing.B) {
	m := substitute.NewMemory("")
	recorded, candidate := orders(1000, 50), orders(2000, 50)
	b.ReportAllocs()
	for b.Loop() {
		e := exchange(`s POST /orders {"customer_id":7,"lines":[{"sku":"a","qty":1}]}`, recorded)
		x := m.Register(e)
		r, _ := x.Translate(func(r *substitute.Request) { r.Target(string(e.Request.Target)); r.JSON(e.Request.Body.Content) })
		answer := response(candidate)
		x.Learn(nil, answer, timestamp.Frame{})
		x.Record(r, answer)
	}
}

// TestTwoThingsOfOneName: what the candidate calls like the thing of another session
// is recorded beside that, unless both sides had deleted it or the name is a short
// number, which may count within something.
func TestTwoThingsOfOneName(t *testing.T) {
	f := func(first, second, want string, between ...step) {
		t.Helper()
		m := substitute.NewMemory("")
		sends(t, m, append([]step{{`one POST /orders {}`, `201 {"id":40231}`, `201 {"id":` + first + `}`}}, between...), `one GET /x`)
		x := m.Register(exchange(`two POST /orders {}`, `201 {"id":40232}`))
		a := response(`201 {"id":` + second + `}`)
		x.Learn(nil, a, timestamp.Frame{})
		out, _ := x.Record(nil, a)
		x.Settle()
		got := ""
		for _, s := range out {
			got += s.Recorded + "=" + s.Candidate
			if s.BrokenBy != "" {
				got += " broken"
			}
		}
		if got != want {
			t.Errorf("%s and %s: %q, want %q", first, second, got, want)
		}
	}
	f("81772", "81772", "40231=81772 broken")
	f(`"ord_9f21c"`, `"ord_9f21c"`, "40231=ord_9f21c broken")
	f("81772", "81773", "")
	f("7", "7", "")
	f("81772", "81772", "", step{`one DELETE /orders/40231`, `204 `, `204 `})
}
