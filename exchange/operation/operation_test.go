package operation_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func response(status uint32, body string, headers ...string) *understudyv1.Response {
	r := &understudyv1.Response{Status: status, Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body))}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Headers = append(r.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return r
}

func TestPromises(t *testing.T) {
	f := func(status uint32, body, headers string, want bool, accepted ...uint32) {
		t.Helper()
		ack := response(status, body, strings.Split(headers, "\n")...)
		if got, err := (operation.Conventions{Accepted: accepted}).Promises(ack, nil); got != want || err != nil {
			t.Errorf("%d %s %q: %v, want %v", status, body, headers, got, want)
		}
	}
	f(202, "", "Location: /op", true)
	f(202, `{"status_url":"/op"}`, "", true)
	f(202, "x", "", false) // no way to learn more
	f(200, `{"id":1}`, "Location: /op", false)
	f(200, `{"id":1}`, "Location: /op", true, 200)
	f(200, `{"id":1}`, "", false, 200)
	f(201, `{"id":1}`, "Location: /op", false)
	f(201, "", "Location: /op", true)
	f(201, `{"id":1}`, "Location: /op\nRetry-After: 0", true)
	f(201, `{"id":1}`, "Operation-Location: /op", true)
	f(201, `{"name":"op/1","done":false}`, "Location: /op", true)
	f(201, `{"name":"op/1","done":true}`, "Location: /op", false)
	f(200, `{"status":"Creating"}`, "Azure-AsyncOperation: /op", true)
	f(201, "null", "Location: /op", false)
	f(201, "null", "Location: /op\nPreference-Applied: respond-async", true)
	f(200, "", "Location: /op\nPreference-Applied: wait=3, respond-async", true)
	f(302, "", "Location: /elsewhere", false)
}

func TestMonitorOf(t *testing.T) {
	f := func(body, headers, want string) {
		t.Helper()
		m := operation.MonitorOf(response(202, body, strings.Split(headers, "\n")...))
		if got := fmt.Sprint(m.Location, " ", m.Document, " ", m.Beside); got != want {
			t.Errorf("%s %q: got %q, want %q", body, headers, got, want)
		}
	}
	f("", "location: /op", "/op false ")
	f("", "Location: /order\nOperation-Location: /op", "/op true /order")
	f("", "azure-asyncoperation: /op", "/op true ")
	f("", `Link: </a,b>; rel="next", </op?x=1,2>; title="x"; rel="up Status"`, "/op?x=1,2 false ")
	f(`{"_links":{"status":{"href":"/op"}}}`, "", "/op false ")
	f(`{"status_url":7}`, "", " false ")
}

