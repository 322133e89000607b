package operation_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// FuzzMonitor: whatever an acknowledgement says, only the candidate is called.
func FuzzMonitor(f *testing.F) {
	f.Add("Location", "/op", "")
	f.Add("Link", `<//elsewhere/op>; rel="status"`, "")
	f.Add("Operation-Location", "http://candidate.example@elsewhere/", "")
	f.Add("", "", `{"_links":{"monitor":{"href":"https://candidate.example:80/"}}}`)
	base := &url.URL{Scheme: "http", Host: "candidate.example"}
	hosts := operation.Hosts{Base: base}
	f.Fuzz(func(t *testing.T, name, value, body string) {
		ack := response(202, body, name+": "+value)
		u, err := hosts.Resolve(operation.RequestURL(base), operation.MonitorOf(ack).Location)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String()) // as the request line will say it
		if err != nil {
			return // cannot be asked
		}
		port := again.Port()
		if again.Scheme != "http" || !strings.EqualFold(again.Hostname(), "candidate.example") || port != "" && port != "80" || again.User != nil {
			t.Errorf("%q: %q, %q leads to %s", name, value, body, u)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(200, `{"name":"op/1","done":true,"response":{"n":1}}`, "/status", "running", "/result")
	f.Add(202, `{"status":"running"}`, "", "", "")
	f.Add(200, `{"a~b":{"/":[1,{"x":null}]}}`, "/a~0b/~1/1/x", "null", "/a~0b")
	f.Fuzz(func(t *testing.T, status int, body, pointer, value, result string) {
		c := operation.Conventions{
			Pending:  operation.Condition{Pointer: pointer, Values: []string{value}},
			Envelope: operation.Envelope{Result: operation.Place(result), Headers: operation.Place(pointer), Encoding: "base64"},
		}
		c.Mistakes(func(string, any, string) { t.Skip() }) // nothing reads with these
		r := &understudyv1.Response{Status: uint32(status), Body: &understudyv1.Body{Content: []byte(body)}}
		expected := &understudyv1.Response{Body: &understudyv1.Body{Content: []byte(value)}}
		for _, s := range []operation.Status{c.Receive(r, expected), c.Ask(operation.Monitor{}, r)} {
			if isPending := s.State == operation.Pending; isPending != (s.Answer == nil) {
				t.Errorf("read as %+v", s)
			}
		}
		for _, m := range []operation.Monitor{{Document: true, Beside: "/beside"}, {Expected: expected}} {
			s := c.Ask(m, r)
			if s.Elsewhere != "" && s.State != operation.Done || (s.State == operation.Pending) != (s.Answer == nil) {
				t.Errorf("read as %+v", s)
			}
		}
		if string(r.GetBody().GetContent()) != body {
			t.Error("reading changed the document")
		}
	})
}

func FuzzWithMember(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, "/a/b")
	f.Add(`{"a":{}}`, "/a/x~1y")
	f.Fuzz(func(t *testing.T, body, pointer string) {
		got, err := operation.WithMember([]byte(body), pointer, "u")
		if err != nil || !json.Valid([]byte(body)) {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("%q at %q became %q", body, pointer, got)
		}
	})
}
