package replayer_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/token"
	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestNamesAreLearnedThroughRedaction: who is called 11 in the recording is found
// in the candidate's list by an address that was redacted in the recording.
func TestNamesAreLearnedThroughRedaction(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r := redact.New(redact.Config{}, key)
	f := func(redactor *redact.Redactor, want string) {
		t.Helper()
		list := []*understudyv1.Exchange{
			call("list", "s", 0, "GET /customers", ``, `[{"id":1011,"email":"ann@shop.example"},{"id":1012,"email":"bob@shop.example"}]`),
			call("one", "s", 50, "GET /customers/1011", ``, `{"id":1011}`),
		}
		for _, e := range list {
			r.Exchange(e)
		}
		var mu sync.Mutex
		got := ""
		run, err := replay(t.Context(), t, &source{list: list}, &sink{}, func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if q.URL.Path == "/customers" {
				_, _ = io.WriteString(w, `[{"id":"c-2b2","email":"bob@shop.example"},{"id":"c-1a1","email":"ann@shop.example"}]`)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got = q.URL.Path
		}, func(c *replayer.Config) { c.Redactor = redactor })
		if err != nil || got != want {
			t.Errorf("%v, skipped %v: got %q, want %q", err, run.GetSkipped(), got, want)
		}
	}
	f(r, "/customers/c-1a1")
	f(nil, "") // nobody knows which of the two it is
}

// TestATokenInACursorIsNotSent: redaction has put one into a cursor in base64; the
// candidate's own takes its place where it has given one, and nothing does else.
func TestATokenInACursorIsNotSent(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r := redact.New(redact.Config{}, key)
	cursor := base64.RawURLEncoding.EncodeToString([]byte(`{"after":7,"token":"of-the-baseline"}`))
	e := call("page", "s", 0, "GET /orders?cursor="+cursor, ``, `[]`)
	if r.Exchange(e); strings.Contains(string(e.Request.Target), cursor) || !redact.HidesToken(string(e.Request.Target)) {
		t.Fatalf("%s is not redacted", e.Request.Target)
	}
	run, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{e}}, &sink{}, func(_ http.ResponseWriter, q *http.Request) {
		t.Errorf("%s was sent", q.RequestURI)
	}, func(c *replayer.Config) { c.Redactor = r })
	if err != nil || run.GetSkipped()["unresolved"] != 1 {
		t.Errorf("%v, skipped %v", err, run.GetSkipped())
	}
}
