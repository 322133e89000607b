package route

import (
	"fmt"
	"path"
	"strings"
)

// Pattern chooses routes by name, wherever a configuration speaks of some of
// them: "POST /orders/{id}" is that route, "GET /orders/*" every one with one
// more segment. It is not a template: those make routes out of requests, see
// New.
//
// Route and pattern are compared segment by segment. A segment matches when it
// is the same, or by the rules of path.Match: * stands for any text, ? for one
// character, [a-z] for one of a class, and \ takes such a meaning away. Nothing
// stands for a slash. The empty pattern chooses every route.
type Pattern struct{ segments []string }

// ParsePattern checks a pattern.
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

// Match says whether the pattern chooses a route.
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
