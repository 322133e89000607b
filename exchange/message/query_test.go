package message_test

import (
	"fmt"
	"strings"
	"testing"

	"understudy.dev/exchange/message"
)

func TestParametersOfAQuery(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		var got []string
		for p := range message.Parameters(query) {
			got = append(got, fmt.Sprintf("%s|%s|%s", p.Name, p.Decoded(), p.Value))
			if query[p.At:p.At+len(p.Value)] != p.Value {
				t.Errorf("%q: %q is not at %d", query, p.Value, p.At)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: got %q, want %q", query, s, want)
		}
	}
	f("", "")
	f("&;&", "")
	f("a=1&b;c==2;", "a|a|1 b|b| c|c|=2")
	f("%61+b=%31&%zz=1&=x", "%61+b|a b|%31 %zz|%zz|1 ||x")
	for p := range message.Parameters("a&b") {
		if p.Name != "a" {
			t.Errorf("%q came after the end", p.Name)
		}
		break
	}
}

// TestSetParameter: ours is set, the others stay as they are written.
func TestSetParameter(t *testing.T) {
	f := func(query, set, removed string) {
		t.Helper()
		if got := message.SetParameter(query, "to", "a b"); got != set {
			t.Errorf("%q: set %q, want %q", query, got, set)
		}
		if got := message.RemoveParameter(query, "to"); got != removed {
			t.Errorf("%q: removed %q, want %q", query, got, removed)
		}
	}
	f("", "to=a+b", "")
	f("x=%20;y&%74o=1&to=2&z", "x=%20;y&to=a+b&z", "x=%20;y&z")
	f("to", "to=a+b", "")
	f("tom=1", "tom=1&to=a+b", "tom=1")
}
