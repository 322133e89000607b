package comparator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// asked gives a replay a control that answered so, a second after the candidate.
func asked(control *understudyv1.Response) func(*understudyv1.Replay) {
	return func(r *understudyv1.Replay) {
		r.Control = &understudyv1.Observation{Ack: control}
		r.ControlSentUnixNano = r.GetSentUnixNano() + int64(time.Second)
	}
}

// thrice judges three answers: recorded, control, candidate.
func thrice(t *testing.T, recorded, control, candidate *understudyv1.Response) comparator.Comparison {
	t.Helper()
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	return j.Judge(immediate(recorded, candidate, asked(control)))
}

// tossed shows tosses as "path statistic(word) side".
func tossed(c comparator.Comparison) []string {
	out := []string{}
	for _, s := range c.Tosses {
		text := s.Path + " " + string(s.Statistic)
		if s.Word != "" {
			text += "(" + s.Word + ")"
		}
		switch {
		case s.Heads:
			text += " heads"
		case s.Tails:
			text += " tails"
		default:
			text += " -"
		}
		if s.Statistic == comparator.Differs || s.Statistic == comparator.PresumedPlace {
			text += fmt.Sprintf(" control=%t candidate=%t", s.Control, s.Candidate)
		}
		out = append(out, text)
	}
	return out
}

// TestControlOfAWhole: each status says something else, and of two bodies that cannot
// be read nobody knows what they would say.
func TestControlOfAWhole(t *testing.T) {
	f := func(control, candidate *understudyv1.Response, want comparator.Verdict) {
		t.Helper()
		if got := thrice(t, response(200, `{"a":1}`), control, candidate); got.Verdict != want {
			t.Errorf("%s, want %s: %v", got.Verdict, want, lines(got))
		}
	}
	f(response(202, `{"a":1}`), response(202, `{"a":1}`), comparator.Match)
	f(response(202, `{"a":1}`), response(206, `{"a":1}`), comparator.Mismatch)
	f(response(200, `{"a":`), response(200, `{"a"`), comparator.Incomplete)
	f(response(200, `{"a":1}`), response(200, `{"a"`), comparator.Mismatch)
}

