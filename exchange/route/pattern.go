package route

import (
	"fmt"
	"path"
	"strings"
)

// Pattern selects routes by name, wherever a configuration refers to some of
// them: "POST /orders/{id}" selects that route, "GET /orders/*" every route
// with one more segment. It is not a template: templates turn requests into
// routes, see New.
//
// Route and pattern are compared segment by segment. A segment matches if it is
// the same, or by the rules of path.Match: * matches any text, ? one character,
// [a-z] one of a class, and \ escapes the next character. Nothing matches a
// slash. The empty pattern selects every route.
type Pattern struct{ segments []string }

// ParsePattern parses a pattern; the error names the malformed segment.
func ParsePattern(s string) (Pattern, error) {
	if s == "" {
		return Pattern{}, nil
	}
	p := Pattern{strings.Split(s, "/")}
	for _, segment := range p.segments {
		if _, err := path.Match(segment, ""); err != nil {
			return Pattern{}, fmt.Errorf("route pattern %q: %w in %q", s, err, segment)
		}
	}
	return p, nil
}

// Match reports whether the pattern selects a route.
func (p Pattern) Match(route string) bool {
	if len(p.segments) == 0 {
		return true
	}
	rest, more := route, true
	for _, want := range p.segments {
		if !more {
			return false
		}
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment == want {
			continue
		}
		if ok, err := path.Match(want, segment); err != nil || !ok {
			return false
		}
	}
	return !more
}
