package target_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target"
)

// TestAFilterThatFails ends the request as an error with its reason.
func TestAFilterThatFails(t *testing.T) {
	f := func(change func(*target.Config), ack, want string) {
		t.Helper()
		o, _ := drive(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				say(202, ack, "Location: /op")(w)
				return
			}
			say(200, `{"steps":"?"}`)(w)
		}, change)
		if got := summary(o); got != "error UNREADABLE" || !strings.Contains(o.GetError().GetMessage(), want) || o.GetAck() != nil || o.GetCompletion() != nil {
			t.Errorf("got %q, %v", got, o)
		}
	}
	f(func(c *target.Config) { c.Completion.Done = operation.Condition{JQ: ".steps | keys"} }, "", `jq ".steps | keys" fails: `)
	f(func(c *target.Config) { c.Completion.Monitor.JQ = ".id | keys" }, `{"id":1}`, `jq ".id | keys" fails: `)
	f(func(c *target.Config) { c.Completion.Result, c.Completion.Encoding = "/steps", "base64" }, "", "the result is not base64")
}

// TestCredentialsStayAtHome: another host that may be asked gets none.
func TestCredentialsStayAtHome(t *testing.T) {
	var leaked atomic.Value
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Own") != "" || r.Header.Get("X-Api-Key") != "" || r.Header.Get("Understudy-Run") != "r" {
			leaked.Store(fmt.Sprint(r.Header))
		}
		say(200, "there")(w)
	}))
	defer other.Close()
	where, _ := url.Parse(other.URL)
	o, _ := drive(t, accept("Location: "+other.URL+"/op", nil), func(c *target.Config) {
		c.Locations, c.Headers = []string{where.Host}, map[string]string{"X-Own": "secret"}
	})
	if got := summary(o); got != "poll 200 there" || leaked.Load() != nil {
		t.Errorf("got %q, sent %v", got, leaked.Load())
	}
}

// TestAReadIsNoCallback: GET, and a method that was not named, are refused.
func TestAReadIsNoCallback(t *testing.T) {
	var calls sync.WaitGroup
	f := func(method, query, body, wantAnswer, want string) {
		t.Helper()
		o, orphans := drive(t, func(w http.ResponseWriter, r *http.Request) {
			to := r.Header.Get("Callback-Url")
			w.WriteHeader(http.StatusAccepted)
			calls.Go(func() {
				defer http.DefaultClient.CloseIdleConnections()
				q, _ := http.NewRequest(method, to+query, strings.NewReader(body))
				resp, err := http.DefaultClient.Do(q)
				if err != nil {
					return
				}
				answer, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if got := strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", string(answer))); got != wantAnswer {
					t.Errorf("%s %s: answered %q, want %q", method, query, got, wantAnswer)
				}
			})
		}, func(c *target.Config) { c.Completion.Channel = target.ChannelCallback })
		calls.Wait()
		if got := summary(o); got != want || len(orphans) != 0 {
			t.Errorf("%s %s: got %q and %d orphans, want %q", method, query, got, len(orphans), want)
		}
	}
	f("GET", "", "", "405 callbacks come by POST, PUT, PATCH", "none timeout")
	f("DELETE", "", "", "405 callbacks come by POST, PUT, PATCH", "none timeout")
	f("GET", "?challenge=c%3C1", "", "200 c<1", "none timeout")
	f("POST", "", `{"type":"url_verification","challenge":"c2"}`, "200 c2", "none timeout")
	f("POST", "", `{"challenge":"c2"}`, "204", `callback 200 {"challenge":"c2"}`)
	f("PUT", "", "x", "204", "callback 200 x")
}

