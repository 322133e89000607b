package audit

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"understudy.dev/comparator"
)

func TestSameJSON(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		if got := sameJSON([]byte(a), []byte(b)); got != want {
			t.Errorf("%s and %s: the same is %v", a, b, got)
		}
	}
	f(`1.0`, `1`, true)
	f(`{"a":1.50,"b":[1]}`, ` {"b":[1], "a":1.5}`, true)
	f(`"\u0041"`, `"A"`, true)
	f(`9007199254740993`, `9007199254740992`, false)
	f(`1`, `"1"`, false)
	f(`1`, `{"number":"2"}`, false)
	f(`[1,2]`, `[2,1]`, false)
	f(`{"a":null}`, `{}`, false)
	f(`{}`, `{} x`, false)
}

func TestTimes(t *testing.T) {
	f := func(text string, by time.Duration, want string) {
		t.Helper()
		n := &node{kind: '"', text: text}
		if text[0] == '#' {
			n = &node{kind: '0', text: text[1:]}
		}
		got := moved(by)(nil, n)
		if want != "" && n.kind == '"' {
			want = quote(want)
		}
		if got != want {
			t.Errorf("%s by %s: %s, want %s", text, by, got, want)
		}
	}
	f("2026-11-20T10:00:01.123Z", time.Minute, "2026-11-20T10:01:01.123Z")
	f("2026-11-20T23:30:00+02:00", time.Hour, "2026-11-21T00:30:00+02:00")
	f("2026-11-20 10:00:01.5", 24*time.Hour, "2026-11-21 10:00:01.5")
	f("Fri, 20 Nov 2026 10:00:01 GMT", 24*time.Hour, "Sat, 21 Nov 2026 10:00:01 GMT")
	f("2026-11-20", 24*time.Hour, "2026-11-21")
	f("2026-11-20", time.Hour, "")
	f("#1795168800", time.Minute, "1795168860")
	f("#1795168800.25", time.Minute, "1795168860.25")
	f("1795168800000", time.Minute, "1795168860000")
	f("2026-11-20T10:00:01+00:00", time.Minute, "") // would be written with a Z
	f("#12", time.Minute, "")
	f("falcon", time.Minute, "")
}

func TestNumbers(t *testing.T) {
	f := func(text, more, percent, fewer string) {
		t.Helper()
		n := &node{kind: '0', text: text}
		if a, b, c := shifted(n, "1"), shifted(n, "1%"), rounded(n); a != more || b != percent || c != fewer {
			t.Errorf("%s: %q %q %q, want %q %q %q", text, a, b, c, more, percent, fewer)
		}
	}
	f("129.95", "130.95", "131.25", "130.0")
	f("-2", "-1", "", "")
	f("1.50", "2.50", "1.52", "")
	f("9007199254740993", "9007199254740994", "9097271247288403", "")
	f("1e3", "", "", "")
	f("1795168800", "", "", "") // a time
}

// TestEdits: what is taken out or put in leaves a document behind, whichever
// child it is.
func TestEdits(t *testing.T) {
	f := func(text string, i int, without, and string) {
		t.Helper()
		root, err := parse([]byte(text), 0, "$")
		if err != nil {
			t.Fatal(err)
		}
		if len(root.children) > 0 {
			if got := string(edited([]byte(text), root.without(i))); got != without {
				t.Errorf("%s without %d: %s, want %s", text, i, got, without)
			}
		}
		if got := string(edited([]byte(text), root.and("9"))); and != "" && got != and {
			t.Errorf("%s and 9: %s, want %s", text, got, and)
		}
	}
	f(`[1, 2, 3]`, 0, `[2, 3]`, `[1, 2, 3,9]`)
	f(`[1, 2, 3]`, 2, `[1, 2]`, `[1, 2, 3,9]`)
	f(`[ 1 ]`, 0, `[  ]`, `[ 1,9 ]`)
	f(`[ ]`, 0, ``, `[ 9]`)
	f(`{"a": 1, "b": [1]}`, 1, `{"a": 1}`, "")
	f(`{"a": 1, "b": 2}`, 0, `{"b": 2}`, "")
}

// FuzzPlant: whatever a body is, a fault in a JSON document leaves one behind,
// and none is planted that changes nothing.
func FuzzPlant(f *testing.F) {
	f.Add(order(1, "O-77-1", 9001, replayed), uint64(1))
	f.Add(`{"a":{"":[1.50,"x",null,true,{}]},"a":2}`, uint64(2))
	f.Add("[[[]],\"2026-11-20T10:00:01.123Z\",1795168800]", uint64(3))
	judge, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string, seed uint64) {
		r := same(1, "application/json", body)
		s := NewSurvey(seed, 10)
		s.Add(r)
		sub, _ := newSubject(s, r, judge.Judge(r))
		sub.random = rand.New(rand.NewPCG(seed, 0))
		for _, k := range slices.Concat(jsonKinds, timeKinds) {
			for _, p := range k.find(sub, 4) {
				c := same(1, "application/json", body)
				p.put(c)
				after := c.Candidate.Ack.Body.Content
				if !(jsontext.Value)(after).IsValid(jsontext.AllowDuplicateNames(true)) {
					t.Errorf("%s at %s leaves %q of %q", k.name, p.path, after, body)
				}
				if string(after) == body {
					t.Errorf("%s at %s changes nothing in %q", k.name, p.path, body)
				}
			}
		}
	})
}
