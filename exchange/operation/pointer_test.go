package operation_test

import (
	"testing"

	"understudy.dev/exchange/operation"
)

func TestWithMember(t *testing.T) {
	f := func(body, pointer, want string) {
		t.Helper()
		got, err := operation.WithMember([]byte(body), pointer, "u")
		if string(got) != want && err == nil || (err != nil) != (want == "") {
			t.Errorf("%s at %s: got %s, %v, want %s", body, pointer, got, err, want)
		}
	}
	f(`{}`, "/a", `{"a":"u"}`)
	f(`{"b": 1.10}`, "/a", `{"a":"u","b": 1.10}`)
	f(`{"b": 1.10 , "a" : [1] }`, "/a", `{"b": 1.10 , "a" : "u" }`)
	f(` {"c":{"a":null},"a":2}`, "/c/a", ` {"c":{"a":"u"},"a":2}`)
	f(`{"c":{}}`, "/c/x~1y", `{"c":{"x/y":"u"}}`)
	f(`{}`, "/c/a", `{"c":{"a":"u"}}`)
	f(`{"b":1,"c":{"d":{}}}`, "/c/d/e/~0f", `{"b":1,"c":{"d":{"e":{"~f":"u"}}}}`)
	f(`{"c":7}`, "/c/a", "")
	f(`[]`, "/0", "")
	f(`{"a":`, "/a", "")
	f(``, "/a/b", `{"a":{"b":"u"}}`)
}
