package message_test

import (
	"testing"

	"understudy.dev/exchange/message"
)

func TestOriginForm(t *testing.T) {
	f := func(target, want string, ok bool) {
		t.Helper()
		if got, known := message.OriginForm(target); got != want || known != ok {
			t.Errorf("%q: got %q, %t; want %q, %t", target, got, known, want, ok)
		}
	}
	f("/", "/", true)
	f("//a/b?c=http://d/", "//a/b?c=http://d/", true)
	f("http://h", "/", true)
	f("http://h:1?a=/", "/?a=/", true)
	f("https://u@h/%2f?a", "/%2f?a", true)
	f("http://h#f/x", "/#f/x", true)
	f("*", "*", false)
	f("h:443", "h:443", false)
	f("a?b=http://h/x", "a?b=http://h/x", false)
	f("://h/x", "://h/x", false)
	f("", "", false)
}

func TestDefaultPort(t *testing.T) {
	for scheme, want := range map[string]string{"http": "80", "https": "443", "ws": "", "": ""} {
		if got := message.DefaultPort(scheme); got != want {
			t.Errorf("%q: got %q", scheme, got)
		}
	}
}
