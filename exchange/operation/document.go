package operation

import (
	"encoding/json"
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
	word, ok := stringAt(body, "/status")
	if !ok {
		word, _ = stringAt(body, "/state")
	}
	return label(word)
}

// describes says whether a document at a plain Location tells about the
// operation instead of being its answer, which may have a state of its own: it
// has a well-known word for its state where the expected answer has no word, and
// no other member that the expected answer has too, but for those of refusals.
func (m Monitor) describes(r *understudyv1.Response) bool {
	if m.Expected == nil || m.Expected.GetBody().GetTruncated() {
		return false
	}
	word := stateLabel(r.GetBody().GetContent())
	if !slices.Contains(pendingLabels, word) && !slices.Contains(failedLabels, word) && !slices.Contains(doneLabels, word) {
		return false
	}
	expected, err := message.Decode(m.Expected.GetBody().GetContent(), message.Joined(m.Expected.GetHeaders(), "Content-Encoding"), maxExpected)
	if err != nil {
		return false
	}
	answer := membersOf(expected)
	for name := range membersOf(r.GetBody().GetContent()) {
		if _, both := answer[name]; both && !slices.Contains(commonMembers, name) {
			return false
		}
	}
	return stateLabel(expected) == ""
}

// maxExpected bounds what an expected answer is unpacked to, in bytes.
const maxExpected = 1 << 20

// commonMembers are what refusals say, of an operation or of a request: status
// too, as a number.
var commonMembers = []string{"status", "state", "error", "errors", "message", "code", "detail", "details", "reason"}

// membersOf are those of a JSON object, nil if it is none.
func membersOf(body []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	return members
}

// googleDone is the member done of google.longrunning.Operation, nil if the
// document is not one. JSON leaves out a done that is false, as all defaults of
// proto3; then a document is an operation if it has no other members than
// these, and its name or the type of its metadata say so.
func googleDone(body []byte) *bool {
	members := membersOf(body)
	yes, no := true, false
	_, named := members["name"]
	switch done, said := members["done"]; {
	case said && string(done) == "true":
		return &yes
	case said && string(done) == "false" && named:
		return &no
	case said && string(done) != "null":
		return nil
	}
	for name := range members {
		if !slices.Contains([]string{"name", "metadata", "done", "error", "response"}, name) {
			return nil
		}
	}
	name, _ := stringAt(body, "/name")
	_, typed := stringAt(body, "/metadata/@type")
	if name == "" || !typed && !strings.HasPrefix(name, "operations/") && !strings.Contains(name, "/operations/") {
		return nil
	}
	_, failed := members["error"]
	_, answered := members["response"]
	if failed || answered {
		return &yes
	}
	return &no
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