// TestOrphansAreBounded: of what comes beyond the bound the length and the hash
// are kept.
func TestOrphansAreBounded(t *testing.T) {
	var calls sync.WaitGroup
	_, orphans := drive(t, func(w http.ResponseWriter, r *http.Request) {
		to := r.Header.Get("Callback-Url")
		w.WriteHeader(http.StatusAccepted)
		calls.Go(func() {
			defer http.DefaultClient.CloseIdleConnections()
			for _, at := range []string{to + "x", to + "x", to + "x", to} {
				if resp, err := http.Post(at, "text/plain", strings.NewReader(strings.Repeat("x", 40<<20))); err == nil {
					resp.Body.Close()
				}
			}
		})
	}, func(c *target.Config) {
		c.Completion.Channel, c.CaptureLimit, c.Completion.Timeout = target.ChannelCallback, 48<<20, 30*time.Second
	})
	calls.Wait()
	kept := 0
	for _, o := range orphans {
		b := o.GetReceived().GetBody()
		if kept += len(b.GetContent()); b.GetLength() != 40<<20 || len(b.GetSha256()) != 32 || b.GetTruncated() != (len(b.GetContent()) == 0) {
			t.Errorf("kept %d of %d, truncated %v", len(b.GetContent()), b.GetLength(), b.GetTruncated())
		}
	}
	if len(orphans) != 3 || kept != 40<<20 {
		t.Errorf("%d orphans, %d bytes kept", len(orphans), kept)
	}
}

// TestAStreamThatBreaks is read on from where it broke.
func TestAStreamThatBreaks(t *testing.T) {
	var connections atomic.Int32
	stream := func(answers ...func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
		connections.Store(0)
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				say(202, "", "Location: /events")(w)
				return
			}
			answers[min(int(connections.Add(1)), len(answers))-1](w, r)
		}
	}
	events := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			say(200, strings.ReplaceAll(text, "LAST", r.Header.Get("Last-Event-Id")), "Content-Type: text/event-stream; charset=utf-8")(w)
		}
	}
	other := func(status int, headers ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { say(status, "", headers...)(w) }
	}
	f := func(h http.HandlerFunc, want string) {
		t.Helper()
		o, _ := drive(t, h, func(c *target.Config) { c.Completion.Channel = target.ChannelStream })
		if got := summary(o); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(stream(events("id: 7\ndata: {\"status\":\"running\"}\n\n"), other(503), events("data: {\"after\":\"LAST\"}\n\n")), `sse 200 {"after":"7"}`)
	f(stream(events("data: a\n\ndata: b\n\n")), "sse 200 a seen 2 again b")
	f(stream(events("data: {\"state\":\"failed\"}\n\n")), `sse 200 {"state":"failed"} failed`)
	f(stream(events(""), other(204)), "none stream_ended")
	f(stream(other(403)), "none stream_failed")
	f(stream(other(200)), "none stream_failed")
	f(stream(events("data: {\"status\":\"running\"}\n\n")), "none timeout")
	// The acknowledgement may be the stream.
	inside := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { events(text)(w, r) }
	}
	g := func(text, want string) {
		t.Helper()
		o, _ := drive(t, inside(text), func(c *target.Config) {
			c.Completion.Channel, c.Completion.Accepted = target.ChannelStream, []uint32{200}
			c.Completion.Stream = target.Stream{Progress: []string{"delta"}, Done: []string{"end"}, Failed: []string{"error"}}
		})
		if got := summary(o); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	g("event: delta\ndata: 1\n\ndata: other\n\nevent: end\ndata: 2\n\n", "sse 200 2")
	g("event: error\ndata: 2\n\n", "sse 200 2 failed")
	g("event: delta\ndata: 1\n\n", "none stream_ended")
}

// TestProgressIsSaid where nothing else comes.
func TestProgressIsSaid(t *testing.T) {
	var calls sync.WaitGroup
	o, _ := drive(t, func(w http.ResponseWriter, r *http.Request) {
		to := r.Header.Get("Callback-Url")
		w.WriteHeader(http.StatusAccepted)
		calls.Go(func() {
			defer http.DefaultClient.CloseIdleConnections()
			if resp, err := http.Post(to, "application/json", strings.NewReader(`{"status":"running"}`)); err == nil {
				resp.Body.Close()
			}
		})
	}, func(c *target.Config) { c.Completion.Channel = target.ChannelCallback })
	calls.Wait()
	if d := o.GetCompletion(); summary(o) != "none timeout" || d.GetDetail() != "1 came that say it goes on" {
		t.Errorf("%s, %q", summary(o), d.GetDetail())
	}
}

