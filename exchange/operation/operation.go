// Package operation knows long-running operations in HTTP: which
// acknowledgement promises a later answer (RFC 9110, 15.3.3), where its status
// monitor is and whether that address may be called, what a status document
// says, and where the result is. Unless the user says otherwise, the
// conventions of Azure and Google apply.
//
// Nothing here sends or waits. Everything it reads comes from the system under
// test and is treated as hostile.
package operation

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Conventions are what a user says about the operations of a route. Where a
// field is empty, the usual conventions apply.
type Conventions struct {
	// Accepted are the statuses, 200 to 299, with which this route promises to
	// answer later, in addition to 202.
	Accepted []uint32 `yaml:"accepted"`
	// AcceptedWhen is what else in an acknowledgement of success says so.
	AcceptedWhen Condition `yaml:"accepted_when"`
	// Monitor is where the acknowledgement names the status monitor.
	Monitor Address `yaml:"monitor"`
	// ByStatus says that the status of a poll tells all: 202 is pending, 408,
	// 425, 429, 502 to 504 and what has a Retry-After are asked again, and
	// everything else is the answer. The words of its document mean nothing.
	ByStatus bool `yaml:"by_status"`
	// Pending, Done and Failed read the state in a document that was polled,
	// streamed or delivered. Without them the usual conventions apply; beside
	// Done, what is neither done nor failed is pending.
	Pending Condition `yaml:"pending"`
	Done    Condition `yaml:"done"`
	Failed  Condition `yaml:"failed"`

	Envelope `yaml:",inline"`

	// ResultLink is the place of the answer's address within the document of an
	// operation that is done: a JSON pointer, or a jq filter that begins with a
	// dot. What is there is the answer, whatever its status.
	ResultLink Place `yaml:"result_link"`
	// ResultTemplate makes that address where the document has none, as in
	// "{monitor}/results" or "{request}".
	ResultTemplate Template `yaml:"result_template"`
}

// Address says where a message names an address, or how it is made.
type Address struct {
	Locator `yaml:",inline"`
	// Template makes it where the message has none, as in "/jobs/{/id}".
	Template Template `yaml:"template"`
}

// Given says whether it says anything.
func (a Address) Given() bool { return a.Locator.Given() || a.Template != "" }

// Mistakes calls say for each mistake with the key under which it stands.
func (c Conventions) Mistakes(say func(key string, value any, fault string)) {
	under := func(section string) func(string, any, string) {
		return func(key string, value any, fault string) {
			if key != "" {
				section += "." + key
			}
			say(section, value, fault)
		}
	}
	for i, a := range c.Accepted {
		if a < 200 || a > 299 {
			say("accepted["+strconv.Itoa(i)+"]", a, "is not a status of success, 200 to 299")
		}
	}
	c.AcceptedWhen.Mistakes(under("accepted_when"))
	c.Monitor.Mistakes(under("monitor"))
	if err := c.Monitor.Template.Check(false); err != nil {
		say("monitor.template", string(c.Monitor.Template), err.Error())
	}
	c.Pending.Mistakes(under("pending"))
	c.Done.Mistakes(under("done"))
	c.Failed.Mistakes(under("failed"))
	c.Envelope.Mistakes(say)
	if err := c.ResultLink.Check(); err != nil {
		say("result_link", string(c.ResultLink), err.Error())
	}
	if err := c.ResultTemplate.Check(true); err != nil {
		say("result_template", string(c.ResultTemplate), err.Error())
	}
}

// Over fills what c leaves out from base.
func (c Conventions) Over(base Conventions) Conventions {
	if c.Accepted == nil {
		c.Accepted = base.Accepted
	}
	for _, x := range []struct{ own, base *Condition }{
		{&c.AcceptedWhen, &base.AcceptedWhen}, {&c.Pending, &base.Pending}, {&c.Done, &base.Done}, {&c.Failed, &base.Failed},
	} {
		if !x.own.Given() {
			*x.own = *x.base
		}
	}
	if !c.Monitor.Given() {
		c.Monitor = base.Monitor
	}
	c.ByStatus = c.ByStatus || base.ByStatus
	c.Status, c.Headers = cmp.Or(c.Status, base.Status), cmp.Or(c.Headers, base.Headers)
	c.Result, c.Encoding = cmp.Or(c.Result, base.Result), cmp.Or(c.Encoding, base.Encoding)
	c.ResultLink, c.ResultTemplate = cmp.Or(c.ResultLink, base.ResultLink), cmp.Or(c.ResultTemplate, base.ResultTemplate)
	return c
}

