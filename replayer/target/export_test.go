package target

import (
	"net/http"
	"net/url"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// End settles an operation at a moment of the test's choice.
func End(op *Operation, at time.Time) { op.endAt(at, true) }

// Pending notes a poll at a moment of the test's choice.
func Pending(op *Operation, at time.Time) { op.pendingAt(at) }

// Monitor finds the status monitor as the client does and resolves it.
func Monitor(c *Client, h http.Header, body []byte) (*url.URL, error) {
	location, _ := monitor(h, body)
	return c.resolve(requestURL(c.base), location)
}

// Read reads a polled document: whether it is pending, and the answer in it.
func Read(p Completion, r *understudyv1.Response, operation bool) (isPending bool, answer *understudyv1.Response) {
	s, answer := p.read(r, operation)
	return s == pending, answer
}

// StringAt and WithString read and set a member.
var (
	StringAt   = stringAt
	WithString = withString
)
