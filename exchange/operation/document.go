package operation

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
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

// progressLabels are the pending ones that say so of anything. The others
// (accepted, created, new, scheduled) may be what became of the thing itself,
// and whoever calls back has something to say.
var progressLabels = []string{"notstarted", "queued", "pending", "running", "inprogress", "processing", "started", "submitted", "waiting"}

// reading is how a document is read.
type reading struct {
	// document says that by convention it is about the operation.
	document bool
	// open says that every word for a state but the known final ones means that
	// the operation goes on, as Azure says.
	open bool
	// pending are the words that mean so.
	pending []string
	// expected is the word that the expected answer has itself.
	expected string
}

// state is that of an operation, by its document d in r.
func (c Conventions) state(r *understudyv1.Response, d *document, how reading) State {
	switch {
	case r.GetStatus() == http.StatusAccepted, c.Pending.holds(r, d):
		return Pending
	case c.Failed.holds(r, d):
		return Failed
	case c.Done.Given():
		if c.Done.holds(r, d) {
			return Done
		}
		return Pending
	case c.Pending.Given(), c.ByStatus:
		return Done
	}
	if done := googleDone(d.body); done != nil {
		if !*done {
			return Pending
		}
		return Done
	}
	if !how.document && message.First(r.GetHeaders(), "Retry-After") == "" {
		return Done
	}
	switch label := stateLabel(d.body); {
	case label == "" || label == how.expected:
		return Done
	case slices.Contains(how.pending, label):
		return Pending
	case slices.Contains(failedLabels, label):
		return Failed
	case how.open && !slices.Contains(doneLabels, label):
		return Pending
	}
	return Done
}

// answer is what the document of an operation holds that has ended so; it may
// be that a result which says error has failed after all.
func (c Conventions) answer(s State, r *understudyv1.Response, d *document) (State, *understudyv1.Response) {
	if c.Envelope.Given() || googleDone(d.body) == nil {
		return s, c.open(r, d)
	}
	out := &understudyv1.Response{Status: r.GetStatus(), Headers: r.GetHeaders(), Body: r.GetBody()}
	if raw, ok := at(d.body, "/error"); ok {
		return Failed, withBody(out, raw)
	}
	if raw, ok := at(d.body, "/response"); ok {
		return s, withBody(out, raw)
	}
	return s, out
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

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

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

// withBody replaces the body by a part of it.
func withBody(r *understudyv1.Response, raw []byte) *understudyv1.Response {
	r.Body = message.BodyOf(raw)
	return r
}
