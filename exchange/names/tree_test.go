package names

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// plain is a tree as encoding/json gives it.
func (t Tree) plain() any {
	switch t[0].Kind {
	case Object:
		out := map[string]any{}
		for m := range t.Members() {
			out[m[0].Name] = m.plain()
		}
		return out
	case Array:
		out := []any{}
		for e := range t.Elements() {
			out = append(out, e.plain())
		}
		return out
	case String:
		return t[0].Text
	case Number:
		return json.Number(t[0].Text)
	case True, False:
		return t[0].Kind == True
	}
	return nil
}

// FuzzParse holds it against encoding/json.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+3,"x\u00e9\ud83d\ude00\n",true,false,null,{}],"a":{"b":[]},"":""}`, `[1,]`, `{"a"}`, `01`, `-`, `1.`, `1e`, `1 2`, "\"\x01\"", "\"\xff\xfe\"", `"\ud800"`,
		`"\x"`, `tru`, `nul`, `[`, `{"a":1,}`, ` {} `, "\ufeff{}", `[[[]],[1],{"a":[{"b":2}]}] x`, `"a`, `"\"`, `{"a":1 "b":2}`, `-01`, `+1`, `.5`, `1E-2`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var want any
		err := d.Decode(&want)
		tree, whole := Parse(body)
		if (err == nil) != (tree != nil) {
			// The decoder looks one character beyond a value.
			if tree == nil || whole {
				t.Fatalf("%q: %v, but a tree of %d", body, err, len(tree))
			}
			return
		}
		if tree == nil {
			return
		}
		if whole != json.Valid(body) {
			t.Errorf("%q: whole is %v", body, whole)
		}
		if got := tree.plain(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	})
}
