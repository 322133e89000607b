package replayer_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// with adds header fields to a request, or with "< " to its answer; a * marks
// one that was redacted.
func with(e *understudyv1.Exchange, fields ...string) *understudyv1.Exchange {
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		into, place := &e.Request.Headers, understudyv1.Redaction_PLACE_REQUEST_HEADER
		if answer, ok := strings.CutPrefix(name, "< "); ok {
			name, into, place = answer, &e.Response.Headers, understudyv1.Redaction_PLACE_RESPONSE_HEADER
		}
		if plain, ok := strings.CutPrefix(name, "*"); ok {
			name = plain
			e.Redactions = append(e.Redactions, &understudyv1.Redaction{Place: place, Name: name})
		}
		*into = append(*into, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return e
}

// TestTheCandidatesCredentialsAreSent where the recording sent the baseline's,
// also when the session has another key after the login.
func TestTheCandidatesCredentialsAreSent(t *testing.T) {
	// f replays a login, which the candidate answers with fields and a body, and
	// then the request; want is what of it stands in the field or in the body.
	f := func(login, next *understudyv1.Exchange, candidate string, field, want string) {
		t.Helper()
		var mu sync.Mutex
		var got []string
		run, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{login, next}}, &sink{}, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/login") {
				time.Sleep(10 * time.Millisecond) // longer than the user took
				lines := strings.Split(candidate, "\n")
				for _, line := range lines[:len(lines)-1] {
					name, value, _ := strings.Cut(line, ": ")
					w.Header().Add(name, value)
				}
				_, _ = io.WriteString(w, lines[len(lines)-1])
				return
			}
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			if got = r.Header[field]; field == "" {
				got = []string{string(body)}
			}
		}, func(c *replayer.Config) { c.Headers = map[string]string{"X-Own": "own"} })
		if err != nil || run.Replayed != 2 || strings.Join(got, ", ") != want {
			t.Errorf("%v, skipped %v: got %s %q, want %q", err, run.Skipped, field, got, want)
		}
	}
	login := func(answer string, fields ...string) *understudyv1.Exchange {
		e := with(call("login", "address", 0, "POST /a/login", `{"user":"ann"}`, answer), fields...)
		e.Response.Status = 200
		return e
	}
	next := func(sent string, fields ...string) *understudyv1.Exchange {
		return with(call("next", "token", 1, "POST /a/me", sent, `{}`), fields...)
	}
	cookie := func(set, want string) {
		t.Helper()
		f(login(`{}`, "< *Set-Cookie: sid=rdx_sid0000000000000000001; Path=/"), next(``, "*Cookie: sid=rdx_sid0000000000000000001"), "Set-Cookie: "+set+"\n{}", "Cookie", want)
	}
	cookie("sid=CAND; Path=/; HttpOnly; Secure", "sid=CAND")
	cookie(`sid="C A"; Path=/a`, `sid="C A"`)
	cookie("sid=CAND", "sid=CAND") // the path of the login, which is that of the next
	cookie("sid=CAND; Path=/a/m", "")
	cookie("sid=CAND; Path=/b", "")
	cookie("sid=CAND; Max-Age=0", "")
	cookie("sid=CAND; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "sid=CAND")
	cookie("sid=CAND; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "")
	cookie("sid=CAND; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "sid=CAND")
	cookie("sid=CAND; Domain=elsewhere.example", "")
	cookie("sid=CAND; Domain=127.0.0.1", "sid=CAND")
	cookie("other=CAND", "other=CAND") // as it calls it
	cookie("sid=ONE; Path=/\nSet-Cookie: sid=TWO; Path=/", "sid=TWO")
	set := "< *Set-Cookie: sid=rdx_sid0000000000000000001; Path=/"
	// Others stay as they are recorded, unless they are tokens of redaction.
	f(login(`{}`, "< Set-Cookie: sid=aG4x9Qz7Lk2Wp0Vt5RbY; Path=/"), next(``, "Cookie: theme=dark; sid=aG4x9Qz7Lk2Wp0Vt5RbY; lang=en"), "Set-Cookie: sid=C; Path=/\n{}", "Cookie", "theme=dark; sid=C; lang=en")
	f(login(`{}`, set), next(``, "*Cookie: theme=rdx_theme00000000000000002; sid=rdx_sid0000000000000000001"), "Set-Cookie: sid=C; Path=/\n{}", "Cookie", "sid=C")
	f(login(`{}`, set), next(``), "Set-Cookie: sid=C; Path=/\n{}", "Cookie", "") // the user sent none
	f(login(`{}`, set), next(``, "*Cookie: sid=rdx_sid0000000000000000009"), "Set-Cookie: sid=C; Path=/\n{}", "Cookie", "")

	// Tokens against forged requests.
	f(login(`{}`, "< *X-Csrf-Token: rdx_csrf000000000000000001"), next(``, "*X-Csrf-Token: rdx_csrf000000000000000001"), "X-Csrf-Token: candidates\n{}", "X-Csrf-Token", "candidates")
	f(login(`{}`, "< *Set-Cookie: XSRF-TOKEN=rdx_csrf000000000000000001; Path=/"), next(``, "*X-Xsrf-Token: rdx_csrf000000000000000001", "*Cookie: XSRF-TOKEN=rdx_csrf000000000000000001"),
		"Set-Cookie: XSRF-TOKEN=a%2Bb; Path=/\n{}", "X-Xsrf-Token", "a+b")
	f(login(`{}`, "< *Set-Cookie: XSRF-TOKEN=rdx_csrf000000000000000001; Path=/"), next(``, "*X-Xsrf-Token: rdx_csrf000000000000000002", "*Cookie: XSRF-TOKEN=rdx_csrf000000000000000001"),
		"Set-Cookie: XSRF-TOKEN=a%2Bb; Path=/\n{}", "X-Xsrf-Token", "a+b")
	f(login(`{"csrfToken":"b4Se1iN3c5Rf7T0k3Nx9"}`), next(``, "X-Csrf-Token: b4Se1iN3c5Rf7T0k3Nx9"), `{"csrfToken":"candidate"}`, "X-Csrf-Token", "candidate")
	f(login(`{"csrfToken":"b4Se1iN3c5Rf7T0k3Nx9"}`), next(`{"_csrf":"b4Se1iN3c5Rf7T0k3Nx9","n":"b4Se1iN3c5Rf7T0k3Nx9"}`), `{"csrfToken":"candidate"}`, "", `{"_csrf":"candidate","n":"b4Se1iN3c5Rf7T0k3Nx9"}`)
	f(login(`{}`, "< Set-Cookie: csrftoken=b4Se1iN3c5Rf7T0k3Nx9; Path=/"), next(`{"csrfmiddlewaretoken": "b4Se1iN3c5Rf7T0k3Nx9"}`), "Set-Cookie: csrftoken=candidate; Path=/\n{}", "", `{"csrfmiddlewaretoken": "candidate"}`)

	// Bearer tokens.
	f(login(`{"access_token":"b4Se1iN3b3aR3r70k3N1"}`), next(``, "Authorization: Bearer b4Se1iN3b3aR3r70k3N1"), `{"access_token":"candidate-1"}`, "Authorization", "Bearer candidate-1")
	f(login(`{"data":{"token":"b4Se1iN3b3aR3r70k3N1"}}`), next(``, "X-Auth-Token: b4Se1iN3b3aR3r70k3N1"), `{"data":{"token":"candidate-1"}}`, "X-Auth-Token", "candidate-1")
	f(login(`{"access_token":"b4Se1iN3b3aR3r70k3N1"}`), next(``, "Authorization: Bearer its-own-key"), `{"access_token":"candidate-1"}`, "Authorization", "Bearer its-own-key")
	same := func(e *understudyv1.Exchange) *understudyv1.Exchange { e.Session = "address"; return e }
	f(login(`{"access_token":"b","id_token":"c"}`), same(next(``, "*Authorization: Bearer rdx_sid0000000000000000001")), `{"access_token":"candidate-1","id_token":"d"}`, "Authorization", "") // which?
	f(login(`{"token":"b"}`), same(next(``, "*Authorization: Bearer rdx_sid0000000000000000001")), `{"token":"candidate-1"}`, "Authorization", "Bearer candidate-1")
	f(login(`{"token":"b","jwt":"c"}`), same(next(``, "*Authorization: Bearer rdx_sid0000000000000000001")), `{"token":"candidate-1","jwt":"d"}`, "Authorization", "") // which?
	f(login(`{"token":"b"}`), next(``, "*Authorization: Bearer rdx_sid0000000000000000001"), `{"token":"candidate-1"}`, "Authorization", "")                           // whose?
	f(login(`{"access_token":"b4Se1iN3b3aR3r70k3N1"}`), next(``, "Authorization: Bearer b4Se1iN3b3aR3r70k3N1"), `{}`, "Authorization", "")
	f(login(`{"access_token":"b4Se1iN3b3aR3r70k3N1"}`), next(``, "Authorization: Bearer b4Se1iN3b3aR3r70k3N1", "X-Own: x"), `{"access_token":"c"}`, "X-Own", "own")
}

// TestNoCredentialIsShown: neither in what was replaced nor in why a request was
// not sent.
func TestNoCredentialIsShown(t *testing.T) {
	const secret, other = "b4s3l1n3b4s3l1n3b4s3l1n3", "c4nd1d4t3c4nd1d4t3c4nd1d4"
	out := &sink{}
	src := &source{list: []*understudyv1.Exchange{
		call("login", "s", 0, "POST /login", `{}`, fmt.Sprintf(`{"refresh_token":%q,"token":%q}`, secret, secret+"2")),
		call("again", "s", 30, "POST /refresh", fmt.Sprintf(`{"refresh_token":%q}`, secret), fmt.Sprintf(`{"refresh_token":%q,"token":%q}`, secret, secret+"2")),
		call("lost", "s", 60, "POST /lost", ``, fmt.Sprintf(`{"refresh_token":%q}`, secret+"3")),
		call("after", "s", 90, "POST /refresh", fmt.Sprintf(`{"refresh_token":%q}`, secret+"3"), `{}`),
	}}
	run, err := replay(t.Context(), t, src, out, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lost" {
			panic(http.ErrAbortHandler)
		}
		_, _ = fmt.Fprintf(w, `{"refresh_token":%q,"token":%q}`, other, other+"2")
	}, nil)
	if err != nil || run.Skipped["unresolved"] != 1 {
		t.Errorf("%v, %v", err, run.Skipped)
	}
	for _, r := range out.replays {
		if text := fmt.Sprint(r.Substitutions, r.SkippedDetail); strings.Contains(text, secret) || strings.Contains(text, other) {
			t.Errorf("%s shows a credential: %s", r.Exchange.Id, text)
		}
	}
}

