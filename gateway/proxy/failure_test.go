package proxy_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/gateway/proxy"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// layer is a middleware's writer around another one.
type layer struct{ http.ResponseWriter }

func (l layer) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// told is the writer of a recorder.
type told struct {
	layer
	errors *[]string
}

func (w told) TransportError(e *understudyv1.TransportError) {
	*w.errors = append(*w.errors, understudyv1.Label(e.GetKind())+": "+e.GetMessage())
}

// TestRecorderIsToldWhatFailed through the writers of other middleware, once,
// and in the words that it uses itself.
func TestRecorderIsToldWhatFailed(t *testing.T) {
	f := func(answer, target, want string) {
		t.Helper()
		c := proxy.DefaultConfig()
		c.URL = "http://" + rawUpstream(t, func(c net.Conn, r *bufio.Reader) { head(r); _, _ = io.WriteString(c, answer) })
		up, err := proxy.NewUpstream(c, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.RequestURI = target
		up.ServeHTTP(layer{told{layer{httptest.NewRecorder()}, &got}}, request)
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%q: told %q, want %q", answer, s, want)
		}
	}
	f("HTTP/1.1 204 No Content\r\n\r\n", "/", "")
	f("", "/", "reset: the upstream broke the connection")
	f("nonsense\r\n\r\n", "/", "protocol: the upstream's answer is not valid HTTP")
	f("", "/a b", "refused: the request target cannot be forwarded")
}
