package operation

import (
	"slices"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// SaysPending says whether a word, as documents of operations have it for their
// status, means that the operation goes on: "In-Progress", "queued".
func SaysPending(word string) bool { return slices.Contains(pendingLabels, label(word)) }

// label is a word in lower case and without separators.
func label(word string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(word))
}

// canceledLabels are the words with which a document says that its operation was
// canceled; OGC API – Processes says dismissed.
var canceledLabels = []string{"canceled", "cancelled", "dismissed"}

// canceledCode is the code of CANCELLED in the error of a
// google.longrunning.Operation.
const canceledCode = "1"

// Canceled says whether a document of an operation says that it was canceled,
// where the user says that its state stands, or at the usual places.
func (c Conventions) Canceled(r *understudyv1.Response) bool {
	d := newDocument(r)
	for _, place := range []string{c.Failed.Pointer, c.Done.Pointer, c.Pending.Pointer} {
		if word, ok := stringAt(d.body, place); ok && place != "" && slices.Contains(canceledLabels, label(word)) {
			return true
		}
	}
	if slices.Contains(canceledLabels, stateLabel(d.body)) {
		return true
	}
	done := googleDone(d.body)
	code, ok := at(d.body, "/error/code")
	return done != nil && *done && ok && string(code) == canceledCode
}
