package accuracy

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestSeeded: the same seed makes the same recording, and no two names of a
// system are alike within a kind.
func TestSeeded(t *testing.T) {
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, seed := range []uint64{1, 2, 8} {
		a, b := newWorld(seed, 300, 5, time.Millisecond, start), newWorld(seed, 300, 5, time.Millisecond, start)
		if len(a.pairs) != len(b.pairs) {
			t.Fatalf("%d and %d pairs", len(a.pairs), len(b.pairs))
		}
		for i, p := range a.pairs {
			if !proto.Equal(p.exchange, b.pairs[i].exchange) || p.kind != b.pairs[i].kind || p.place != b.pairs[i].place {
				t.Fatalf("seed %d: pair %d is another", seed, i)
			}
		}
		seen := map[string]*entity{}
		for e, v := range a.baseline.names {
			if other := seen[e.kind+" "+v.text]; other != nil {
				t.Errorf("seed %d: two things are called %s %s", seed, e.kind, v.text)
			}
			seen[e.kind+" "+v.text] = e
		}
	}
}

// TestOracle: what the client would have sent is right, anything else is told
// apart.
func TestOracle(t *testing.T) {
	w := newWorld(1, 100, 5, time.Millisecond, time.Now())
	order, other := &entity{kind: "order"}, &entity{kind: "order"}
	for i, s := range []*side{w.baseline, w.candidate} {
		s.names[order], s.names[other] = value{[]string{"17", "18"}[i], true}, value{[]string{"18", "19"}[i], true}
		s.owners["order"] = map[string]*entity{s.names[order].text: order, s.names[other].text: other}
	}
	f := func(target, body string, needed, done, wrong int, path bool) {
		t.Helper()
		p := &pair{method: "POST", target: join("/orders/", order, "/x?limit=17"), sent: of("order_id", order, "amount", number("17"))}
		r := httptest.NewRequest(http.MethodPost, target, nil)
		same := w.examine(p, r, []byte(body))
		if o := p.oracle; o.needed != needed || o.done != done || o.wrong != wrong || same != path {
			t.Errorf("%s %s: needed %d, done %d, wrong %d, path %t: %s", target, body, o.needed, o.done, o.wrong, same, strings.Join(o.says, "; "))
		}
	}
	f("/orders/18/x?limit=17", `{"order_id":18,"amount":17}`, 2, 2, 0, true)
	f("/orders/18/x?limit=18", `{"order_id":18,"amount":18}`, 2, 2, 2, true)
	f("/orders/18/x?limit=17", `{"order_id":"18","amount":17}`, 2, 1, 1, true)
	f("/orders/18/x?limit=17", `{"order_id":21,"amount":17}`, 2, 1, 1, true)
	f("/orders/18/x?limit=17", `{"order_id":18,"amount":17,"more":1}`, 2, 2, 1, true)
	f("/orders/17/x?limit=17", `{"order_id":18,"amount":17}`, 2, 1, 0, false)
	// What is left names something else there.
	w.candidate.owners["order"]["17"] = other
	f("/orders/17/x?limit=17", `{"order_id":18,"amount":17}`, 2, 1, 1, false)
}

func TestRivals(t *testing.T) {
	answer := func(status int, body string) *understudyv1.Response {
		a := answerOf(status, text(body))
		a.form = "raw"
		return a.write((&side{random: rand.New(rand.NewPCG(1, 1))}).render(time.Time{})).record(time.Time{})
	}
	f := func(a, b string, equal bool, fields ...string) {
		t.Helper()
		x, y := answer(200, a), answer(200, b)
		if got := exact(x, y); got != equal {
			t.Errorf("%s and %s: exact says %t", a, b, got)
		}
		var got []string
		for _, field := range raws("GET /", x, y) {
			if strings.Contains(field, "body") {
				got = append(got, strings.TrimPrefix(field, "GET / body"))
			}
		}
		if strings.Join(got, " ") != strings.Join(fields, " ") {
			t.Errorf("%s and %s differ in %q, want %q", a, b, got, fields)
		}
	}
	f(`{"a":1,"b":[1,2]}`, `{"b": [1, 2], "a": 1}`, true)
	f(`{"a":1}`, `{"a":1.0}`, false, ".a.PrimitiveDifference")
	f(`{"a":1}`, `{"a":"1"}`, false, ".a.TypeDifference")
	f(`{"a":1}`, `{}`, false, ".a.MissingField")
	f(`{}`, `{"a":1}`, false, ".a.ExtraField")
	f(`[1,2]`, `[2,1]`, false, ".OrderingDifference")
	f(`[1,2]`, `[1,2,3]`, false, ".SeqSizeDifference")
	f(`[{"a":1},{"a":2}]`, `[{"a":1},{"a":3}]`, false, ".a.PrimitiveDifference")
	f(`{"a":1`, `{"a":2`, false, "")
	if exact(answer(200, "{}"), answer(201, "{}")) || exact(answer(200, "{}"), nil) {
		t.Error("another status, or no answer, is equal")
	}

	d := newDiffy()
	for i := range 100 {
		var raw, noise []string
		if i < 30 {
			raw = append(raw, "masked", "clear")
			noise = append(noise, "quiet")
		}
		if i < 20 {
			noise = append(noise, "masked")
		}
		if i < 19 {
			noise = append(noise, "clear")
		}
		d.add("e", raw, noise)
	}
	if d.reports("e", "masked") || !d.reports("e", "clear") || d.reports("e", "quiet") {
		t.Error("a field is reported if its raw differences are more than one and a half times its noise")
	}
}
