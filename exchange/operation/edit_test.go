package operation

import (
	"fmt"
	"strings"
	"testing"
)

func TestEdit(t *testing.T) {
	f := func(program, body, want, paths, fault string) {
		t.Helper()
		e, err := NewEdit(program)
		if err != nil {
			t.Fatal(err)
		}
		out, changed, err := e.Apply([]byte(body), 3)
		if string(out) != want || fmt.Sprint(changed) != paths || (err == nil) != (fault == "") || err != nil && (!strings.Contains(err.Error(), fault) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s of %.80s: %s %v, %v", program, body, out, changed, err)
		}
	}
	f(".", `{ "b":1, "a":1.10 }`, `{ "b":1, "a":1.10 }`, "[]", "")
	f(`.a = 2`, `{ "b":9007199254740993, "a":1.10, "c":1.50 }`, `{"a":2,"b":9007199254740993,"c":1.50}`, "[$.a]", "")
	f(`.items[].price = 0 | del(.x) | .["a b"] = true`, `{"items":[{"price":1},{"price":2}],"x":null}`, `{"a b":true,"items":[{"price":0},{"price":0}]}`, `[$["a b"] $.items[].price $.x]`, "")
	f(`{a: 1}`, `[1]`, `{"a":1}`, "[$]", "")
	f(`. + [1]`, `[1]`, `[1,1]`, "[$]", "")
	f(`.a.b = 1 | .a.c = 1 | .a.d = 1 | .a.e = 1`, `{"a":{}}`, `{"a":{"b":1,"c":1,"d":1,"e":1}}`, "[$.a.b $.a.c $.a.d]", "")
	f(`.a += 1`, `{"a":"hush"}`, "", "[]", `jq ".a += 1" fails`)
	f(`error(.x)`, `{"x":"hush"}`, "", "[]", "fails")
	f(`.a = 1 | .b = 1`, `{"a": 1, "b": 1.0}`, `{"a":1,"b":1}`, "[$.b]", "")
	f(`empty`, `{}`, "", "[]", "gives nothing")
	f(`.`, `{`, "", "[]", "not JSON")
	f(`.`, `hush`, "", "[]", "not JSON")
	f(`.`, `{} {}`, "", "[]", "not one JSON document")
	f(`def f: f; f`, `{}`, "", "[]", "fails")
	f(`.`, `"`+strings.Repeat("x", maxFiltered)+`"`, "", "[]", "reads at most")
	f(`"x" * 2000000`, `{}`, "", "[]", "bytes, more than")

	if _, err := NewEdit(".a ="); err == nil || !strings.HasPrefix(err.Error(), "is not a jq filter: ") {
		t.Errorf("%v", err)
	}
}

// FuzzEdit: whatever a body is, what comes out is one document, and the same bytes
// if nothing changed.
func FuzzEdit(f *testing.F) {
	same, err := NewEdit(".")
	if err != nil {
		f.Fatal(err)
	}
	change, err := NewEdit(`if type == "object" then .x = 1 else [.] end`)
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{`{"x":1}`, `[1e400,-0]`, `"\ud800"`, ` {"a":{"a":1},"a":2} `} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if out, paths, err := same.Apply(body, 4); err == nil && (string(out) != string(body) || paths != nil) {
			t.Errorf("%q became %q at %v", body, out, paths)
		}
		out, paths, err := change.Apply(body, 4)
		if err != nil {
			return
		}
		if _, err := parse(out); err != nil || (len(paths) == 0) != (string(out) == string(body)) {
			t.Errorf("%q became %q at %v: %v", body, out, paths, err)
		}
	})
}
