package rewrite_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"understudy.dev/replayer/rewrite"
)

func TestRules(t *testing.T) {
	packed := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return b.String()
	}
	f := func(rules []rewrite.Rule, q rewrite.Request, want, told, fault string) {
		t.Helper()
		all, err := rewrite.New(rules)
		if err != nil {
			t.Fatal(err)
		}
		if q.Header == nil {
			q.Header = http.Header{}
		}
		done, err := all.Apply("POST /orders", &q)
		var places []string
		for _, x := range done {
			places = append(places, strings.TrimSpace(fmt.Sprint(x.GetRule(), " ", x.GetPlace(), " ", x.GetName())))
		}
		got := fmt.Sprintf("%s %s %v %s", q.Host, q.Target, q.Header, q.Body)
		if (err == nil) != (fault == "") || err != nil && (!strings.Contains(err.Error(), fault) || strings.Contains(err.Error(), "hush")) || err == nil && (got != want || strings.Join(places, ", ") != told) {
			t.Errorf("got %s\nwant %s\ntold %q, %v", got, want, places, err)
		}
	}
	one := func(r rewrite.Rule) []rewrite.Rule { return []rewrite.Rule{r} }
	q := rewrite.Request{Host: "h", Target: "/v1/orders?a=1&b=%20"}
	f(nil, q, "h /v1/orders?a=1&b=%20 map[] ", "", "")
	f(one(rewrite.Rule{Route: "GET /*", Host: "x"}), q, "h /v1/orders?a=1&b=%20 map[] ", "", "")
	f(one(rewrite.Rule{Route: "POST /orders", Host: "x:1"}), q, "x:1 /v1/orders?a=1&b=%20 map[] ", "0 host", "")
	f(one(rewrite.Rule{Path: rewrite.Replacement{Match: "^/v1/(.*)$", To: "/v2/$1"}}), q, "h /v2/orders?a=1&b=%20 map[] ", "0 path", "")
	f(one(rewrite.Rule{Path: rewrite.Replacement{Match: "^/v3"}}), q, "h /v1/orders?a=1&b=%20 map[] ", "", "")
	f(one(rewrite.Rule{Path: rewrite.Replacement{Match: "^/", To: ""}}), q, "", "", "rewrite[0]: path gives what is no path")
	f(one(rewrite.Rule{Path: rewrite.Replacement{Match: "v1", To: "a b?hush"}}), q, "", "", "no path")
	f(one(rewrite.Rule{Query: rewrite.Query{Remove: []string{"a", "none"}, Set: map[string]string{"dry": "x y"}}}), q, "h /v1/orders?b=%20&dry=x+y map[] ", "0 query a, 0 query dry", "")
	f(one(rewrite.Rule{Query: rewrite.Query{Remove: []string{"a", "b"}}}), q, "h /v1/orders map[] ", "0 query a, 0 query b", "")
	f(one(rewrite.Rule{Query: rewrite.Query{Set: map[string]string{"x": strings.Repeat("x", 70_000)}}}), q, "", "", "more than 65536")

	headers := one(rewrite.Rule{Headers: rewrite.Fields{Set: map[string]rewrite.Secret{"x-env": "hush", "Same": "1"}, Remove: []string{"x-internal", "None"}}})
	f(headers, rewrite.Request{Target: "/", Header: http.Header{"X-Internal": {"1"}, "Same": {"1"}}}, " / map[Same:[1] X-Env:[hush]] ", "0 header X-Internal, 0 header X-Env", "")

	body := one(rewrite.Rule{Body: `.mail = "nobody"`})
	f(body, rewrite.Request{Target: "/", Body: []byte(`{"n":1.50,"mail":"hush"}`)}, ` / map[] {"mail":"nobody","n":1.50}`, "0 body $.mail", "")
	f(body, rewrite.Request{Target: "/", Body: []byte(`{"mail": "nobody"}`)}, ` / map[] {"mail": "nobody"}`, "", "")
	f(body, rewrite.Request{Target: "/"}, " / map[] ", "", "")
	f(body, rewrite.Request{Target: "/", Body: []byte("hush")}, "", "", "rewrite[0]: the body is not JSON")
	f(body, rewrite.Request{Target: "/", Body: []byte(`["hush"]`)}, "", "", `rewrite[0]: jq ".mail = \"nobody\"" fails`)
	coded := http.Header{"Content-Encoding": {"gzip"}, "Digest": {"x"}, "Content-Type": {"application/json"}}
	f(body, rewrite.Request{Target: "/", Header: coded.Clone(), Body: []byte(packed(`{}`))}, ` / map[Content-Type:[application/json]] {"mail":"nobody"}`, "0 body $.mail", "")
	f(body, rewrite.Request{Target: "/", Header: coded.Clone(), Body: []byte("hush")}, "", "", "coding cannot be undone")

	// Rules are applied one after the other, and each says what it did.
	f([]rewrite.Rule{{Host: "a"}, {Route: "POST /orders", Body: ".x = 1"}, {Body: ".y = .x"}}, rewrite.Request{Target: "/", Body: []byte("{}")},
		`a / map[] {"x":1,"y":1}`, "0 host, 1 body $.x, 2 body $.y", "")
}

func TestMistakes(t *testing.T) {
	err := rewrite.Validate([]rewrite.Rule{
		{Route: "GET /["}, {Host: "http://x"}, {Path: rewrite.Replacement{Match: "("}}, {Path: rewrite.Replacement{To: "/x"}},
		{Headers: rewrite.Fields{Set: map[string]rewrite.Secret{"A B": "1", "Host": "x", "C": "hush\n"}, Remove: []string{"Content-Length"}}},
		{Body: ".a ="}, {Host: "fine"},
	})
	for _, want := range []string{
		`[0].route: "GET /[" is not a pattern`, "[0].route: changes nothing", `[1].host: "http://x" is not a host`, `[2].path.match: "(" is not a regular expression`,
		"[3].path.match: is needed", `[4].headers.set["A B"]: is not`, `[4].headers.set["Host"]: is a field`, `[4].headers.set["C"]: is not`, `[4].headers.remove[0]: "Content-Length"`,
		`[5].body: ".a =" is not a jq filter`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "[6]") {
		t.Errorf("%v", err)
	}
}
