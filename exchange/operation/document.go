package operation

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// State of an operation.
type State int

// The states.
const (
	Pending State = iota
	Done
	Failed
)

// Labels of states, in lower case and without separators: those of Azure's REST
// guidelines and others that are common.
var (
	pendingLabels = []string{"accepted", "notstarted", "queued", "pending", "running", "inprogress", "processing", "started", "submitted", "scheduled", "waiting", "created", "new"}
	failedLabels  = []string{"failed", "failure", "error", "canceled", "cancelled", "aborted", "rejected"}
	doneLabels    = []string{"succeeded", "success", "successful", "completed", "complete", "done", "finished"}
)

// Read returns the state of an operation and the answer that its document
// holds, nil while the operation is pending. document says that r is such a
// document by convention: it came from an Operation-Location or by callback.
func (c Conventions) Read(r *understudyv1.Response, document bool) (State, *understudyv1.Response) {
	body := r.GetBody().GetContent()
	s := c.state(r, body, document)
	if s == Pending {
		return Pending, nil
	}
	if googleDone(body) == nil || c.Result != "" {
		return s, c.unwrap(r, body)
	}
	out := &understudyv1.Response{Status: r.GetStatus(), Headers: r.GetHeaders(), Body: r.GetBody()}
	if raw, ok := at(body, "/error"); ok {
		return Failed, withBody(out, raw)
	}
	if raw, ok := at(body, "/response"); ok {
		return s, withBody(out, raw)
	}
	return s, c.unwrap(r, body)
}

func (c Conventions) state(r *understudyv1.Response, body []byte, document bool) State {
	switch {
	case r.GetStatus() == http.StatusAccepted:
		return Pending
	case c.Pending.holds(body):
		return Pending
	case c.Failed.holds(body):
		return Failed
	case c.Done.Pointer != "":
		if c.Done.holds(body) {
			return Done
		}
		return Pending
	case c.Pending.Pointer != "":
		return Done
	}
	if d := googleDone(body); d != nil {
		if !*d {
			return Pending
		}
		return Done
	}
	if !document && message.First(r.GetHeaders(), "Retry-After") == "" {
		return Done
	}
	switch label := stateLabel(body); {
	case slices.Contains(pendingLabels, label):
		return Pending
	case slices.Contains(failedLabels, label):
		return Failed
	}
	return Done
}

// stateLabel is the state that a document gives, in lower case and without
// separators.
func stateLabel(body []byte) string {
	label, ok := stringAt(body, "/status")
	if !ok {
		label, _ = stringAt(body, "/state")
	}
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(label))
}

// googleDone is the member done of google.longrunning.Operation, nil if the
// document is not one.
func googleDone(body []byte) *bool {
	raw, ok := at(body, "/done")
	if !ok {
		return nil
	}
	v := string(raw) == "true"
	if !v && string(raw) != "false" {
		return nil
	}
	if _, named := at(body, "/name"); !named && !v {
		return nil
	}
	return &v
}

// unwrap takes the answer's status and body from where the user's conventions
// say they are in the document.
func (c Conventions) unwrap(r *understudyv1.Response, body []byte) *understudyv1.Response {
	out := &understudyv1.Response{Status: r.GetStatus(), Headers: r.GetHeaders(), Body: r.GetBody(), Protocol: r.GetProtocol(), Trailers: r.GetTrailers()}
	if c.Status != "" {
		if raw, ok := at(body, c.Status); ok {
			if n, err := strconv.ParseUint(strings.Trim(string(raw), `"`), 10, 16); err == nil {
				out.Status = uint32(n)
			}
		}
	}
	if c.Result != "" {
		if raw, ok := at(body, c.Result); ok {
			if string(raw) == "null" {
				raw = nil
			}
			return withBody(out, raw)
		}
	}
	return out
}

// withBody replaces the body by a part of it.
func withBody(r *understudyv1.Response, raw []byte) *understudyv1.Response {
	r.Body = message.BodyOf(raw)
	return r
}
