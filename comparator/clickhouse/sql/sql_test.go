package sql

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestThePasswordIsOnlyInAHeader(t *testing.T) {
	f := func(c Client, wantUser string) {
		t.Helper()
		c.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if strings.Contains(r.URL.String()+string(body), "verysecret") || r.Header.Get("Authorization") != "" {
				t.Errorf("the password is in %s or %s", r.URL, body)
			}
			got := []string{r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key"), r.URL.Query().Get("database"), string(body)}
			if diff := cmp.Diff([]string{wantUser, c.Password, c.Database, "SELECT 1"}, got); diff != "" {
				t.Error(diff)
			}
			http.Error(w, "Code: 516. DB::Exception: who?. (AUTHENTICATION_FAILED) (version 26.7.3.1 (official build))", http.StatusForbidden)
		})
		err := c.Query(t.Context(), "SELECT 1", io.Discard)
		want := &Error{Code: 516, Message: "who?. (AUTHENTICATION_FAILED)"}
		var got *Error
		if !errors.As(err, &got) || !cmp.Equal(want, got) || strings.Contains(err.Error(), "verysecret") {
			t.Errorf("got %v", err)
		}
	}
	f(Client{User: "someone", Password: "verysecret", Database: "d"}, "someone")
	f(Client{Password: "verysecret"}, "default")
	f(Client{}, "")
}

func TestAnAddressWithAPasswordIsRefused(t *testing.T) {
	f := func(address string) {
		t.Helper()
		err := Client{URL: address}.Query(t.Context(), "SELECT 1", io.Discard)
		if err == nil || strings.Contains(err.Error(), "verysecret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	f("http://someone:verysecret@127.0.0.1:1")
	f("http://someone:verysecret@127.0.0.1:port")
	f("127.0.0.1:1")
	f("")
}

// TestARedirectIsNotFollowed: the password would go to another place.
func TestARedirectIsNotFollowed(t *testing.T) {
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	c := Client{Password: "verysecret", URL: serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other, http.StatusTemporaryRedirect)
	})}
	var e *Error
	if err := c.Query(t.Context(), "SELECT 1", io.Discard); !errors.As(err, &e) || !strings.Contains(e.Message, "307") {
		t.Errorf("got %v", err)
	}
}

func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	err := Client{URL: s.URL, Password: "verysecret"}.Query(t.Context(), "SELECT 1", io.Discard)
	if !errors.Is(err, ErrUnreachable) || strings.Count(err.Error(), s.URL) != 1 || strings.Contains(err.Error(), "verysecret") {
		t.Errorf("got %v", err)
	}
	if err := (Client{URL: s.URL}).Query(t.Context(), " \n", io.Discard); err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("an empty query: %v", err)
	}
}

// TestTheAnswerStreams: what the server has written arrives before the answer
// ends, and the caller's context ends a query that goes on.
func TestTheAnswerStreams(t *testing.T) {
	ended := make(chan struct{})
	c := Client{Format: "TSV", URL: serve(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		if got := r.URL.Query().Get("default_format"); got != "TSV" {
			t.Errorf("format %q", got)
		}
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})}
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	err := c.Query(ctx, "SELECT 1", writer(func(p []byte) (int, error) {
		cancel()
		return out.Write(p)
	}))
	if !errors.Is(err, context.Canceled) || out.String() != "first\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	<-ended
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestAnErrorInTheMiddleOfAnAnswer(t *testing.T) {
	f := func(tag, answer string, want error) {
		t.Helper()
		c := Client{URL: serve(t, func(w http.ResponseWriter, r *http.Request) {
			if tag != "" {
				w.Header().Set("X-ClickHouse-Exception-Tag", tag)
			}
			_, _ = io.WriteString(w, answer)
		})}
		err := c.Query(t.Context(), "SELECT 1", io.Discard)
		if want == nil && err != nil {
			t.Errorf("%q: %v", answer, err)
		}
		var got *Error
		if want != nil && (!errors.As(err, &got) || !cmp.Equal(want, error(got))) {
			t.Errorf("%q: got %v, want %v", answer, err, want)
		}
	}
	late := "1\n__exception__\r\nabc\r\nCode: 395. DB::Exception: thrown. (X) (version 26.7)\r\n51 abc\r\n__exception__\r\n"
	f("abc", late, &Error{Code: 395, Message: "thrown. (X)"})
	f("abc", strings.Repeat("x", 3*maxError)+late, &Error{Code: 395, Message: "thrown. (X)"})
	f("other", late, nil) // data that look like it
	f("", late, nil)
	f("abc", "1\n", nil)
}
