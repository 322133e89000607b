package replayer_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestSelection: each condition leaves out what it says, and all of them hold
// together.
func TestSelection(t *testing.T) {
	f := func(want string, unselected map[string]uint64, change func(*replayer.Config)) {
		t.Helper()
		src, out := &source{}, &sink{}
		for i, x := range []struct{ session, route, method, tenant string }{
			{"a", "GET /x/{id}", "GET", "one"}, {"a", "POST /x", "POST", "one"}, {"b", "GET /x/{id}", "GET", ""}, {"c", "GET /y", "GET", "two"},
		} {
			src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) {
				e.Session, e.Route, e.Request.Method = x.session, x.route, x.method
				if x.tenant != "" {
					e.Request.Headers = append(e.Request.Headers, &understudyv1.Header{Name: "x-tenant", Value: []byte(x.tenant)})
				}
			}))
		}
		run, err := replay(t.Context(), t, src, out, func(http.ResponseWriter, *http.Request) {}, change)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]string, len(out.replays))
		for _, r := range out.replays {
			got[r.GetOrdinal()-1] = r.GetExchange().GetId()
		}
		delete(run.Unselected, "recorder") // of the source
		if diff := cmp.Diff(want, strings.Join(got, " ")) + cmp.Diff(unselected, run.Unselected); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	f("e0 e2", map[string]uint64{"route": 2}, func(c *replayer.Config) { c.Select.Routes = []string{"* /x/*"} })
	f("e1", map[string]uint64{"method": 3}, func(c *replayer.Config) { c.Select.Methods = []string{"POST", "PUT"} })
	f("e0 e1 e3", map[string]uint64{"session": 1}, func(c *replayer.Config) { c.Select.Sessions = []string{"a", "c"} })
	f("e0 e1 e3", map[string]uint64{"header": 1}, func(c *replayer.Config) { c.Select.Headers = map[string]string{"X-Tenant": "*"} })
	f("e0", map[string]uint64{"header": 2, "method": 1}, func(c *replayer.Config) {
		c.Select.Headers, c.Select.Methods = map[string]string{"X-Tenant": "one"}, []string{"GET"}
	})
	f("e0 e1", map[string]uint64{"verdict": 2}, func(c *replayer.Config) {
		c.Chosen = &replayer.Chosen{Sessions: map[string]bool{"a": true}, Exchanges: map[string]bool{"e0": true}}
	})
	f("e2", map[string]uint64{"verdict": 3}, func(c *replayer.Config) { c.Chosen = &replayer.Chosen{Exchanges: map[string]bool{"e2": true}} })
}

// TestWhatIsNotSelectedIsNotGuessed: a request that needs what an exchange made
// which is not selected is not sent at the recorded name.
func TestWhatIsNotSelectedIsNotGuessed(t *testing.T) {
	answer := func(status uint32, body string) *understudyv1.Response {
		return &understudyv1.Response{Status: status, Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}, Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body))}}
	}
	src, out := &source{list: []*understudyv1.Exchange{
		exchange(0, func(e *understudyv1.Exchange) {
			e.Session, e.Request.Method, e.Request.Target, e.Response = "s", "POST", []byte("/orders"), answer(201, `{"order_id":1001}`)
		}),
		exchange(1, func(e *understudyv1.Exchange) {
			e.Session, e.Request.Target, e.Response = "s", []byte("/orders/1001"), answer(200, `{"order_id":1001}`)
		}),
	}}, &sink{}
	run, err := replay(t.Context(), t, src, out, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was asked for", r.URL) },
		func(c *replayer.Config) { c.Select.Methods = []string{"GET"} })
	if err != nil || run.Skipped["unresolved"] != 1 || run.Unselected["method"] != 1 {
		t.Errorf("%v: skipped %v, unselected %v", err, run.Skipped, run.Unselected)
	}
}
