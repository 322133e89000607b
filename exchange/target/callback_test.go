package target_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/exchange/target"
)

func TestCallbackAddressInTheBody(t *testing.T) {
	var calls sync.WaitGroup
	o, orphans := drive(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var q struct{ To string }
		if json.Unmarshal(body, &q) != nil || q.To != r.Header.Get("Callback-Url") {
			t.Errorf("the body is %q", body)
		}
		w.WriteHeader(http.StatusAccepted)
		calls.Go(func() {
			resp, err := http.Post(q.To, "text/plain", strings.NewReader("called"))
			if err == nil {
				resp.Body.Close()
			}
			http.DefaultClient.CloseIdleConnections()
		})
	}, func(c *target.Config) {
		c.Completion.Channel, c.Completion.CallbackPointer = target.ChannelCallback, "/to"
	}, `{}`)
	calls.Wait()
	if got := summary(o); got != "callback 200 called" || len(orphans) != 0 {
		t.Errorf("got %q, %d orphans", got, len(orphans))
	}
	o, _ = drive(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }, func(c *target.Config) {
		c.Completion.Channel, c.Completion.CallbackPointer = target.ChannelCallback, "/to"
	}, `no JSON`)
	if d := o.GetCompletion(); d.GetReason() != "timeout" || !strings.Contains(d.GetDetail(), "/to") {
		t.Errorf("got %q, %q", d.GetReason(), d.GetDetail())
	}
}

// TestCallbacksNobodyLooksAt: the request was answered at once, and called back
// before that; the callback is an orphan, not nothing.
func TestCallbacksNobodyLooksAt(t *testing.T) {
	o, orphans := drive(t, func(w http.ResponseWriter, r *http.Request) {
		resp, err := http.Post(r.Header.Get("Callback-Url"), "text/plain", strings.NewReader("called"))
		if err == nil {
			resp.Body.Close()
		}
		http.DefaultClient.CloseIdleConnections()
	}, func(c *target.Config) { c.Completion.Channel = target.ChannelCallback })
	if got := summary(o); got != "immediate 200" || len(orphans) != 1 || string(orphans[0].GetReceived().GetBody().GetContent()) != "called" {
		t.Errorf("got %q, orphans %v", got, orphans)
	}
}

// TestAddressesMayBeValidated: who asks whether it may call has its answer, and
// has not called.
func TestAddressesMayBeValidated(t *testing.T) {
	f := func(method, query string, headers []string, wantBody string, wantHeaders ...string) {
		t.Helper()
		var calls sync.WaitGroup
		o, orphans := drive(t, func(w http.ResponseWriter, r *http.Request) {
			to := r.Header.Get("Callback-Url")
			w.WriteHeader(http.StatusAccepted)
			calls.Go(func() {
				defer http.DefaultClient.CloseIdleConnections()
				for _, address := range []string{to, to + "x"} {
					q, _ := http.NewRequest(method, address+query, nil)
					for _, h := range headers {
						name, value, _ := strings.Cut(h, ": ")
						q.Header.Set(name, value)
					}
					resp, err := http.DefaultClient.Do(q)
					if err != nil {
						t.Error(err)
						return
					}
					body, _ := io.ReadAll(resp.Body)
					resp.Body.Close()
					if resp.StatusCode != http.StatusOK || string(body) != wantBody {
						t.Errorf("%s %s: got %d %q, want %q", method, query, resp.StatusCode, body, wantBody)
					}
					for _, h := range wantHeaders {
						if name, value, _ := strings.Cut(h, ": "); resp.Header.Get(name) != value {
							t.Errorf("%s %s: %s is %q", method, query, h, resp.Header.Get(name))
						}
					}
				}
				resp, err := http.Post(to, "text/plain", strings.NewReader("called"))
				if err == nil {
					resp.Body.Close()
				}
			})
		}, func(c *target.Config) { c.Completion.Channel = target.ChannelCallback })
		calls.Wait()
		if got := summary(o); got != "callback 200 called" || len(orphans) != 0 {
			t.Errorf("%s %s: got %q, %d orphans", method, query, got, len(orphans))
		}
	}
	f("OPTIONS", "", []string{"WebHook-Request-Origin: mail.example", "WebHook-Request-Rate: 120"}, "", "WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: *", "Allow: OPTIONS, POST, PUT, PATCH")
	f("OPTIONS", "", []string{"WebHook-Request-Origin: mail.example"}, "", "WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: ")
	f("OPTIONS", "", nil, "", "WebHook-Allowed-Origin: ")
	f("HEAD", "", nil, "")
	f("GET", "?hub.mode=subscribe&hub.challenge=a%3Cb", nil, "a<b", "X-Content-Type-Options: nosniff", "Content-Type: text/plain; charset=utf-8")
	f("POST", "?validationToken=a%20b", nil, "a b")
}

// TestLaterCompletionsAreKeptWithinBounds: no more of them than one body may
// have, and what repeats the first takes no room.
func TestLaterCompletionsAreKeptWithinBounds(t *testing.T) {
	var calls sync.WaitGroup
	o, _ := drive(t, func(w http.ResponseWriter, r *http.Request) {
		to := r.Header.Get("Callback-Url")
		w.WriteHeader(http.StatusAccepted)
		calls.Go(func() {
			defer http.DefaultClient.CloseIdleConnections()
			for _, body := range strings.Fields("aaa aaa bbb aaa ccc ddd e f g h i j") {
				if resp, err := http.Post(to, "text/plain", strings.NewReader(body)); err == nil {
					resp.Body.Close()
				}
			}
		})
	}, func(c *target.Config) {
		linger := time.Second
		c.CaptureLimit, c.Completion.Channel, c.Completion.Linger = 4, target.ChannelCallback, &linger
	})
	calls.Wait()
	if got, want := summary(o), "callback 200 aaa seen 12 again again bbb again again c again  again  again  again "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if b := o.GetCompletion().GetLater()[3].GetPayload().GetBody(); !b.GetTruncated() || b.GetLength() != 3 || len(b.GetSha256()) != 32 {
		t.Errorf("what was cut is %v", b)
	}
}
