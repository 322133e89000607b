package operation

import (
	"bytes"
	"encoding/json"
	"slices"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Status is what a status monitor said.
type Status struct {
	State State
	// Answer is what the document holds, nil while the operation is pending.
	Answer *understudyv1.Response
	// Elsewhere is where the answer is when the document does not hold it.
	Elsewhere string
}

// Ask reads what a status monitor said, and where the result of a finished
// operation is (Microsoft REST API Guidelines, long-running operations): in the
// document's result, at its resourceLocation, or at the Location that stood
// beside Operation-Location in the acknowledgement. What the user says about
// the result comes first.
func (c Conventions) Ask(m Monitor, r *understudyv1.Response) Status {
	s, answer := c.Read(r, m.Document)
	out := Status{State: s, Answer: answer}
	if where, ok := stringAt(answer.GetBody().GetContent(), c.ResultLink); ok && where != "" && c.ResultLink != "" && s == Done && !m.Result {
		out.Elsewhere = where
		return out
	}
	if !m.Document || s != Done || c.Result != "" || c.Status != "" || !slices.Contains(doneWords, stateWord(answer.GetBody().GetContent())) {
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

// Agree says whether two completions say the same: status and content, JSON by
// value, so that another order of members is not a contradiction.
func Agree(a, b *understudyv1.Response) bool {
	if a.GetStatus() != b.GetStatus() {
		return false
	}
	x, y := a.GetBody().GetContent(), b.GetBody().GetContent()
	return bytes.Equal(x, y) || bytes.Equal(canonical(x), canonical(y))
}

func canonical(body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return body
	}
	out, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return out
}
