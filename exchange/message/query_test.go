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
