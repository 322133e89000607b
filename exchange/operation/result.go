package operation

import (
	"slices"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Status is what a status monitor said.
type Status struct {
	State State
	// Answer is what the document holds, nil while the operation is pending.
	Answer *understudyv1.Response
	// Elsewhere is the address of the answer if the document does not hold it.
	Elsewhere string
}

// Ask reads what a status monitor said, and where the result of a finished
// operation is (Microsoft REST API Guidelines, long-running operations): in the
// document's result, at its resourceLocation, or at the Location that stood
// beside Operation-Location in the acknowledgement. What the user says about
// the result takes precedence.
func (c Conventions) Ask(m Monitor, r *understudyv1.Response) Status {
	document := m.Document || m.describes(r)
	s, answer := c.Read(r, document)
	out := Status{State: s, Answer: answer}
	if where, ok := stringAt(answer.GetBody().GetContent(), c.ResultLink); ok && where != "" && c.ResultLink != "" && s == Done && !m.Result {
		out.Elsewhere = where
		return out
	}
	if !document || s != Done || c.Result != "" || c.Status != "" || !slices.Contains(doneLabels, stateLabel(answer.GetBody().GetContent())) {
		return out
	}
	if raw, ok := at(answer.GetBody().GetContent(), "/result"); ok && string(raw) != "null" {
		out.Answer = withBody(&understudyv1.Response{Status: answer.GetStatus(), Headers: answer.GetHeaders(), Protocol: answer.GetProtocol()}, raw)
		return out
	}
	if where, ok := stringAt(answer.GetBody().GetContent(), "/resourceLocation"); ok && where != "" {
		out.Elsewhere = where
	} else {
		out.Elsewhere = m.Beside
	}
	return out
}