// Accepts reports whether an acknowledgement by itself promises a later answer.
// fault is a filter that could not read it.
func (c Conventions) Accepts(ack *understudyv1.Response) (accepted bool, fault error) {
	if ack.GetStatus() == http.StatusAccepted || slices.Contains(c.Accepted, ack.GetStatus()) {
		return true, nil
	}
	if !c.AcceptedWhen.Given() || !isSuccess(ack) {
		return false, nil
	}
	d := newDocument(ack)
	return c.AcceptedWhen.holds(ack, d), d.fault
}

func isSuccess(r *understudyv1.Response) bool { return r.GetStatus() >= 200 && r.GetStatus() <= 299 }

// Promises reports whether an acknowledgement is a promise rather than the
// answer, by convention: it says where to learn the outcome, and that it is
// accepted, be it by its status, by Preference-Applied (RFC 7240) or by an
// address that only operations have. A 201 with a Location and a body is an
// ordinary synchronous create, unless it says that it is not done; without a
// body the answer is at the Location, unless the other system, whose answer is
// expected (nil if unknown), creates so too.
func (c Conventions) Promises(ack, expected *understudyv1.Response) (promised bool, fault error) {
	accepted, fault := c.Accepts(ack)
	if fault != nil || !isSuccess(ack) {
		return false, fault
	}
	says := accepted || respondsAsync(ack)
	if _, _, is := documentOf(ack); is {
		return true, nil
	}
	if !says && ack.GetStatus() != http.StatusCreated {
		return false, nil // as most answers are: their bodies are not looked at
	}
	m := MonitorOf(ack)
	if says || m.Location == "" {
		return says && (m.Location != "" || c.Monitor.Given()), nil
	}
	done := googleDone(ack.GetBody().GetContent())
	isEmpty := ack.GetBody().GetLength() == 0
	asExpected := expected.GetStatus() == http.StatusCreated && expected.GetBody().GetLength() == 0
	return isEmpty && !asExpected || message.First(ack.GetHeaders(), "Retry-After") != "" || done != nil && !*done, nil
}

// respondsAsync: the preference respond-async was honoured (RFC 7240, 3 and
// 4.1).
func respondsAsync(ack *understudyv1.Response) bool {
	return Condition{Header: "Preference-Applied", Values: []string{"respond-async"}}.holds(ack, nil)
}

// Doubt says what makes an acknowledgement look asynchronous that was taken for
// the answer: accepted, respond_async, operation or status_word; "" if nothing
// does. What the other system answered, expected, may say the same word.
func Doubt(ack, expected *understudyv1.Response) string {
	if !isSuccess(ack) {
		return ""
	}
	if ack.GetStatus() == http.StatusAccepted && expected.GetStatus() != http.StatusAccepted {
		return "accepted"
	}
	if respondsAsync(ack) {
		return "respond_async"
	}
	body := ack.GetBody().GetContent()
	if len(body) > maxDoubted {
		return ""
	}
	if bytes.Contains(body, []byte("operations/")) || bytes.Contains(body, []byte(`"@type"`)) {
		if googleDone(body) != nil && googleDone(expected.GetBody().GetContent()) == nil {
			return "operation"
		}
	}
	if bytes.Contains(body, []byte(`"status"`)) || bytes.Contains(body, []byte(`"state"`)) {
		if word := stateLabel(body); slices.Contains(pendingLabels, word) && stateLabel(expected.GetBody().GetContent()) != word {
			return "status_word"
		}
	}
	return ""
}

// maxDoubted bounds the bodies that are looked at for doubts, in bytes: the
// documents of operations are small, and every answer is looked at.
const maxDoubted = 16 << 10
