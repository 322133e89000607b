package operation

import (
	"slices"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Status is what was learned of an operation.
type Status struct {
	State State
	// Answer is what the document holds, nil while the operation is pending.
	Answer *understudyv1.Response
	// Head says whose the header fields of Answer are.
	Head understudyv1.Completion_Head
	// Elsewhere is the address of the answer if the document does not hold it.
	Elsewhere string
	// Fault is why something that the user asked for could not be read; nothing
	// else is known then.
	Fault error
}

// Ask reads what a status monitor said, and where the result of a finished
// operation is: what the user says about it comes first. By convention
// (Microsoft REST API Guidelines, long-running operations; Azure's RPC) it is
// in the document's result, at its resourceLocation, at the Location that stood
// beside the monitor's in the acknowledgement, or, after a PUT or PATCH, at the
// request's own address.
func (c Conventions) Ask(m Monitor, r *understudyv1.Response) Status {
	if m.Result {
		return Status{State: Done, Answer: r}
	}
	d := newDocument(r)
	document := m.Document || m.describes(r)
	s := c.state(r, d, reading{document: document, open: m.Azure, pending: pendingLabels})
	return c.ended(m, r, d, s, document)
}

// Already reads an acknowledgement that is the document of an operation which
// has ended; ok is false if it is none.
func (c Conventions) Already(m Monitor, ack *understudyv1.Response) (s Status, ok bool) {
	// That of the acknowledgement itself only says that it was accepted.
	r := &understudyv1.Response{Status: 200, Headers: ack.GetHeaders(), Body: ack.GetBody(), Protocol: ack.GetProtocol(), Trailers: ack.GetTrailers()}
	d := newDocument(r)
	label := stateLabel(d.body)
	done := googleDone(d.body)
	state := Done
	switch {
	case c.ByStatus || len(d.body) == 0 || c.Pending.holds(r, d):
		return Status{}, false
	case c.Failed.holds(r, d):
		state, ok = Failed, true
	case c.Done.Given():
		ok = c.Done.holds(r, d)
	case done != nil:
		ok = *done
	case m.Document && slices.Contains(failedLabels, label):
		state, ok = Failed, true
	default:
		ok = m.Document && slices.Contains(doneLabels, label)
	}
	if !ok || d.fault != nil { // it need not be such a document
		return Status{}, false
	}
	return c.ended(m, r, d, state, m.Document), true
}

// Receive reads what was delivered: by a callback, on a topic or in a stream.
// expected is an answer such as the one that is waited for, nil if none is
// known; a word that stands there too is part of the answer.
func (c Conventions) Receive(r, expected *understudyv1.Response) Status {
	d := newDocument(r)
	s := c.state(r, d, reading{document: true, pending: progressLabels, expected: stateLabel(expected.GetBody().GetContent())})
	return c.ended(Monitor{}, r, d, s, false)
}

// ReceiveAs reads what was delivered in a way that says itself what it is.
func (c Conventions) ReceiveAs(s State, r *understudyv1.Response) Status {
	return c.ended(Monitor{}, r, newDocument(r), s, false)
}

// ended finds the answer of an operation in that state.
func (c Conventions) ended(m Monitor, r *understudyv1.Response, d *document, s State, document bool) Status {
	out := Status{State: s}
	if s != Pending {
		out.State, out.Answer = c.answer(s, r, d)
	}
	if out.State == Done {
		out = c.elsewhere(out, m, r, d, document)
	}
	if _, ok := d.at(c.Envelope.Headers); ok {
		out.Head = understudyv1.Completion_HEAD_ANSWER
	} else if out.Answer != nil && out.Answer.GetBody() != r.GetBody() {
		out.Head = understudyv1.Completion_HEAD_DOCUMENT
	}
	if d.fault != nil {
		return Status{Fault: d.fault}
	}
	return out
}

// elsewhere completes the status of an operation that is done, whose result may
// be somewhere else.
func (c Conventions) elsewhere(out Status, m Monitor, r *understudyv1.Response, d *document, document bool) Status {
	if raw, ok := d.at(c.ResultLink); ok && raw[0] == '"' {
		if where, _ := textOf(raw); where != "" {
			out.Elsewhere = where
			return out
		}
	}
	if c.ResultTemplate != "" {
		out.Elsewhere = c.ResultTemplate.fill(r, d, m.Location, m.Request)
		return out
	}
	if !document || c.Envelope.Given() || c.ResultLink != "" || !c.Done.Given() && !slices.Contains(doneLabels, stateLabel(d.body)) {
		return out
	}
	for _, pointer := range []string{"/result", "/properties"} {
		if raw, ok := at(d.body, pointer); ok && string(raw) != "null" && (pointer == "/result" || m.Azure) {
			out.Answer = withBody(&understudyv1.Response{Status: r.GetStatus(), Headers: r.GetHeaders(), Protocol: r.GetProtocol()}, raw)
			return out
		}
	}
	if where, ok := stringAt(d.body, "/resourceLocation"); ok && where != "" {
		out.Elsewhere = where
	} else if m.Beside != "" {
		out.Elsewhere = m.Beside
	} else if m.Replaces {
		out.Elsewhere = m.Request
	}
	return out
}