func TestAsk(t *testing.T) {
	f := func(document bool, body, want string, headers ...string) {
		t.Helper()
		s := operation.Conventions{}.Ask(operation.Monitor{Document: document, Beside: "/beside"}, response(200, body, headers...))
		got := []string{"pending", "done", "failed"}[s.State]
		if s.Answer != nil {
			got += " " + string(s.Answer.GetBody().GetContent())
		}
		if got += " " + s.Elsewhere; strings.TrimSpace(got) != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	f(true, `{"status":"Running"}`, "pending")
	f(true, `{"state":"not-started"}`, "pending")
	f(true, `{"status":"Failed"}`, `failed {"status":"Failed"}`)
	f(true, `{"status":"Succeeded"}`, `done {"status":"Succeeded"} /beside`)
	f(true, `{"status":"Succeeded","result":{"n":1}}`, `done {"n":1}`)
	f(true, `{"status":"Succeeded","result":null,"resourceLocation":"/r"}`, `done {"status":"Succeeded","result":null,"resourceLocation":"/r"} /r`)
	f(true, `{"n":1}`, `done {"n":1}`)
	// A resource that merely has a status is not an operation.
	f(false, `{"status":"running"}`, `done {"status":"running"}`)
	f(false, `{"status":"running"}`, "pending", "Retry-After: 1")
	f(false, `{"name":"op/1","done":false}`, "pending")
	f(false, `{"name":"op/1","done":true,"response":{"n":9007199254740993}}`, `done {"n":9007199254740993}`)
	f(false, `{"name":"op/1","done":true,"error":{"code":5}}`, `failed {"code":5}`)
}

// TestGoogleOperations: proto3 leaves out a done that is false, and a resource
// that has one of an operation's members is none.
func TestGoogleOperations(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		s := operation.Conventions{}.Ask(operation.Monitor{}, response(200, body))
		got := []string{"pending", "done", "failed"}[s.State]
		if s.Answer != nil {
			got += " " + string(s.Answer.GetBody().GetContent())
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	f(`{"name":"operations/7"}`, "pending")
	f(`{"name":"operations/7","metadata":{"percent":3}}`, "pending")
	f(`{"name":"projects/p/locations/l/operations/7","done":null}`, "pending")
	f(`{"name":"jobs/7","metadata":{"@type":"type.googleapis.com/x.Y"}}`, "pending")
	f(`{"name":"operations/7","response":{"n":1}}`, `done {"n":1}`)
	f(`{"name":"operations/7","error":{"code":5}}`, `failed {"code":5}`)
	same := func(body string) { t.Helper(); f(body, "done "+body) }
	same(`{"name":"jobs/7","metadata":{"a":"b"}}`)
	same(`{"name":"operations/7","size":3}`)
	same(`{"name":"myoperations/7"}`)
	same(`{"name":7,"metadata":{"@type":"x"}}`)
	same(`{"metadata":{"@type":"x"}}`)
	same(`{"name":"operations/7","done":"no"}`)
	same(`["operations/7"]`)
	same(`{}`)
}

// TestDocumentsAtAPlainLocation: a word for a state tells of the operation
// unless the answer that is waited for could say it.
func TestDocumentsAtAPlainLocation(t *testing.T) {
	f := func(expected *understudyv1.Response, body, want string) {
		t.Helper()
		s := operation.Conventions{}.Ask(operation.Monitor{Expected: expected}, response(200, body))
		got := []string{"pending", "done", "failed"}[s.State]
		if s.Answer != nil {
			got += " " + string(s.Answer.GetBody().GetContent())
		}
		if got != want {
			t.Errorf("%s for %s: got %q, want %q", body, expected.GetBody().GetContent(), got, want)
		}
	}
	invoice := response(201, `{"invoice":"N-3","sum":7}`)
	f(invoice, `{"status":"Running"}`, "pending")
	f(invoice, `{"id":"op-4","state":"NOT_STARTED","percent":0}`, "pending")
	f(invoice, `{"status":"Canceled","message":"no"}`, `failed {"status":"Canceled","message":"no"}`)
	f(invoice, `{"status":"done","result":{"invoice":"N-3"}}`, `done {"invoice":"N-3"}`)
	f(response(204, ""), `{"status":"queued"}`, "pending")
	f(response(422, `{"error":"bad","status":422}`), `{"status":"failed","error":"bad"}`, `failed {"status":"failed","error":"bad"}`)
	f(response(422, `{"error":"bad"}`), `{"status":"failed","error":"bad"}`, `failed {"status":"failed","error":"bad"}`)

	same := func(expected *understudyv1.Response, body string) { t.Helper(); f(expected, body, "done "+body) }
	same(nil, `{"status":"running"}`)
	same(invoice, `{"status":"shipped"}`)
	same(invoice, `{"status":1}`)
	same(invoice, `{"invoice":"N-3","sum":7,"status":"new"}`)
	same(response(201, `{"order":1,"status":"paid"}`), `{"status":"pending"}`)
	same(response(201, `{"order":1,"state":"paid"}`), `{"status":"pending"}`)
	cut := response(201, `{"invoice":"N-3"`)
	cut.Body.Truncated = true
	same(cut, `{"status":"running"}`)
	same(response(201, "?", "Content-Encoding: gzip"), `{"status":"running"}`)
}

func TestConventionsOfTheUser(t *testing.T) {
	c := operation.Conventions{
		Pending: operation.Condition{Pointer: "/state", Values: []string{"BUSY"}}, Failed: operation.Condition{Pointer: "/n", Values: []string{"7"}},
		Envelope: operation.Envelope{Status: "/code", Result: "/out"},
	}
	f := func(body, want string) {
		t.Helper()
		s := c.Receive(response(200, body), nil)
		if got := fmt.Sprintf("%d %d %s", s.State, s.Answer.GetStatus(), s.Answer.GetBody().GetContent()); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	f(`{"state":"busy"}`, "0 0 ")
	f(`{"state":"over","code":409,"out":{"n":1.10}}`, `1 409 {"n":1.10}`)
	f(`{"state":"running","out":null}`, "1 200 ")
	f(`{"n":7}`, `2 200 {"n":7}`)
}

// TestForeignLocationsAreRefused: scheme, host and port must be those of the
// system that was asked, or of a host that was allowed.
func TestForeignLocationsAreRefused(t *testing.T) {
	base, err := url.Parse("http://candidate.example/api")
	if err != nil {
		t.Fatal(err)
	}
	hosts := operation.Hosts{Base: base, Others: []string{"status.example:443"}}
	f := func(location, want string) {
		t.Helper()
		u, err := hosts.Resolve(base, location)
		switch {
		case want == "" && !errors.Is(err, operation.ErrForeign):
			t.Errorf("%.60s leads to %v, %v", location, u, err)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("%.60s leads to %v, %v, want %s", location, u, err, want)
		}
	}
	f("/op", "http://candidate.example/op")
	f("op?x", "http://candidate.example/op?x")
	f("http://CANDIDATE.example:80/op", "http://CANDIDATE.example:80/op")
	f("https://status.example/op", "https://status.example/op")
	f("https://candidate.example/op", "")
	for address, want := range map[string]bool{"http://candidate.example/": true, "http://candidate.EXAMPLE:80/": true, "https://candidate.example:80/": false, "http://status.example:443/": false} {
		if u, err := url.Parse(address); err != nil || hosts.Own(u) != want {
			t.Errorf("%s is the candidate's own: %v, %v", address, !want, err)
		}
	}
	f("http://candidate.example:81/op", "")
	f("//elsewhere/op", "")
	f("ftp://candidate.example/op", "")
	f("http://user:secret@candidate.example/op", "")
	f("file:///etc/passwd", "")
	f("http://[::1", "")
	f("/"+strings.Repeat("x", 9<<10), "")
}

func TestMeans(t *testing.T) {
	f := func(document bool, status uint32, after time.Duration, want operation.Meaning, headers ...string) {
		t.Helper()
		if got := (operation.Monitor{Document: document}).Means(response(status, "", headers...), after); got != want {
			t.Errorf("%d after %s: %d, want %d", status, after, got, want)
		}
	}
	f(false, 303, 0, operation.Look)
	f(false, 409, time.Hour, operation.Look)
	f(true, 409, time.Hour, operation.GiveUp)
	f(false, 404, time.Second, operation.Retry)
	f(false, 404, time.Minute, operation.GiveUp)
	f(false, 403, 0, operation.GiveUp)
	f(true, 429, time.Hour, operation.Retry)
	f(true, 503, time.Hour, operation.Retry)
	f(false, 408, time.Hour, operation.Retry)
	f(true, 425, time.Hour, operation.Retry)
	f(false, 409, time.Hour, operation.Retry, "Retry-After: 1")
	f(true, 403, time.Hour, operation.Retry, "Retry-After: 1")
	f(false, 200, time.Hour, operation.Look, "Retry-After: 1")
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	f := func(value string, want time.Duration) {
		t.Helper()
		if got := operation.RetryAfter(value, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
	f("", 0)
	f("-1", 0)
	f("0.5", 500*time.Millisecond)
	f("1e300", 10*time.Second)
	f("Thu, 26 Nov 2026 10:00:03 GMT", 3*time.Second)
	f("Thu, 26 Nov 2026 11:00:00 GMT", 10*time.Second)
	f("Thu, 26 Nov 2026 09:00:00 GMT", 0)
}

// TestHead: who reads an answer knows whose its header fields are.
func TestHead(t *testing.T) {
	for _, c := range []struct {
		body     string
		envelope operation.Envelope
		want     understudyv1.Completion_Head
	}{
		{`{"status":"succeeded","result":{"n":1}}`, operation.Envelope{}, understudyv1.Completion_HEAD_DOCUMENT},
		{`{"done":true,"response":{"n":1}}`, operation.Envelope{}, understudyv1.Completion_HEAD_DOCUMENT},
		{`{"n":1}`, operation.Envelope{}, understudyv1.Completion_HEAD_UNSPECIFIED},
		{`{"b":{"n":1}}`, operation.Envelope{Result: "/b"}, understudyv1.Completion_HEAD_DOCUMENT},
		{`{"b":{"n":1},"h":{"X-A":"1"}}`, operation.Envelope{Result: "/b", Headers: "/h"}, understudyv1.Completion_HEAD_ANSWER},
	} {
		r := &understudyv1.Response{Status: 200, Body: message.BodyOf([]byte(c.body))}
		s := operation.Conventions{Envelope: c.envelope}.Ask(operation.Monitor{Document: true}, r)
		if s.Head != c.want || s.Answer == nil {
			t.Errorf("%s: want %s, got %s of %v", c.body, c.want, s.Head, s.Answer)
		}
	}
}