// TestInheritance: a route with a preset has a protocol of its own, and takes
// over the rest.
func TestInheritance(t *testing.T) {
	for preset, want := range map[string]string{"": "none timeout", "rfc7240": `poll 200 {"state":"busy"}`} {
		o, _ := drive(t, accept("Location: /op", say(200, `{"state":"busy"}`)), func(c *target.Config) {
			c.Completion.Pending = operation.Condition{Pointer: "/state", Values: []string{"busy"}}
			c.Routes = []target.Route{{Route: "POST /orders/{id}", Completion: target.Completion{Preset: preset}}}
		})
		if got := summary(o); got != want {
			t.Errorf("preset %q: got %q, want %q", preset, got, want)
		}
	}
}

// TestASignatureNeedsItsSecret from the environment, or the run does not begin.
func TestASignatureNeedsItsSecret(t *testing.T) {
	c := target.DefaultConfig()
	c.URL, c.Completion.Channel = "http://127.0.0.1:1", target.ChannelCallback
	c.Completion.Callback.Signature = target.Signature{Header: "X-Sig", SecretEnv: "UNDERSTUDY_TEST_NOT_SET"}
	if _, err := target.New(c, nil, nil, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "UNDERSTUDY_TEST_NOT_SET") {
		t.Errorf("got %v", err)
	}
}

// TestWhatRoutesWereTakenFor is counted, and doubts are beside it.
func TestWhatRoutesWereTakenFor(t *testing.T) {
	answers := []func(http.ResponseWriter){
		say(200, "x"), say(202, "x"), say(200, `{"status":"queued"}`), say(202, "", "Location: /op"), say(202, "x"), say(404, "x"),
	}
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			answers[int(n.Add(1))-1](w)
		}
	}))
	defer server.Close()
	client, stop := newClient(t, server.URL, nil)
	defer stop()
	for range answers {
		observe(t, client, post(client), "")
	}
	got := client.Took()
	if len(got) != 1 || fmt.Sprint(got[0].GetRoute(), got[0].GetTaken(), got[0].GetDoubts()) != "POST /orders/{id}map[final:5 poll:1] map[accepted:2 status_word:1]" {
		t.Errorf("got %v", got)
	}
}

// TestSignaturesAreThoseOfTheRoute, and what nobody waits for must have one too.
func TestSignaturesAreThoseOfTheRoute(t *testing.T) {
	t.Setenv("UNDERSTUDY_TEST_SECRET", "s")
	mac := hmac.New(sha512.New, []byte("s"))
	mac.Write([]byte("x"))
	right := "v1=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	f := func(route, suffix, signature string, want int) {
		t.Helper()
		var calls sync.WaitGroup
		var got atomic.Int32
		_, _ = drive(t, func(w http.ResponseWriter, r *http.Request) {
			to := r.Header.Get("Callback-Url")
			w.WriteHeader(http.StatusAccepted)
			calls.Go(func() {
				defer http.DefaultClient.CloseIdleConnections()
				q, _ := http.NewRequest(http.MethodPost, to+suffix, strings.NewReader("x"))
				q.Header.Set("X-Sig", signature)
				if resp, err := http.DefaultClient.Do(q); err == nil {
					resp.Body.Close()
					got.Store(int32(resp.StatusCode))
				}
			})
		}, func(c *target.Config) {
			c.Completion.Channel = target.ChannelCallback
			c.Routes = []target.Route{{Route: route, Completion: target.Completion{Callback: target.Callback{Signature: target.Signature{
				Header: "X-Sig", SecretEnv: "UNDERSTUDY_TEST_SECRET", Algorithm: "sha512", Encoding: "base64", Prefix: "v1=",
			}}}}}
		})
		calls.Wait()
		if got.Load() != int32(want) {
			t.Errorf("%s, %s %q: answered %d, want %d", route, suffix, signature, got.Load(), want)
		}
	}
	const own, other = "POST /orders/{id}", "POST /elsewhere"
	f(own, "", right, 204)
	f(own, "", "v1=AAAA", 401)
	f(own, "", "", 401)
	f(other, "", "", 204)
	f(other, "x", "", 401)
	f(other, "x", right, 410)
}
