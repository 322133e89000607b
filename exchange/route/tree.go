package route

import (
	"slices"
	"strings"
)

// node is a place in a tree of paths, by their segments.
type node struct {
	literal map[string]*node
	partial []partial // {name}.json, in their order
	any     *node     // {id}
	name    string    // the path that ends here; empty if none does
}

type partial struct {
	segment string
	parts   []string
	node    *node
}

func (n *node) add(path string) {
	at := n
	for segment := range strings.SplitSeq(path[1:], "/") {
		at = at.child(segment)
	}
	if at.name == "" {
		at.name = path
	}
}

func (n *node) child(segment string) *node {
	p, _ := parts(segment)
	switch {
	case len(p) == 1:
		if n.literal == nil {
			n.literal = map[string]*node{}
		}
		if n.literal[segment] == nil {
			n.literal[segment] = new(node)
		}
		return n.literal[segment]
	case len(p) == 2 && p[0] == "" && p[1] == "":
		if n.any == nil {
			n.any = new(node)
		}
		return n.any
	}
	i := slices.IndexFunc(n.partial, func(x partial) bool { return slices.Equal(x.parts, p) })
	if i < 0 {
		i = len(n.partial)
		n.partial = append(n.partial, partial{segment, p, new(node)})
	}
	return n.partial[i].node
}

// find is the described path that a path is, literal segments before others; ""
// if it is none. steps bounds the search.
func (n *node) find(rest string, steps *int) string {
	if *steps--; *steps < 0 {
		return ""
	}
	segment, after, more := strings.Cut(rest, "/")
	within := func(next *node) string {
		switch {
		case next == nil:
			return ""
		case !more:
			return next.name
		}
		return next.find(after, steps)
	}
	if name := within(n.literal[segment]); name != "" {
		return name
	}
	for _, p := range n.partial {
		if fits(p.parts, segment) {
			if name := within(p.node); name != "" {
				return name
			}
		}
	}
	if segment == "" {
		return ""
	}
	return within(n.any)
}

// maxSteps bounds the search for a path in a tree.
const maxSteps = 1000

// parts are the texts around the placeholders of a segment; one if there is none.
// ok is false if braces do not belong together.
func parts(segment string) (out []string, ok bool) {
	for {
		i := strings.IndexAny(segment, "{}")
		if i < 0 {
			return append(out, segment), true
		}
		n := strings.IndexAny(segment[i+1:], "{}")
		if segment[i] == '}' || n < 1 || segment[i+1+n] != '}' {
			return nil, false
		}
		out = append(out, segment[:i])
		segment = segment[i+n+2:]
	}
}

// fits says whether a segment has the texts of parts in their order, with
// something between each.
func fits(parts []string, segment string) bool {
	rest, ok := strings.CutPrefix(segment, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, text := range parts[1:last] {
		if rest == "" {
			return false
		}
		i := strings.Index(rest[1:], text)
		if i < 0 {
			return false
		}
		rest = rest[1+i+len(text):]
	}
	return len(rest) > len(parts[last]) && strings.HasSuffix(rest, parts[last])
}
