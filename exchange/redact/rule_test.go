package redact_test

import (
	"encoding/json"
	"strings"
	"testing"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// everywhere is one exchange with values in all places.
func everywhere() *understudyv1.Exchange {
	h := func(fields ...string) (out []*understudyv1.Header) {
		for _, f := range fields {
			name, value, _ := strings.Cut(f, ": ")
			out = append(out, &understudyv1.Header{Name: name, Value: []byte(value)})
		}
		return out
	}
	return &understudyv1.Exchange{
		Request: &understudyv1.Request{
			Target:  []byte("/users/ann/x?tenant=one&password=hunter22#state=two"),
			Headers: h("X-Tenant: one", "Cookie: theme=dark; sid=hunter22", "Authorization: Bearer hunter22", "Content-Type: application/x-www-form-urlencoded"),
			Body:    message.BodyOf([]byte("tenant=one&password=hunter22&mail=ann@shop.example")),
		},
		Response: &understudyv1.Response{
			Headers:  h("Content-Type: application/json", "X-Tenant: one"),
			Trailers: h("X-Tenant: one"),
			Body: message.BodyOf([]byte(`{"tenant":"one","user":{"password":"hunter22","mail":"ann@shop.example","n":12},"on":true,` +
				`"list":[{"mail":"ann@shop.example"}],"note":"order 4711 of ann@shop.example"}`)),
		},
	}
}

func flat(e *understudyv1.Exchange) string {
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	fields := func(list []*understudyv1.Header) {
		for _, h := range list {
			if h.Name != "Content-Type" {
				line(h.Name + ": " + string(h.Value))
			}
		}
	}
	line(string(e.Request.Target))
	fields(e.Request.Headers)
	line(string(e.Request.Body.Content))
	fields(e.Response.Headers)
	line(string(e.Response.Body.Content))
	fields(e.Response.Trailers)
	return b.String()
}

func TestRules(t *testing.T) {
	f := func(rules []redact.Rule, has, hasNot []string) {
		t.Helper()
		e := everywhere()
		redact.New(redact.Config{Rules: rules}, key(t)).Exchange(e)
		got := flat(e)
		for _, v := range []string{"hunter22", "one", "dark"} {
			got = strings.ReplaceAll(got, tokenOf(t, v), "<"+v+">")
		}
		got = strings.ReplaceAll(got, tokenOf(t, "ann@shop.example"), "<mail>")
		for _, s := range has {
			if !strings.Contains(got, s) {
				t.Errorf("%v: no %s in\n%s", rules, s, got)
			}
		}
		for _, s := range hasNot {
			if strings.Contains(got, s) {
				t.Errorf("%v: %s in\n%s", rules, s, got)
			}
		}
		if body := e.Response.Body.Content; len(body) > 0 && !json.Valid(body) {
			t.Errorf("%v: no JSON: %s", rules, body)
		}
	}
	type list = []string
	rule := func(action string, places, names, shapes list, pattern string) redact.Rule {
		return redact.Rule{Places: places, Names: names, Shapes: shapes, Pattern: pattern, Action: action}
	}
	// By default.
	f(nil, list{"password=<hunter22>", "Bearer <hunter22>", "sid=<hunter22>", "theme=<dark>", `"password":"<hunter22>"`, "4711 of <mail>", `"n":12`}, list{"hunter22\n", "ann@"})
	// By place and name.
	f([]redact.Rule{rule("token", list{"header"}, list{"x-ten*"}, nil, "")}, list{"X-Tenant: <one>\n", "tenant=one&", `"tenant":"one"`}, nil)
	f([]redact.Rule{rule("token", list{"header", "trailer"}, list{"x-tenant"}, nil, "")}, nil, list{"X-Tenant: one"})
	f([]redact.Rule{rule("token", nil, list{"?enant"}, nil, "")}, list{"?tenant=<one>", `"tenant":"<one>"`, "X-Tenant: one"}, nil)
	f([]redact.Rule{rule("keep", list{"cookie"}, list{"theme"}, nil, "")}, list{"theme=dark", "sid=<hunter22>"}, nil)
	f([]redact.Rule{rule("keep", list{"json"}, list{"password"}, nil, "")}, list{`"password":"hunter22"`, "password=<hunter22>"}, nil)
	f([]redact.Rule{rule("keep", list{"form"}, list{"password"}, nil, "")}, list{"&password=hunter22&", `"password":"<hunter22>"`, "?tenant=one&password=<hunter22>"}, nil)
	f([]redact.Rule{rule("keep", nil, list{"authorization"}, nil, "")}, list{"Authorization: Bearer hunter22"}, nil)
	f([]redact.Rule{rule("mask", list{"fragment"}, list{"state"}, nil, ""), rule("mask", list{"path"}, list{"users"}, nil, "")}, list{"#state=***", "/users/***/x"}, nil)
	// By path.
	f([]redact.Rule{rule("keep", nil, list{"/user/mail"}, nil, "")}, list{`"mail":"ann@shop.example","n"`, `"list":[{"mail":"<mail>"}]`}, nil)
	f([]redact.Rule{rule("keep", nil, list{"/list/mail"}, nil, "")}, list{`"mail":"<mail>","n"`, `"list":[{"mail":"ann@shop.example"}]`}, nil)
	f([]redact.Rule{rule("mask", list{"json"}, list{"/user/*", "/on"}, nil, "")}, list{`"user":{"password":"***","mail":"***","n":0},"on":false`}, nil)
	// By shape and pattern.
	f([]redact.Rule{rule("keep", nil, nil, list{"email"}, "")}, list{"4711 of ann@shop.example", "mail=ann@shop.example", "<hunter22>"}, nil)
	f([]redact.Rule{rule("mask", nil, nil, nil, `order (\d+)`)}, list{`"note":"order *** of <mail>"`}, nil)
	f([]redact.Rule{rule("drop", nil, nil, nil, `order \d+ `)}, list{`"note":"of <mail>"`}, nil)
	// In order.
	f([]redact.Rule{rule("mask", nil, list{"password"}, nil, ""), rule("keep", nil, list{"pass*"}, nil, "")}, list{"password=***", `"password":"***"`}, nil)
	f([]redact.Rule{rule("keep", nil, list{"pass*"}, nil, ""), rule("mask", nil, list{"password"}, nil, "")}, list{"password=hunter22", `"password":"hunter22"`}, nil)
	f([]redact.Rule{rule("mask", nil, nil, nil, `\d+`), rule("keep", nil, list{"note"}, nil, "")}, list{`"note":"order *** of ann@shop.example"`}, nil)
	// What is dropped leaves no trace, and leaves JSON valid.
	f([]redact.Rule{rule("drop", nil, list{"x-tenant", "tenant", "password", "sid", "n", "on", "authorization"}, nil, "")},
		list{"/users/ann/x?#state", "Cookie: theme=<dark>\n", "\nmail=<mail>", `"password":null`, `"n":null`, `"on":null`}, list{"one", "hunter22", "sid", "Authorization", "X-Tenant"})
	f([]redact.Rule{rule("drop", list{"body"}, list{"application/json"}, nil, "")}, list{"tenant=one"}, list{`"tenant"`})
	f([]redact.Rule{rule("keep", list{"body"}, list{"application/*"}, nil, "")}, list{`"password":"hunter22"`, "&password=hunter22", "?tenant=one&password=<hunter22>"}, nil)
}

// TestAllowListFailsClosed: what no rule keeps is gone, names and structure aside.
func TestAllowListFailsClosed(t *testing.T) {
	e := everywhere()
	redact.New(redact.Config{AllowList: true}, key(t)).Exchange(e)
	got := flat(e)
	for _, s := range []string{"ann", "one", "dark", "hunter22", "4711", "true", "12,", "two"} {
		if strings.Contains(got, s) {
			t.Errorf("%s is left in\n%s", s, got)
		}
	}
	if !json.Valid(e.Response.Body.Content) {
		t.Errorf("no JSON: %s", e.Response.Body.Content)
	}
	for contentType, body := range map[string]string{"image/png": "pixels", "application/grpc": "\x00\x00", "": "\xff\xfe", "text/plain": "plain words", "text/html": "<p>plain words</p>",
		"multipart/form-data; boundary=b": "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nplain words\r\n--b--"} {
		out := redacted(t, redact.Config{AllowList: true}, contentType, body, false)
		if got := string(out.Response.Body.Content); strings.Contains(got, "plain") || strings.Contains(got, "pixels") || strings.Contains(got, "\xff") || strings.Contains(got, "\x00") {
			t.Errorf("%s: %q is kept", contentType, got)
		}
	}
	e = everywhere()
	redact.New(redact.Config{AllowList: true, Rules: []redact.Rule{{Names: []string{"tenant", "x-tenant", "n", "on"}, Action: "keep"}, {Places: []string{"path"}, Action: "keep"}}}, key(t)).Exchange(e)
	for _, s := range []string{"/users/ann/x?tenant=one&", "X-Tenant: one", `"tenant":"one"`, `"n":12`, `"on":true`} {
		if got := flat(e); !strings.Contains(got, s) {
			t.Errorf("no %s in\n%s", s, got)
		}
	}
}

func TestProblems(t *testing.T) {
	f := func(r redact.Rule, key string) {
		t.Helper()
		ps := redact.Config{Rules: []redact.Rule{{Action: "keep"}, r}}.Problems()
		if key == "" && len(ps) == 0 {
			return
		}
		if len(ps) != 1 || ps[0].Rule != 1 || ps[0].Key != key || ps[0].Fault == "" {
			t.Errorf("%v: %v, want one about %s", r, ps, key)
		}
	}
	f(redact.Rule{Action: "mask"}, "")
	f(redact.Rule{}, "action")
	f(redact.Rule{Action: "hide"}, "action")
	f(redact.Rule{Action: "keep", Places: []string{"json", "nowhere"}}, "places")
	f(redact.Rule{Action: "keep", Shapes: []string{"square"}}, "shapes")
	f(redact.Rule{Action: "keep", Names: []string{""}}, "names")
	f(redact.Rule{Action: "keep", Pattern: "("}, "pattern")
	f(redact.Rule{Action: "mask", Places: []string{"body"}}, "action")
	f(redact.Rule{Action: "keep", Places: []string{"body", "json"}}, "places")
	f(redact.Rule{Action: "keep", Places: []string{"body"}, Pattern: "x"}, "places")
	if ps := (redact.Config{Rules: make([]redact.Rule, 300)}).Problems(); len(ps) < 256 || !strings.Contains(ps[0].Fault, "256") {
		t.Error("too many rules are accepted")
	}
	defer func() {
		if recover() == nil {
			t.Error("a wrong rule was taken")
		}
	}()
	redact.New(redact.Config{Rules: []redact.Rule{{}}}, key(t))
}

// TestFormerKeys: what was recorded under a key that is no longer the current one
// is compared under it.
func TestFormerKeys(t *testing.T) {
	current, err := token.New([]byte("fedcba9876543210"))
	if err != nil {
		t.Fatal(err)
	}
	answer := func() *understudyv1.Response {
		return &understudyv1.Response{Body: message.BodyOf([]byte(`{"password":"hunter22"}`))}
	}
	e := &understudyv1.Exchange{Request: &understudyv1.Request{}, Response: answer()}
	redact.New(redact.Config{}, key(t)).Exchange(e)
	f := func(r *redact.Redactor, same bool, id string) {
		t.Helper()
		p := &understudyv1.Replay{Exchange: e, Candidate: &understudyv1.Observation{Ack: answer()}}
		r.Replay(p)
		if got := string(p.Candidate.Ack.Body.Content) == string(e.Response.Body.Content); got != same || p.RedactionKey != id {
			t.Errorf("equal %t, key %s, want %t, %s", got, p.RedactionKey, same, id)
		}
	}
	f(redact.New(redact.Config{}, current, key(t)), true, key(t).ID())
	f(redact.New(redact.Config{}, key(t)), true, key(t).ID())
	f(redact.New(redact.Config{}, current), false, current.ID())
}

// TestReplayOfWhatNobodyRedacted: both sides are redacted then, and the recording
// that others still use is left as it is.
func TestReplayOfWhatNobodyRedacted(t *testing.T) {
	body := func() *understudyv1.Response {
		return &understudyv1.Response{Body: message.BodyOf([]byte(`{"mail":"ann@shop.example"}`))}
	}
	e := &understudyv1.Exchange{Request: &understudyv1.Request{}, Response: body()}
	p := &understudyv1.Replay{Exchange: e, Candidate: &understudyv1.Observation{Ack: body()}}
	redact.New(redact.Config{}, key(t)).Replay(p)
	if a, b := string(p.Exchange.Response.Body.Content), string(p.Candidate.Ack.Body.Content); a != b || strings.Contains(a, "ann@") {
		t.Errorf("%s and %s", a, b)
	}
	if got := string(e.Response.Body.Content); !strings.Contains(got, "ann@") {
		t.Errorf("the recording became %s", got)
	}
}
