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
	"net/http"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Conventions are what a user says about the operations of a route. Where a
// field is empty, the usual conventions apply.
type Conventions struct {
	// Pending, Done and Failed read the state in a document that was polled or
	// delivered by callback. Without them the usual conventions apply.
	Pending Condition `yaml:"pending"`
	Done    Condition `yaml:"done"`
	Failed  Condition `yaml:"failed"`
	// Status and Result are JSON pointers to the answer's status and body within
	// the operation's document; empty means the document's own.
	Status string `yaml:"status"`
	Result string `yaml:"result"`
	// ResultLink is a JSON pointer to the address of the answer within the
	// document of an operation that is done.
	ResultLink string `yaml:"result_link"`
	// Accepted are the statuses, 200 to 299, with which this route promises to
	// answer later, in addition to 202.
	Accepted []uint32 `yaml:"accepted"`
}

// Condition holds when the text of the JSON value at Pointer (RFC 6901) is one
// of Values.
type Condition struct {
	// Pointer is a JSON pointer (RFC 6901) to the state in a document that was
	// polled or delivered by callback; empty leaves it to the usual conventions.
	Pointer string `yaml:"pointer"`
	// Values are the texts at Pointer that fulfil the condition; case does not
	// matter.
	Values []string `yaml:"values"`
}

func (c Condition) holds(body []byte) bool {
	if c.Pointer == "" {
		return false
	}
	raw, ok := at(body, c.Pointer)
	if !ok {
		return false
	}
	text := string(raw)
	if s, isText := stringAt(body, c.Pointer); isText {
		text = s
	}
	return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, text) })
}

// Accepts reports whether a status by itself promises a later answer.
func (c Conventions) Accepts(status uint32) bool {
	return status == http.StatusAccepted || slices.Contains(c.Accepted, status)
}

// Promises reports whether an acknowledgement is a promise rather than the
// answer. One whose status Accepts holds for is a promise if it says where to
// learn the outcome. 201 with a Location and a body is an ordinary synchronous
// create, unless it says that it is not done; without a body the answer is at
// the Location.
func (c Conventions) Promises(ack *understudyv1.Response) bool {
	accepted := c.Accepts(ack.GetStatus())
	if !accepted && ack.GetStatus() != http.StatusCreated {
		return false
	}
	m := MonitorOf(ack)
	if m.Location == "" || accepted {
		return m.Location != ""
	}
	done := googleDone(ack.GetBody().GetContent())
	return m.Document || ack.GetBody().GetLength() == 0 || message.First(ack.GetHeaders(), "Retry-After") != "" || done != nil && !*done
}
