package operation_test

import (
	"fmt"
	"strings"
	"testing"

	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// shown is what a status came to.
func shown(s operation.Status) string {
	if s.Fault != nil {
		return "fault " + s.Fault.Error()
	}
	out := []string{"pending", "done", "failed"}[s.State]
	if s.Answer != nil {
		out += fmt.Sprintf(" %d %s", s.Answer.GetStatus(), s.Answer.GetBody().GetContent())
	}
	if s.Elsewhere != "" {
		out += " at " + s.Elsewhere
	}
	return out
}

// TestConditions: in the body, in a header, by jq; with values and without.
func TestConditions(t *testing.T) {
	f := func(c operation.Condition, body string, want bool, headers ...string) {
		t.Helper()
		got, err := operation.Conventions{AcceptedWhen: c}.Accepts(response(200, body, headers...))
		if got != want || err != nil {
			t.Errorf("%+v for %s %q: %v, %v", c, body, headers, got, err)
		}
	}
	f(operation.Condition{}, `{}`, false)
	f(operation.Condition{Pointer: "/a/0", Values: []string{"X", "7", "null"}}, `{"a":["x"]}`, true)
	f(operation.Condition{Pointer: "/a/0", Values: []string{"X", "7", "null"}}, `{"a":[7]}`, true)
	f(operation.Condition{Pointer: "/a", Values: []string{"7", "null"}}, `{"a":null}`, true)
	f(operation.Condition{Pointer: "/a", Values: []string{"7"}}, `{"a":70}`, false)
	f(operation.Condition{Header: "X-Mode"}, ``, true, "x-mode: ")
	f(operation.Condition{Header: "X-Mode"}, ``, false)
	f(operation.Condition{Header: "X-Mode", Values: []string{"async"}}, ``, true, "X-Mode: quick", "X-Mode: slow, Async;q=1")
	f(operation.Condition{Header: "X-Mode", Values: []string{"async"}}, ``, false, "X-Mode: asynchronous")
	f(operation.Condition{JQ: ".a | length > 1"}, `{"a":[1,2]}`, true)
	f(operation.Condition{JQ: ".a | length > 1"}, `{"a":[1]}`, false)
	f(operation.Condition{JQ: ".a[]?"}, `{"a":[]}`, false) // no output
	f(operation.Condition{JQ: ".a", Values: []string{"1.50"}}, `{"a":1.50}`, true)
	f(operation.Condition{JQ: ".a"}, `no JSON`, false)
}

// TestJQFailsAloud and within its bounds.
func TestJQFailsAloud(t *testing.T) {
	f := func(filter, body, want string) {
		t.Helper()
		s := operation.Conventions{Done: operation.Condition{JQ: filter}}.Receive(response(200, body), nil)
		if got := shown(s); !strings.HasPrefix(got, want) {
			t.Errorf("%s for %.50s: got %q, want %q", filter, body, got, want)
		}
	}
	f(`.a | keys | length > 0`, `{"a":7}`, `fault jq ".a | keys | length > 0" fails: `)
	for _, filter := range []string{`.a | keys`, `.a | fromjson`, `.a + 1`, `.a | error`, `.a[]`, `.a | tonumber`, `.a.b`, `{(.a): 1} | .[0]`, `.a | test("(")`, `error({x: .a})`, `.a | splits(1)`, `.a as [$x] | $x`, `.a | @base64d`} {
		s := operation.Conventions{Done: operation.Condition{JQ: filter}}.Receive(response(200, `{"a":"hush hush"}`), nil)
		if s.Fault == nil || strings.Contains(s.Fault.Error(), "hush") {
			t.Errorf("%s: %v", filter, s.Fault)
		}
	}
	f(`.a`, `{"a":true}`, `done 200 {"a":true}`)
	f(`last(repeat(1))`, `{}`, `fault jq "last(repeat(1))" fails: context deadline exceeded`)
	f(`.a`, `{"a":"`+strings.Repeat("x", 1<<20)+`"}`, "fault the document has 1048584 bytes, and jq reads at most 1048576")
	f(`env | length > 0`, `{}`, "pending") // the environment is not the candidate's to read
}

// TestEnvelopes: status, fields and body of an answer within a document.
func TestEnvelopes(t *testing.T) {
	f := func(e operation.Envelope, body, want string) {
		t.Helper()
		s := operation.Conventions{Envelope: e}.Receive(response(200, body, "Content-Type: own/own"), nil)
		got := shown(s)
		for _, h := range s.Answer.GetHeaders() {
			got += fmt.Sprintf(" %s=%s", h.GetName(), h.GetValue())
		}
		if got != want {
			t.Errorf("%+v for %s: got %q, want %q", e, body, got, want)
		}
	}
	whole := operation.Envelope{Status: "/code", Headers: "/head", Result: "/body", Encoding: "/coding"}
	f(whole, `{"code":"404","head":{"b":["1","2"],"A":3},"body":"aGk=","coding":"base64"}`, "done 404 hi A=3 b=1 b=2")
	f(whole, `{"code":204,"head":[["A","1"],{"name":"B","value":"2"},"C: 3"],"body":null}`, "done 204  A=1 B=2 C=3")
	f(whole, `{"body":"-_8","coding":true}`, "done 200 \xfb\xff Content-Type=own/own")
	f(whole, `{"body":"{}","coding":false}`, "done 200 {} Content-Type=own/own")
	f(whole, `{"body":{"n":1.10},"coding":"base64"}`, `done 200 {"n":1.10} Content-Type=own/own`)
	f(whole, `{"body":"?","coding":"base64"}`, `fault the result is not base64, as encoding "/coding" says`)
	f(whole, `{"head":{"A\n":"1"}}`, "fault the headers of the answer are neither an object of texts nor a list of fields")
	f(whole, `{"head":7}`, "fault the headers of the answer are neither an object of texts nor a list of fields")
	f(operation.Envelope{Result: "/body"}, `{"body":"x"}`, `done 200 "x" Content-Type=own/own`)
	f(operation.Envelope{Result: "/body", Encoding: "text"}, `{"body":"x"}`, "done 200 x Content-Type=own/own")
	// What a filter points to keeps its text; what it makes does not.
	f(operation.Envelope{Result: ".steps[] | select(.last) | .out"}, `{"steps":[{},{"last":1,"out":{"n":9007199254740993.10}}]}`, `done 200 {"n":9007199254740993.10} Content-Type=own/own`)
	f(operation.Envelope{Result: ".a + .a"}, `{"a":[1.10]}`, `done 200 [1.10,1.10] Content-Type=own/own`)
}

// TestWhatIsDelivered: a word of progress is one unless it is the answer's own.
func TestWhatIsDelivered(t *testing.T) {
	f := func(expected, body, want string) {
		t.Helper()
		var r *understudyv1.Response
		if expected != "" {
			r = response(200, expected)
		}
		if got := shown(operation.Conventions{}.Receive(response(200, body), r)); got != want {
			t.Errorf("%s, expecting %s: got %q, want %q", body, expected, got, want)
		}
	}
	for _, word := range []string{"scheduled", "accepted", "new", "created", "Done", "paid"} {
		body := `{"status":"` + word + `"}`
		f("", body, "done 200 "+body)
	}
	for _, word := range []string{"RUNNING", "in_progress", "queued", "pending"} {
		body := `{"state":"` + word + `"}`
		f("", body, "pending")
		f(`{"order":1}`, body, "pending")
		f(body, body, "done 200 "+body)
	}
	f("", `{"status":"failed"}`, `failed 200 {"status":"failed"}`)
	f(`{"status":"failed","n":2}`, `{"status":"failed","n":1}`, `done 200 {"status":"failed","n":1}`)
}

// TestWhatHasEndedAlready needs no poll.
func TestWhatHasEndedAlready(t *testing.T) {
	f := func(c operation.Conventions, status uint32, body, want string, headers ...string) {
		t.Helper()
		ack := response(status, body, headers...)
		m, err := c.Locate(ack, "PUT", "http://c/r")
		s, ok := c.Already(m, ack)
		if got := fmt.Sprint(ok, " ", shown(s)); got != want || err != nil {
			t.Errorf("%s: got %q, want %q, %v", body, got, want, err)
		}
	}
	var none operation.Conventions
	f(none, 202, `{"status":"Succeeded"}`, `true done 200 {"status":"Succeeded"} at /there`, "Operation-Location: /op", "Location: /there")
	f(none, 201, `{"status":"Succeeded"}`, `true done 200 {"status":"Succeeded"} at http://c/r`, "Azure-AsyncOperation: /op")
	f(none, 202, `{"status":"succeeded","result":{"n":1}}`, `true done 200 {"n":1}`, "Operation-Location: /op")
	f(none, 202, `{"status":"Failed"}`, `true failed 200 {"status":"Failed"}`, "Operation-Location: /op")
	f(none, 202, `{"status":"Succeeded"}`, "false pending", "Location: /op") // that may be the answer
	f(none, 202, `{"status":"Running"}`, "false pending", "Operation-Location: /op")
	f(none, 200, `{"name":"operations/1","done":true,"response":{"n":1}}`, `true done 200 {"n":1}`)
	f(none, 200, `{"name":"operations/1"}`, "false pending")
	f(none, 202, "", "false pending", "Operation-Location: /op")
	own := operation.Conventions{Done: operation.Condition{Pointer: "/state", Values: []string{"over"}}, Failed: operation.Condition{JQ: ".bad | keys"}}
	f(own, 200, `{"state":"over","bad":{}}`, `true failed 200 {"state":"over","bad":{}}`)
	own.Failed = operation.Condition{}
	f(own, 200, `{"state":"over"}`, `true done 200 {"state":"over"}`)
	f(own, 200, `{"state":"busy"}`, "false pending")
	own.Done = operation.Condition{JQ: ".state | keys"}
	f(own, 200, `{"state":"busy"}`, "false pending") // such a document comes later
}

// TestAzuresWords: what is not final goes on.
func TestAzuresWords(t *testing.T) {
	ack := response(200, "", "Azure-AsyncOperation: /op")
	f := func(method, body, want string) {
		t.Helper()
		m, _ := operation.Conventions{}.Locate(ack, method, "http://c/r")
		if got := shown(operation.Conventions{}.Ask(m, response(200, body))); got != want {
			t.Errorf("%s %s: got %q, want %q", method, body, got, want)
		}
	}
	f("PUT", `{"status":"Provisioning"}`, "pending")
	f("PUT", `{"status":"Canceled"}`, `failed 200 {"status":"Canceled"}`)
	f("PATCH", `{"status":"Succeeded"}`, `done 200 {"status":"Succeeded"} at http://c/r`)
	f("POST", `{"status":"Succeeded"}`, `done 200 {"status":"Succeeded"}`)
	f("POST", `{"status":"Succeeded","properties":{"n":1}}`, `done 200 {"n":1}`)
}

// TestOrdinaryCreates are no promises where the other system creates so too.
func TestOrdinaryCreates(t *testing.T) {
	f := func(expected *understudyv1.Response, want bool) {
		t.Helper()
		if got, err := (operation.Conventions{}).Promises(response(201, "", "Location: /orders/1"), expected); got != want || err != nil {
			t.Errorf("beside %v: %v, %v", expected, got, err)
		}
	}
	f(nil, true)
	f(response(201, ""), false)
	f(response(201, `{"id":1}`), true)
	f(response(204, ""), true)
}

// TestTemplates are filled from the message, with what a path cannot hold
// escaped.
func TestTemplates(t *testing.T) {
	f := func(template operation.Template, want string) {
		t.Helper()
		if err := template.Check(true); err != nil {
			t.Errorf("%s: %v", template, err)
		}
		r := response(200, `{"id":7,"name":"a/b c?","deep":{"x":["y"]},"none":null}`, "X-Job: j 1")
		if got := template.Fill(r, "http://c/op/?f=json", "http://c/r?x=1"); got != want {
			t.Errorf("%s: got %q, want %q", template, got, want)
		}
	}
	f("{monitor}/results", "http://c/op/results")
	f("{request}", "http://c/r?x=1")
	f("{monitor}", "http://c/op/?f=json")
	f("{request}:cancel?y", "http://c/r:cancel?y")
	f("/jobs/{/id}/{/deep/x/0}", "/jobs/7/y")
	f("/v1/{/name}", "/v1/a/b%20c%3F")
	f("/jobs/{X-Job}", "/jobs/j%201")
	f("/jobs/{/none}", "")
	f("/jobs/{X-None}", "")
	for _, bad := range []operation.Template{"{", "{}", "{a b}", "/x/{monitor"} {
		if bad.Check(true) == nil {
			t.Errorf("%s is no mistake", bad)
		}
	}
	if operation.Template("{monitor}").Check(false) == nil {
		t.Error("a monitor is known before it is found")
	}
}

// TestDoubts: what looks asynchronous and was taken for the answer.
func TestDoubts(t *testing.T) {
	f := func(ack, expected *understudyv1.Response, want string) {
		t.Helper()
		if got := operation.Doubt(ack, expected); got != want {
			t.Errorf("%v beside %v: got %q, want %q", ack, expected, got, want)
		}
	}
	f(response(202, ""), response(200, ""), "accepted")
	f(response(202, ""), response(202, ""), "")
	f(response(200, "", "Preference-Applied: respond-async"), nil, "respond_async")
	f(response(200, `{"name":"operations/1"}`), nil, "operation")
	f(response(200, `{"status":"Queued"}`), response(200, `{"status":"paid"}`), "status_word")
	f(response(200, `{"status":"queued"}`), response(200, `{"status":"queued"}`), "")
	f(response(200, `{"status":"paid"}`), nil, "")
	f(response(409, `{"status":"queued"}`), nil, "")
}

// TestByStatus: the words of the document mean nothing.
func TestByStatus(t *testing.T) {
	c := operation.Conventions{ByStatus: true}
	ack := response(202, "", "Location: /op")
	m, _ := c.Locate(ack, "POST", "http://c/r")
	f := func(status uint32, body string, means operation.Meaning, want string, headers ...string) {
		t.Helper()
		r := response(status, body, headers...)
		if got := m.Means(r, 1<<40); got != means {
			t.Errorf("%d: means %d, want %d", status, got, means)
		}
		if got := shown(c.Ask(m, r)); means == operation.Look && got != want {
			t.Errorf("%d %s: got %q, want %q", status, body, got, want)
		}
	}
	f(202, "", operation.Look, "pending")
	f(200, `{"status":"running"}`, operation.Look, `done 200 {"status":"running"}`)
	f(404, "x", operation.Look, "done 404 x")
	f(500, "x", operation.Look, "done 500 x")
	f(500, "x", operation.Retry, "", "Retry-After: 1")
	f(429, "", operation.Retry, "")
	f(503, "", operation.Retry, "")
}

// TestMistakesHaveAKey: what cannot be used is said with the key it stands under.
func TestMistakesHaveAKey(t *testing.T) {
	c := operation.Conventions{
		Accepted: []uint32{200, 404}, AcceptedWhen: operation.Condition{Header: "a b"}, Pending: operation.Condition{Pointer: "/a"},
		Done: operation.Condition{Pointer: "/a", JQ: ".a", Values: []string{"x"}}, Failed: operation.Condition{JQ: ".a |"},
		Monitor: operation.Address{Locator: operation.Locator{Pointer: "a"}, Template: "{monitor}"}, Envelope: operation.Envelope{Status: "code", Encoding: "hex"},
		ResultLink: ".a[", ResultTemplate: "{",
	}
	var got []string
	c.Mistakes(func(key string, _ any, fault string) { got = append(got, key+" "+fault) })
	for i, want := range []string{
		"accepted[1] is not a status", "accepted_when.header ", "monitor.pointer ", "monitor.template has {monitor}", "pending.values ",
		"done has more than one", "failed.jq is not a jq filter", "status is neither", "encoding ", "result_link is not a jq filter", "result_template has a {",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Fatalf("got %q, and not %q", got, want)
		}
	}
	(operation.Conventions{}).Mistakes(func(key string, _ any, fault string) { t.Errorf("nothing is wrong: %s %s", key, fault) })
}
