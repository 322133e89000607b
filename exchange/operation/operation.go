// Package operation holds what is known about long-running operations in HTTP:
// which acknowledgement promises an answer for later (RFC 9110, 15.3.3), where
// its status monitor is and which address is foreign, what a status document
// says and where the result is. Without a word from the user the conventions of
// Azure and Google decide.
//
// Nothing here sends or waits. All that is read comes from the other side and
// is hostile input.
package operation

import (
	"net/http"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Conventions are what a user knows about the operations of a route. Where they
// are silent, the usual ones decide.
type Conventions struct {
	// Pending, Done and Failed read the state out of a polled or called-back
	// document. Without them the conventions decide.
	Pending Condition `yaml:"pending"`
	Done    Condition `yaml:"done"`
	Failed  Condition `yaml:"failed"`
	// Status and Result are JSON pointers to the answer's status and body
	// within the operation's document; empty is the document itself.
	Status string `yaml:"status"`
	Result string `yaml:"result"`
	// ResultLink is a JSON pointer to the address of the answer within the
	// document of an operation that is done.
	ResultLink string `yaml:"result_link"`
	// Accepted are further statuses, 200 to 299, beside 202, with which this
	// route promises to answer later.
	Accepted []uint32 `yaml:"accepted"`
}

// Condition holds when the text of the JSON value at Pointer (RFC 6901) is one
// of Values.
type Condition struct {
	// Pointer is a JSON pointer (RFC 6901) to the state in a polled or
	// called-back document; empty leaves it to the conventions.
	Pointer string `yaml:"pointer"`
	// Values are the texts of that state with which the condition holds.
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

// Accepts says whether a status by itself promises an answer for later.
func (c Conventions) Accepts(status uint32) bool {
	return status == http.StatusAccepted || slices.Contains(c.Accepted, status)
}

// Promises says whether an acknowledgement is a promise rather than an answer.
// A status that Accepts is one if there is a way to learn how it ends; 201 with
// a Location and a body is a classical synchronous create, unless it says that
// it is not done; without a body the answer is at the Location.
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
