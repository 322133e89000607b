package session_test

import (
	"net/http"
	"strings"
	"testing"

	"understudy.dev/exchange/session"
	"understudy.dev/exchange/token"
)

func TestFirstRuleThatFindsAValueDecides(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := session.New([]string{"header:x-user", "cookie:sid", "query:s", "query:a+b", "ip"}, key)
	if err != nil {
		t.Fatal(err)
	}
	f := func(target, client, want string, headers ...string) {
		t.Helper()
		h := http.Header{}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			h.Add(name, value)
		}
		if want != "" {
			want = key.Token("s", want)
		}
		got := e.Session(session.Source{Header: h.Values, Target: target, Client: client})
		if got != want {
			t.Errorf("%s %s %v: got %q", target, client, headers, got)
		}
	}
	f("/?s=q", "1.2.3.4:5", "header:X-User=u", "X-User: u", "Cookie: sid=c")
	f("/?s=q", "1.2.3.4:5", "cookie:sid=c", "Cookie: xsid=1; sid=\"c\"")
	f("/?s=q", "1.2.3.4:5", "cookie:sid=c", "Cookie: a=1", "Cookie: sid=c")
	f("/?xs=1;s=q&s=r", "1.2.3.4:5", "query:s=q", "Cookie: sid=")
	f("/?%73=q", "1.2.3.4:5", "query:s=q")
	f("/?a+b=q", "1.2.3.4:5", "query:a+b=q") // a rule may spell a name as it is on the wire
	f("/", "1.2.3.4:5", "ip:=9.9.9.9", "X-Forwarded-For: 9.9.9.9, 8.8.8.8")
	f("/", "1.2.3.4:5", "ip:=9.9.9.9", "X-Forwarded-For: ,", "X-Forwarded-For: ,9.9.9.9")
	f("/", "[::1]:5", "ip:=::1")
	f("/", "host.example", "ip:=host.example")
	f("/", "", "")
}

func TestRulesAreChecked(t *testing.T) {
	for _, bad := range []string{"header", "header:", "ip:x", "form:a", ""} {
		if _, err := session.New([]string{bad}, nil); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
