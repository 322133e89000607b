// Package route names what a request is about: a method and a path template,
// "POST /orders/{id}".
package route

import (
	"fmt"
	"strings"

	"understudy.dev/exchange/message"
)

// MaxSegments is how many segments of a path a template keeps; the rest is
// folded into "{rest}", so that a hostile path cannot make a long name.
const MaxSegments = 16

// maxLiteral is the longest segment kept as it is.
const maxLiteral = 40

// Templater gives every request its route. It is safe for concurrent use.
type Templater struct {
	templates []template
	described *Described // nil if there are none
}

// Describe gives the paths that a description of an API names to what no template
// matches; nil gives none. It is called before the first Route.
func (t *Templater) Describe(d *Described) { t.described = d }

type template struct {
	method   string // empty matches every method
	segments []string
	parts    [][]string // of each segment, see parts
	name     string     // path part of the route
}

// New parses templates, which take precedence over the automatic ones, in
// order: a path such as "/users/{name}/posts", or a method and a path, "GET
// /users/{name}". A last segment "{name...}" matches the rest of the path.
func New(templates []string) (*Templater, error) {
	t := new(Templater)
	for _, text := range templates {
		method, path, found := strings.Cut(strings.TrimSpace(text), " ")
		if !found {
			method, path = "", method
		}
		path = strings.TrimSpace(path)
		if !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("route template %q: the path must begin with /", text)
		}
		segments := strings.Split(path[1:], "/")
		around := make([][]string, len(segments))
		for i, s := range segments {
			if strings.HasSuffix(s, "...}") && i != len(segments)-1 {
				return nil, fmt.Errorf("route template %q: %s must be the last segment", text, s)
			}
			var ok bool
			if around[i], ok = parts(s); !ok {
				return nil, fmt.Errorf("route template %q: the braces of %s do not belong together", text, s)
			}
		}
		t.templates = append(t.templates, template{method, segments, around, path})
	}
	return t, nil
}

// Route returns the route of a request. target is the request target as it was
// on the wire; its query does not count.
func (t *Templater) Route(method, target string) string {
	path := pathOf(target)
	for i := range t.templates {
		if own := &t.templates[i]; (own.method == "" || own.method == method) && own.match(path) {
			return printable(method) + " " + own.name
		}
	}
	if t.described != nil && strings.HasPrefix(path, "/") {
		steps := maxSteps
		if name := t.described.root.find(path[1:], &steps); name != "" {
			return printable(method) + " " + name
		}
	}
	return automatic(method, path)
}

func pathOf(target string) string {
	target, _ = message.OriginForm(target)
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	return target
}

func (t *template) match(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	for i, want := range t.segments {
		if strings.HasSuffix(want, "...}") && want[0] == '{' {
			return true
		}
		segment, after, more := strings.Cut(rest, "/")
		if more == (i == len(t.segments)-1) {
			return false
		}
		if around := t.parts[i]; len(around) > 1 {
			if !fits(around, segment) {
				return false
			}
		} else if segment != want {
			return false
		}
		rest = after
	}
	return true
}

func automatic(method, path string) string {
	var b strings.Builder
	b.Grow(len(method) + 1 + len(path))
	b.WriteString(printable(method))
	b.WriteByte(' ')
	rest, rooted := strings.CutPrefix(path, "/")
	if rooted {
		b.WriteByte('/')
	}
	for n := 0; ; n++ {
		if n == MaxSegments {
			b.WriteString("{rest}")
			break
		}
		segment, after, more := strings.Cut(rest, "/")
		b.WriteString(fold(segment))
		if !more {
			break
		}
		b.WriteByte('/')
		rest = after
	}
	return b.String()
}

func printable(method string) string {
	if len(method) > maxLiteral {
		return "{method}"
	}
	for i := range len(method) {
		if method[i] <= ' ' || method[i] >= 0x7f {
			return "{method}"
		}
	}
	return method
}
