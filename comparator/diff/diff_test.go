package diff

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show gives differences as "location kind baseline|candidate", with the
// folded path and the key where they say more.
func show(t *testing.T, a, b string, o Options) []string {
	t.Helper()
	out := []string{}
	if err := JSON([]byte(a), []byte(b), o, func(d Difference) bool {
		out = append(out, fmt.Sprintf("%s %s %s|%s", d.Location(), d.Kind, d.Baseline.Text(), d.Candidate.Text()))
		return true
	}); err != nil {
		t.Fatalf("%v\n%s\n%s", err, a, b)
	}
	return out
}

func TestDifferences(t *testing.T) {
	f := func(a, b string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(append([]string{}, want...), show(t, a, b, Options{})); diff != "" {
			t.Errorf("%s\n%s\n(-want +got)\n%s", a, b, diff)
		}
	}
	f(`{"a":1,"b":{"c":"x"}}`, `{"b":{"c":"y"},"a":2}`, "$.a value 1|2", "$.b.c value x|y")
	f(`{"a":1}`, `{"a":"1"}`, "$.a type 1|1")
	f(`{"a":1,"b":2}`, `{"a":1,"c":3}`, "$.b missing 2|", "$.c extra |3")
	f(`{"n":9007199254740993}`, `{"n":9007199254740992}`, "$.n value 9007199254740993|9007199254740992")
	f(`{"n":1.50,"m":1e2}`, `{"m":100.0,"n":1.5}`)
	f(`{"a b":1,"":2,"c.d":3,"e[0]":4,"\"":5,"é":6}`, `{"a b":0,"":0,"c.d":0,"e[0]":0,"\"":0,"é":0}`,
		`$["a b"] value 1|0`, `$[""] value 2|0`, `$["c.d"] value 3|0`, `$["e[0]"] value 4|0`, `$["\""] value 5|0`, `$.é value 6|0`)
	f(`{"a":1,"a":2}`, `{"a":1,"a":3}`, "$.a value 2|3")
	f(`{"a":1,"a":2}`, `{"a":1}`, "$.a missing 2|")
	f(`"\ud83d"`, `"\ud83e"`, "$ value \uFFFDd83d|\uFFFDd83e")
	f(`[1,[2,{"a":[3]}]]`, `[1,[2,{"a":[4]}]]`, "$[1][1].a[0] value 3|4")
	f(`null`, `{}`, "$ type null|{}")
	// Arrays.
	f(`[1,2,3]`, `[1,3]`, "$[1] missing 2|")
	f(`[1,3]`, `[1,2,3]`, "$[1] extra |2")
	f(`[1,2,3,4,5]`, `[0,1,2,9,4,5]`, "$[0] extra |0", "$[2] value 3|9")
	f(`[1,2,3,4,5]`, `[2,9,4,6]`, "$[0] missing 1|", "$[2] value 3|9", "$[4] value 5|6")
	f(`[{"a":1},{"a":2}]`, `[{"a":2},{"a":1}]`, `$ order [{"a":1},{"a":2}]|[{"a":2},{"a":1}]`)
	f(`[{"a":1},{"a":2}]`, `[{"a":2},{"a":3}]`, "$[0].a value 1|2", "$[1].a value 2|3")
	f(`{"x":[1,2,3],"y":[1,2,3]}`, `{"x":[2,1,3],"y":[1,2,4]}`, "$.x order [1,2,3]|[2,1,3]", "$.y[2] value 3|4")
	f(`[1,1,2]`, `[1,2,2]`, "$[1] value 1|2")
}

func TestFoldedPathAndKey(t *testing.T) {
	var path, key string
	if err := JSON([]byte(`{"items":[{"tags":["a"]}]}`), []byte(`{"items":[{"tags":["b"]}]}`), Options{}, func(d Difference) bool {
		path, key = d.Path(), d.Key()
		return true
	}); err != nil || path != "$.items[].tags[]" || key != "tags" {
		t.Errorf("path %s, key %s, %v", path, key, err)
	}
}