// TestRequestsWithTokensAreCounted: a login whose password was redacted is sent,
// and said; one with the candidate's own token in the place of a redacted one is
// as good as any.
func TestRequestsWithTokensAreCounted(t *testing.T) {
	const password, given = "rdx_0123456789012345678901", "rdx_1234567890123456789012"
	redacted := func(e *understudyv1.Exchange) *understudyv1.Exchange {
		e.Redactions = append(e.Redactions, &understudyv1.Redaction{Place: understudyv1.Redaction_PLACE_REQUEST_BODY, Name: "/x", Count: 1})
		return e
	}
	var mu sync.Mutex
	bodies := map[string]string{}
	src := &source{list: []*understudyv1.Exchange{
		redacted(call("login", "s", 0, "POST /login", fmt.Sprintf(`{"password":%q}`, password), fmt.Sprintf(`{"refresh_token":%q}`, given))),
		redacted(call("again", "s", 30, "POST /refresh", fmt.Sprintf(`{"refresh_token":%q}`, given), `{}`)),
		call("plain", "s", 60, "POST /plain", `{"a":1}`, `{}`),
	}}
	run, err := replay(t.Context(), t, src, &sink{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		bodies[r.URL.Path] = string(body)
		_, _ = io.WriteString(w, `{"refresh_token":"candidates-own-token"}`)
	}, nil)
	if err != nil || run.Replayed != 3 || run.Redacted != 1 {
		t.Errorf("%v, replayed %d, with tokens %d, skipped %v", err, run.GetReplayed(), run.GetRedacted(), run.GetSkipped())
	}
	if want := `{"refresh_token":"candidates-own-token"}`; bodies["/refresh"] != want || !strings.Contains(bodies["/login"], password) {
		t.Errorf("sent %v", bodies)
	}
}
