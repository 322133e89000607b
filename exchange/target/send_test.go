package target_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func newClient(t *testing.T, address string, change func(*target.Config)) (*target.Client, func()) {
	t.Helper()
	c := target.DefaultConfig()
	linger := time.Duration(0)
	c.URL, c.Run, c.Completion.Linger, c.Completion.PollInterval = address, "r", &linger, time.Millisecond
	if change != nil {
		change(&c)
	}
	client, err := target.New(c, func(*understudyv1.Orphan) {}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	stop, err := client.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return client, stop
}

func post(c *target.Client) *http.Request {
	u := c.Base()
	u.Opaque = "/orders/1"
	return &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: http.Header{}}
}

func observe(t *testing.T, c *target.Client, q *http.Request, body string) *understudyv1.Observation {
	t.Helper()
	o, ok := c.Do(t.Context(), target.Request{
		HTTP: q, Body: []byte(body), Route: "POST /orders/{id}", Scheduled: time.Now(),
		Sent: func(time.Time) {}, Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) {},
	})
	if !ok {
		t.Fatal("interrupted")
	}
	return o
}

// TestNothingIsSentTwice: the candidate closes a connection that was used
// before, in the middle of a request. What net/http would send again because it
// is safe, or because of its idempotency key, must not be: the candidate may have
// acted on it, and has failed in any case.
func TestNothingIsSentTwice(t *testing.T) {
	f := func(engine, method, body string) {
		t.Helper()
		var requests atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			if requests.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
			if r.Header.Get("Idempotency-Key") != "i" {
				t.Errorf("the key is missing: %v", r.Header)
			}
		}))
		defer server.Close()
		client, stop := newClient(t, server.URL, func(c *target.Config) { c.Engine = engine })
		defer stop()
		got := ""
		for range 2 {
			q := post(client)
			q.Method = method
			q.Header.Set("Idempotency-Key", "i")
			got = summary(observe(t, client, q, body))
			time.Sleep(30 * time.Millisecond) // so that the connection is used again
		}
		if n := requests.Load(); got != "error RESET" || n != 2 {
			t.Errorf("%s, %s %q: got %q and %d requests", engine, method, body, got, n)
		}
	}
	for _, engine := range []string{"wire", "net/http"} {
		f(engine, "POST", "")
		f(engine, "POST", "x")
		f(engine, "DELETE", "")
		f(engine, "GET", "")
		f(engine, "GET", "x")
		f(engine, "HEAD", "")
	}
}

func TestH2C(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	client, stop := newClient(t, server.URL, func(c *target.Config) { c.H2C = true })
	defer stop()
	if o := observe(t, client, post(client), "x"); string(o.GetAck().GetBody().GetContent()) != "HTTP/2.0" {
		t.Errorf("got %v", o)
	}
}

// TestFailuresRepeatNothing that the candidate said, and have the kinds that
// the gateway gives them.
func TestFailuresRepeatNothing(t *testing.T) {
	f := func(server *httptest.Server, want string) {
		t.Helper()
		defer server.Close()
		client, stop := newClient(t, server.URL, func(c *target.Config) { c.Timeout = 5 * time.Second })
		defer stop()
		o := observe(t, client, post(client), "x")
		if got := summary(o) + ": " + o.GetError().GetMessage(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	says := func(answer string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, answer)
		}))
	}
	const protocol = "error PROTOCOL: the answer is not HTTP, or more than is allowed"
	f(says("HTTP/1.1 secret\r\n\r\n"), protocol)
	f(says("HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n"), protocol)
	f(says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: secret\r\n\r\nsecret"), protocol)
	f(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsecret"), "error RESET: the connection broke before the answer was whole")
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	f(secure, "error CONNECT: no connection: the TLS handshake failed")
}

// TestEndlessBody: an answer that never ends is cut by the timeout.
func TestEndlessBody(t *testing.T) {
	o, _ := drive(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}, func(c *target.Config) { c.Timeout = 100 * time.Millisecond })
	if got := summary(o); got != "error TIMEOUT" {
		t.Errorf("got %q", got)
	}
}

// TestMistakesOfSending are told with their keys.
func TestMistakesOfSending(t *testing.T) {
	f := func(want string, change func(*target.Config)) {
		t.Helper()
		c := target.DefaultConfig()
		c.URL = "http://h"
		change(&c)
		if err := c.Validate(); want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want+":")) {
			t.Errorf("got %v, want one at %q", err, want)
		}
	}
	f("", func(*target.Config) {})
	f("engine", func(c *target.Config) { c.Engine = "fast" })
	f("connection", func(c *target.Config) { c.Connection = "own" })
	f("", func(c *target.Config) { c.Connection = target.ConnectionSession })
	f("connection", func(c *target.Config) { c.Connection, c.Engine = target.ConnectionSession, "net/http" })
	f("connection", func(c *target.Config) { c.Connection, c.H2C = target.ConnectionSession, true })
	f("tls.cert_file", func(c *target.Config) { c.TLS.CertFile = "x" })
}
