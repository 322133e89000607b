package message

import (
	"iter"
	"net/url"
	"strings"
)

// Parameter is one parameter of a raw query, as it is written there.
type Parameter struct {
	// Name and Value are percent-encoded; Value is empty without a "=".
	Name, Value string
	// At is the offset of Value in the query.
	At int
}

// Decoded is the name without its encoding; one that is not well encoded stays
// as it is.
func (p Parameter) Decoded() string {
	if strings.ContainsAny(p.Name, "%+") {
		if name, err := url.QueryUnescape(p.Name); err == nil {
			return name
		}
	}
	return p.Name
}

// Parameters iterates over the parameters of a raw query, in order. Both & and
// ; end one: servers differ in whether ; does, and a secret must not be
// overlooked.
func Parameters(query string) iter.Seq[Parameter] {
	return func(yield func(Parameter) bool) {
		for from := 0; from < len(query); {
			end := len(query)
			if i := strings.IndexAny(query[from:], "&;"); i >= 0 {
				end = from + i
			}
			name, value, _ := strings.Cut(query[from:end], "=")
			if from < end && !yield(Parameter{Name: name, Value: value, At: end - len(value)}) {
				return
			}
			from = end + 1
		}
	}
}