func TestPolicies(t *testing.T) {
	f := func(p Policy, a, b string, want ...string) {
		t.Helper()
		o := Options{Arrays: func(path string) Policy {
			if path == "$.a[]" {
				return p
			}
			return Policy{}
		}}
		if diff := cmp.Diff(append([]string{}, want...), show(t, a, b, o)); diff != "" {
			t.Errorf("%s\n%s\n(-want +got)\n%s", a, b, diff)
		}
	}
	unordered, keyed := Policy{Unordered: true}, Policy{Key: "id"}
	f(unordered, `{"a":[1,2,3]}`, `{"a":[3,1.0,2]}`)
	f(unordered, `{"a":[1,2,2]}`, `{"a":[2,1,1]}`, "$.a[0] value 2|1")
	f(unordered, `{"a":[1,2]}`, `{"a":[3,2,1]}`, "$.a[0] extra |3")
	f(unordered, `{"b":[1,2]}`, `{"b":[2,1]}`, "$.b order [1,2]|[2,1]")
	f(keyed, `{"a":[{"id":1,"v":1},{"id":"x","v":2}]}`, `{"a":[{"v":3,"id":"\u0078"},{"id":1.0,"v":1}]}`, "$.a[1].v value 2|3")
	f(keyed, `{"a":[{"id":1},{"id":2}]}`, `{"a":[{"id":3},{"id":2}]}`, `$.a[0] missing {"id":1}|`, `$.a[0] extra |{"id":3}`)
	// What cannot be paired by key is compared by position.
	f(keyed, `{"a":[{"id":1},{"id":1}]}`, `{"a":[{"id":1},{"id":2}]}`, "$.a[1].id value 1|2")
	f(keyed, `{"a":[{"v":1}]}`, `{"a":[{"v":2}]}`, "$.a[0].v value 1|2")
	f(keyed, `{"a":[1]}`, `{"a":[2]}`, "$.a[0] value 1|2")
}

func TestWideObjects(t *testing.T) {
	doc := func(order func(i int) int, value func(i int) int) string {
		parts := []string{`"k":0`}
		for i := range 100 {
			parts = append(parts, fmt.Sprintf(`"m\u002d%d":%d`, order(i), value(order(i))))
		}
		return "{" + strings.Join(parts, ",") + `,"k":7}`
	}
	id := func(i int) int { return i }
	got := show(t, doc(id, id), doc(func(i int) int { return (i*37 + 11) % 100 }, func(i int) int { return i / 60 * 60 }), Options{})
	if len(got) != 98 || got[0] != "$.m-1 value 1|0" { // all but 0 and 60 differ
		t.Errorf("%d differences, first %s", len(got), got[0])
	}
}

func TestStopsWhenToldTo(t *testing.T) {
	f := func(a, b string) {
		t.Helper()
		n := 0
		if err := JSON([]byte(a), []byte(b), Options{}, func(Difference) bool { n++; return n < 2 }); err != nil || n != 2 {
			t.Errorf("%d differences, %v", n, err)
		}
	}
	f(`[1,2,3]`, `[4,5,6]`)
	f(`{"a":1,"b":2,"c":3}`, `{"c":6,"b":5,"a":4}`)
	f(`{"a":1,"b":2,"c":3}`, `{}`)
	f(`[[],[],[]]`, `[]`)
	f(`{}`, `{"a":1,"b":2,"c":3}`)
}

func TestHostileDocuments(t *testing.T) {
	valid := func(want bool, doc string) {
		t.Helper()
		if err := Valid([]byte(doc)); (err == nil) != want || err != nil && !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrLimit) {
			t.Errorf("%.40s…: %v", doc, err)
		}
	}
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	valid(true, nested(MaxDepth))
	valid(false, nested(MaxDepth+1))
	valid(false, strings.Repeat("[", 1<<20))
	valid(false, strings.Repeat(`{"a":`, 1<<18))
	valid(true, "1e"+strings.Repeat("9", 1<<20))
	// Different at the very bottom, spelled differently everywhere.
	deep := func(bottom string) string {
		return strings.Repeat(`[{"a":[1.0,`, 100) + bottom + strings.Repeat(`]}]`, 100)
	}
	got := show(t, deep("1"), strings.ReplaceAll(deep("2"), "1.0", "1e0"), Options{})
	if len(got) != 1 || !strings.HasSuffix(got[0], "value 1|2") {
		t.Errorf("got %.200s", got)
	}
	long := strings.Repeat("7", 1<<20)
	if numbersEqual([]byte("1e"+long), []byte("1e"+long[1:])) || !numbersEqual([]byte("10e"+long), []byte("1e"+long[1:]+"8")) {
		t.Error("long exponents")
	}
}

func TestEqualDocumentsCostNoMemory(t *testing.T) {
	a, b := order(4<<10, false, same), order(4<<10, false, same)
	emit := func(Difference) bool { return true }
	if n := testing.AllocsPerRun(100, func() {
		if JSON(a, b, Options{}, emit) != nil {
			t.Fatal("an error")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMember(t *testing.T) {
	if got := Member("$", "a") + Member("", "b c"); got != `$.a["b c"]` {
		t.Errorf("got %s", got)
	}
}