// A place where the baseline differs from itself is harmless, and is tossed.
func TestControl(t *testing.T) {
	f := func(recorded, control, candidate, want string, tosses ...string) {
		t.Helper()
		got := thrice(t, response(200, recorded), response(200, control), response(200, candidate))
		if text := strings.Join(lines(got), "; "); text != want || !got.Controlled {
			t.Errorf("%s, %s, %s:\n got %s\nwant %s", recorded, control, candidate, text, want)
		}
		if diff := cmp.Diff(append([]string{}, tosses...), tossed(got)); diff != "" {
			t.Errorf("%s, %s, %s (-want +got):\n%s", recorded, control, candidate, diff)
		}
	}
	// A number.
	f(`{"a":10}`, `{"a":10}`, `{"a":10}`, "match")
	f(`{"a":10}`, `{"a":12}`, `{"a":13}`, "match; body $.a value 10|13 (control)",
		"$.a differs - control=true candidate=true", "$.a number heads")
	f(`{"a":10}`, `{"a":12}`, `{"a":9.5}`, "match; body $.a value 10|9.5 (control)",
		"$.a differs - control=true candidate=true", "$.a number tails")
	f(`{"a":10}`, `{"a":12}`, `{"a":12.0}`, "match; body $.a value 10|12.0 (control)",
		"$.a differs - control=true candidate=true")
	f(`{"a":10}`, `{"a":12}`, `{"a":10}`, "match",
		"$.a differs tails control=true candidate=false", "$.a number tails")
	f(`{"a":10}`, `{"a":10}`, `{"a":9}`, "mismatch; body $.a value 10|9",
		"$.a differs heads control=false candidate=true", "$.a number tails")
	// A word.
	f(`{"a":"x"}`, `{"a":"y"}`, `{"a":"z"}`, "match; body $.a value x|z (control)",
		"$.a differs - control=true candidate=true", "$.a share(y) tails", "$.a share(z) heads")
	f(`{"a":true}`, `{"a":true}`, `{"a":false}`, "mismatch; body $.a value true|false",
		"$.a differs heads control=false candidate=true", "$.a share(false) heads", "$.a share(true) tails")
	f(`{"a":null}`, `{"a":"x"}`, `{"a":"y"}`, `match; body $.a type null|"y" (control)`,
		"$.a differs - control=true candidate=true", "$.a share(x) tails", "$.a share(y) heads")
	// A member.
	f(`{"a":1,"b":2}`, `{"a":1}`, `{"a":1,"b":2}`, "match",
		"$.b differs tails control=true candidate=false", "$.b presence heads")
	f(`{"a":1,"b":2}`, `{"a":1}`, `{"a":1}`, "match; body $.b missing 2| (control)",
		"$.b differs - control=true candidate=true")
	f(`{"a":1}`, `{"a":1}`, `{"a":1,"b":2}`, "mismatch; body $.b extra |2",
		"$.b differs heads control=false candidate=true", "$.b presence heads")
	f(`{"a":1}`, `{"a":1,"b":2}`, `{"a":1,"b":3}`, "match; body $.b extra |3 (control)",
		"$.b differs - control=true candidate=true", "$.b number heads")
	// Another difference than the baseline's own counts.
	f(`{"a":10}`, `{"a":12}`, `{"a":"12"}`, `mismatch; body $.a type 10|"12"`,
		"$.a differs - control=true candidate=true", "$.a share((number)) tails", "$.a share(12) heads")
	f(`{"a":10}`, `{"a":12}`, `{}`, "mismatch; body $.a missing 10|",
		"$.a differs - control=true candidate=true", "$.a presence tails")
	f(`{"a":10,"b":1}`, `{"a":12,"b":1}`, `{"a":12,"b":2}`, "mismatch; body $.a value 10|12 (control); body $.b value 1|2",
		"$.a differs - control=true candidate=true", "$.b differs heads control=false candidate=true", "$.b number heads")
	f(`{"a":1}`, `{"a":1,"b":2}`, `{"a":1,"b":"error"}`, "mismatch; body $.b extra |error",
		"$.b differs - control=true candidate=true", "$.b share((number)) tails", "$.b share(error) heads")
	// Nothing is no other value.
	f(`{"a":"x"}`, `{"a":"y"}`, `{"a":""}`, "mismatch; body $.a value x|",
		"$.a differs - control=true candidate=true", "$.a share heads", "$.a share(y) tails")
	f(`{"a":"x"}`, `{"a":""}`, `{"a":""}`, "match; body $.a value x| (control)",
		"$.a differs - control=true candidate=true")
	f(`{}`, `{"a":"y"}`, `{"a":""}`, "mismatch; body $.a extra |",
		"$.a differs - control=true candidate=true", "$.a share heads", "$.a share(y) tails")
	// Elements: which of them is another one cannot be said; values in them can.
	f(`{"l":["ab","cd","ef"]}`, `{"l":["ab","cd"]}`, `{"l":["cd","ef"]}`, "match; body $.l[] missing ab| (control)",
		"$.l[] differs - control=true candidate=true")
	f(`{"l":[{"p":1},{"p":2}]}`, `{"l":[{"p":3},{"p":2}]}`, `{"l":[{"p":1},{"p":5}]}`, "mismatch; body $.l[].p value 2|5",
		"$.l[].p differs - control=true candidate=true")
	// What is missing as a whole hides what is in it: that shows nothing.
	f(`{"o":{"p":1,"q":2}}`, `{"o":{"p":3,"q":2}}`, `{}`, `mismatch; body $.o missing {"p":1,"q":2}|`,
		"$.o differs heads control=false candidate=true", "$.o presence tails")
	f(`{"o":{"p":1},"og":1}`, `{"o":{"p":3},"og":2}`, `{"o":null,"og":1}`, `mismatch; body $.o type {"p":1}|null`,
		"$.o differs heads control=false candidate=true", "$.o share((object)) tails", "$.o share(null) heads",
		"$.og differs tails control=true candidate=false", "$.og number tails")
	f(`{"a":1}`, `{"a":2}`, `{"a":`, `mismatch; body $ unparsable {"a":1}|`+"not JSON: unexpected end at offset 5",
		"$ differs heads control=false candidate=true")
	// One toss of a place, however many elements say the same.
	f(`{"l":[{"p":1},{"p":2}]}`, `{"l":[{"p":3},{"p":4}]}`, `{"l":[{"p":5},{"p":6}]}`,
		"match; body $.l[].p value 1|5 (control); body $.l[].p value 2|6 (control)",
		"$.l[].p differs - control=true candidate=true", "$.l[].p number heads")
	// What only its shape explains is explained now, and never tossed; the place is told.
	const u1, u2, u3 = "4f1c2d3e-1111-4222-8333-444455556666", "0a1b2c3d-9999-4888-8777-666655554444", "7a1b2c3d-9999-4888-8777-666655554444"
	f(`{"trace":"`+u1+`"}`, `{"trace":"`+u2+`"}`, `{"trace":"`+u3+`"}`, "match; body $.trace value "+u1+"|"+u3+" (control:identifier)", "$.trace presumed - control=true candidate=true")
	f(`{"trace":"`+u1+`"}`, `{"trace":"`+u1+`"}`, `{"trace":"`+u3+`"}`, "presumed; body $.trace value "+u1+"|"+u3+" (presumed:identifier)", "$.trace presumed - control=false candidate=true")
	// Times from their own requests: the control was asked a second later.
	f(`{"eta":"2026-11-24T10:20:00Z"}`, `{"eta":"2026-11-24T10:31:00Z"}`, `{"eta":"2026-11-24T10:31:30Z"}`,
		"match; body $.eta value 2026-11-24T10:20:00Z|2026-11-24T10:31:30Z (control)",
		"$.eta differs - control=true candidate=true", "$.eta number heads")
}

