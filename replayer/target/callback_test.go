package target_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"understudy.dev/replayer/target"
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
