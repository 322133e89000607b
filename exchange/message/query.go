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

// SetParameter sets a parameter of a raw query, given without encoding, and leaves
// the others as they are written.
func SetParameter(query, name, value string) string {
	return withParameter(query, name, url.QueryEscape(name)+"="+url.QueryEscape(value))
}

// RemoveParameter takes a parameter out of a raw query and leaves the others as
// they are written.
func RemoveParameter(query, name string) string { return withParameter(query, name, "") }

// withParameter puts own in the place of a parameter.
func withParameter(query, name, own string) string {
	var parts []string
	done := false
	for _, part := range strings.Split(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if part != "" && (Parameter{Name: key}).Decoded() == name {
			if done {
				continue
			}
			part, done = own, true
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	if !done && own != "" {
		parts = append(parts, own)
	}
	return strings.Join(parts, "&")
}