func TestControlOfStatus(t *testing.T) {
	ok, busy, other := response(200, `{"a":1}`), response(503, `{"e":"busy"}`), response(201, `{"a":1}`)
	f := func(recorded, control, candidate *understudyv1.Response, want string, tosses ...string) {
		t.Helper()
		got := thrice(t, recorded, control, candidate)
		if text := strings.Join(lines(got), "; "); text != want {
			t.Errorf("got %s\nwant %s", text, want)
		}
		if diff := cmp.Diff(append([]string{}, tosses...), tossed(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want, diff)
		}
	}
	f(ok, ok, busy, `rejected; status status status 200 {"a":1}|503 {"e":"busy"}`,
		"status differs heads control=false candidate=true", "status share(200) tails", "status share(503) heads")
	f(ok, busy, busy, `incomplete; status status status 200 {"a":1}|503 {"e":"busy"} (control)`,
		"status differs - control=true candidate=true")
	f(ok, busy, response(200, `{"a":2}`), "mismatch; body $.a value 1|2",
		"status differs tails control=true candidate=false", "status share(200) heads", "status share(503) tails")
	f(ok, other, other, "match; status status status 200|201 (control)", "status differs - control=true candidate=true")
	f(ok, other, ok, "match", "status differs tails control=true candidate=false", "status share(200) heads", "status share(201) tails")
}

// A control is another instance with names of its own: these are translated as
// the candidate's are, so that nothing is left but what differs.
func TestControlHasNames(t *testing.T) {
	r := immediate(response(200, `{"id":"ord_1001","eta":10}`), response(200, `{"id":"x_77aa","eta":13}`), asked(response(200, `{"id":"ord_2044","eta":12}`)))
	r.Substitutions = []*understudyv1.Substitution{{Kind: "order", Recorded: "ord_1001", Candidate: "x_77aa", LearnedFrom: "e0", Proof: understudyv1.Substitution_PROOF_CREATED}}
	r.ControlSubstitutions = []*understudyv1.Substitution{{Kind: "order", Recorded: "ord_1001", Candidate: "ord_2044", LearnedFrom: "e0", Proof: understudyv1.Substitution_PROOF_CREATED}}
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	got := j.Judge(r)
	if got.Verdict != comparator.Match {
		t.Errorf("%v", lines(got))
	}
	if diff := cmp.Diff([]string{"$.eta differs - control=true candidate=true", "$.eta number heads"}, tossed(got)); diff != "" {
		t.Error(diff)
	}
}

