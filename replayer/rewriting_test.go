package replayer_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"understudy.dev/replayer"
	"understudy.dev/replayer/rewrite"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestRequestsAreRewritten after names are replaced; one on which a rule fails is an
// error of this replay, and the run goes on.
func TestRequestsAreRewritten(t *testing.T) {
	src := &source{}
	order := func(i int, method, target, body, answer string) {
		src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) {
			e.Session, e.Route = "s", method+" /orders"
			e.Request.Method, e.Request.Target = method, []byte(target)
			e.Request.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}
			if body != "" {
				e.Request.Body = &understudyv1.Body{Content: []byte(body), Length: int64(len(body)), DeclaredLength: int64(len(body))}
			}
			e.Response.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}
			e.Response.Body = &understudyv1.Body{Content: []byte(answer), Length: int64(len(answer)), DeclaredLength: int64(len(answer))}
		}))
	}
	order(0, "POST", "/v1/orders", `{"mail":"user@shop.example"}`, `{"order_id":"base-0001-order"}`)
	order(1, "PUT", "/v1/orders/base-0001-order?x=1", `{"order_id":"base-0001-order"}`, `{}`)
	order(2, "POST", "/v1/orders", `not JSON, hush`, `{}`)
	order(3, "GET", "/v1/orders", ``, `{}`)
	var mu sync.Mutex
	var got []string
	out := &sink{}
	run, err := replay(t.Context(), t, src, out, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, r.Method+" "+r.Host+" "+r.RequestURI+" "+r.Header.Get("X-Env")+" "+string(body))
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"order_id":"cand-0007-order"}`)
	}, func(c *replayer.Config) {
		c.Candidate += "/api"
		c.Order = replayer.OrderCompleted
		c.Rewrite = []rewrite.Rule{
			{Host: "shop.test", Path: rewrite.Replacement{Match: "^/v1/", To: "/v2/"}, Headers: rewrite.Fields{Set: map[string]rewrite.Secret{"X-Env": "hush"}}},
			{Route: "P* /orders", Body: `.mail = "nobody"`},
		}
	})
	want := []string{
		`POST shop.test /api/v2/orders hush {"mail":"nobody"}`,
		`PUT shop.test /api/v2/orders/cand-0007-order?x=1 hush {"mail":"nobody","order_id":"cand-0007-order"}`,
		`GET shop.test /api/v2/orders hush `,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if err != nil || run.State != understudyv1.Run_STATE_COMPLETED || run.Replayed != 4 || run.Errors["rewrite"] != 1 || len(run.Errors) != 1 {
		t.Errorf("%v, %v", err, run)
	}
	for _, r := range out.replays {
		failed := r.Ordinal == 3
		if (r.Candidate.GetError().GetKind() == understudyv1.TransportError_KIND_REWRITE) != failed || failed != (r.SentUnixNano == 0) || r.CandidateAuthority != "shop.test" && !failed {
			t.Errorf("%d: %v", r.Ordinal, r.Candidate)
		}
		if text := r.Candidate.GetError().GetMessage(); failed && (!strings.Contains(text, "rewrite[1]: the body is not JSON") || strings.Contains(text, "hush")) {
			t.Errorf("%q", text)
		}
		if n := len(r.Rewrites); n != map[uint64]int{1: 4, 2: 4, 3: 3, 4: 3}[r.Ordinal] {
			t.Errorf("%d: %v", r.Ordinal, r.Rewrites)
		}
	}
}

// TestARuleThatFailsOnEverything is not the candidate's fault, and the run fails.
func TestARuleThatFailsOnEverything(t *testing.T) {
	src := &source{}
	for i := range 150 {
		src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) {
			e.Request.Method, e.Request.Body = "POST", &understudyv1.Body{Content: []byte("x"), Length: 1}
		}))
	}
	run, err := replay(t.Context(), t, src, &sink{}, ok, func(c *replayer.Config) { c.Rewrite = []rewrite.Rule{{Body: ".x = 1"}} })
	if err == nil || !strings.Contains(err.Error(), "a rule of rewrite failed on each of 150") || run.State != understudyv1.Run_STATE_FAILED || run.Errors["rewrite"] != 150 {
		t.Errorf("%v, %v", err, run)
	}
}
