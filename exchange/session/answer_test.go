package session_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"understudy.dev/exchange/session"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestALoginBelongsToWhatFollows: of a request that is known by its address only
// the session is that of the next one, which sends what the answer gave.
func TestALoginBelongsToWhatFollows(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := session.New([]string{"header:X-Session-Id", "cookie:sid", "header:Authorization", "query:s", "ip"}, key)
	if err != nil {
		t.Fatal(err)
	}
	source := func(lines string) session.Source {
		h := http.Header{}
		for line := range strings.SplitSeq(lines, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				h.Add(name, value)
			}
		}
		return session.Source{Header: h.Values, Target: "/", Client: "1.2.3.4:5"}
	}
	f := func(request, answer, body, next string) {
		t.Helper()
		a := &understudyv1.Response{Body: &understudyv1.Body{Content: []byte(body)}}
		for line := range strings.SplitSeq(answer, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			a.Headers = append(a.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
		}
		login := source(request)
		login.Answer = a
		if got, want := e.Session(login), e.Session(source(next)); got != want {
			t.Errorf("%q, answered with %q %q, is not of the session of %q", request, answer, body, next)
		}
	}
	const json = "Content-Type: application/json; charset=utf-8"
	f("", "Set-Cookie: lang=de\nSet-Cookie: sid=\"c\"; Path=/; HttpOnly", "", "Cookie: lang=de; sid=c")
	f("", "x-session-id: 7", "", "X-Session-Id: 7")
	f("", json, `{"user":{"id":7},"access_token":"abc","token_type":"Bearer"}`, "Authorization: Bearer abc")
	f("", json, `{"data":{"accessToken":"abc"}}`, "Authorization: Bearer abc")
	f("", json, `{"token":{"value":"abc"},"jwt":"a.b.c"}`, "Authorization: Bearer a.b.c")
	f("", json+"\nSet-Cookie: sid=c", `{"token":"abc"}`, "Cookie: sid=c\nAuthorization: Bearer abc")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(`{"token":"abc"}`))
	_ = w.Close()
	f("", json+"\nContent-Encoding: gzip", packed.String(), "Authorization: Bearer abc")
	// Who is known stays who he is: clients that keep no cookies get new ones all
	// the time.
	f("Authorization: Bearer abc", "Set-Cookie: sid=c", "", "Authorization: Bearer abc")
	f("Cookie: sid=a", "Set-Cookie: sid=b", "", "Cookie: sid=a")
	// Nothing that would be sent again.
	f("", "Set-Cookie: sid=; Max-Age=0", "", "")
	f("", "Set-Cookie: sid=c; Max-Age=0", "", "")
	f("", "Set-Cookie: sid=deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "", "")
	f("", "Set-Cookie: xsid=c", "", "")
	f("", json, `{"message":"token","next":["token","abc"]}`, "")
	f("", json, `{"a":{"b":{"token":"abc"}}}`, "")
	f("", json, `{"token":"two words"}`, "")
	f("", json, `{"token":"abc"`[:9], "")
	f("", "Content-Type: text/plain", `{"token":"abc"}`, "")
	f("", json, `{"pad":"`+strings.Repeat("x", 70_000)+`","token":"abc"}`, "")
}