// Swapping control and candidate turns each coin over: otherwise none were fair.
func TestTossesAreAntisymmetric(t *testing.T) {
	bodies := []string{
		`{"a":1,"b":"x","c":true,"l":[1,2,3]}`, `{"a":2,"b":"y","c":false,"l":[1,3]}`, `{"a":"2","b":null,"l":[3,2,1]}`,
		`{"a":2.5,"b":"y","c":true,"d":{"e":1},"l":[]}`, `[1,2]`, `{`, ``, `{"a":1e3,"b":"x","c":"true","d":{"e":"f"},"l":[{"p":1}]}`,
	}
	statuses := []uint32{200, 201, 503}
	for _, recorded := range bodies {
		for i, a := range bodies {
			for n, b := range bodies {
				one := thrice(t, response(200, recorded), response(statuses[i%3], a), response(statuses[n%3], b))
				other := thrice(t, response(200, recorded), response(statuses[n%3], b), response(statuses[i%3], a))
				for k := range other.Tosses {
					s := &other.Tosses[k]
					s.Heads, s.Tails, s.Control, s.Candidate = s.Tails, s.Heads, s.Candidate, s.Control
				}
				if diff := cmp.Diff(one.Tosses, other.Tosses); diff != "" {
					t.Fatalf("recorded %s, then %s and %s: (-one +other)\n%s", recorded, a, b, diff)
				}
			}
		}
	}
}

// A part of what differs would not be fair.
func TestTossesAreBounded(t *testing.T) {
	many := func(add int) string {
		var b strings.Builder
		for i := range 3000 {
			fmt.Fprintf(&b, `%s"m%d":%d`, map[bool]string{true: ",", false: "{"}[i > 0], i, i+add)
		}
		return b.String() + "}"
	}
	got := thrice(t, response(200, many(0)), response(200, many(1)), response(200, many(2)))
	if len(got.Tosses) > 0 || got.Verdict != comparator.Mismatch || !got.Controlled {
		t.Errorf("%s with %d tosses", got.Verdict, len(got.Tosses))
	}
}

func TestEvidence(t *testing.T) {
	for class, want := range map[string]string{
		"": "", "presumed:random": "", comparator.Incomparable: "", "timestamp": comparator.ByRecord, "identifier": comparator.ByRecord,
		"control": comparator.ByControl, "control:random": comparator.ByControl, "rule:x": comparator.ByRule, "default:tracing": comparator.ByRule,
	} {
		if got := (comparator.Difference{Noise: class}).Evidence(); got != want {
			t.Errorf("%q: %q, want %q", class, got, want)
		}
	}
}

// BenchmarkControl judges replays of some 10 KiB without a control, with one that
// answered as recorded, and with one that differs from itself in 80 places.
func BenchmarkControl(b *testing.B) {
	doc := func(price int) *understudyv1.Response {
		var items []string
		for i := range 80 {
			items = append(items, fmt.Sprintf(`{"sku":"SKU-%05d","price":%d.5,"quantity":2,"name":"A product with a name of some length","available":true}`, i, price+i))
		}
		return response(200, `{"items":[`+strings.Join(items, ",")+`]}`)
	}
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		control *understudyv1.Response
		verdict comparator.Verdict
	}{{"none", nil, comparator.Mismatch}, {"equal", doc(10), comparator.Mismatch}, {"volatile", doc(12), comparator.Match}} {
		r := immediate(doc(10), doc(13), asked(c.control))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := j.Judge(r).Verdict; v != c.verdict {
					b.Fatal(v)
				}
			}
		})
	}
}
