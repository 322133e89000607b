package operation

import (
	"slices"
	"strings"
)

// SaysPending says whether a word, as documents of operations have it for their
// status, means that the operation goes on: "In-Progress", "queued".
func SaysPending(word string) bool { return slices.Contains(pendingLabels, label(word)) }

// label is a word in lower case and without separators.
func label(word string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(word))
}
