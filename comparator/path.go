package comparator

import (
	"errors"
	"strconv"
	"strings"
)

// segment is one step of a folded path: a member by its name, or the elements
// of an array.
type segment struct {
	name    string
	element bool
	// exact: the name stands in quotes, where a * is a star.
	exact bool
}

// The beginnings of paths that are names of fields rather than places in a
// document.
const (
	headerPath  = "header:"
	trailerPath = "trailer:"
)

// isFieldPath reports a path that is one segment, whatever is in it.
func isFieldPath(p string) bool {
	return strings.HasPrefix(p, headerPath) || strings.HasPrefix(p, trailerPath)
}

var errPath = errors.New(`want $.name, $["odd name"], $.list[]; a path of a field is header:NAME or trailer:NAME`)

// splitPath takes a folded path, or a pattern for one, apart: names after dots
// and, in brackets, names in the quotes of a Go or JSON string or nothing at
// all. It is the inverse of how package diff writes paths (diff.Member).
func splitPath(p string) ([]segment, error) {
	if isFieldPath(p) {
		return []segment{{name: p}}, nil
	}
	out := []segment{}
	end := strings.IndexAny(p, ".[")
	if end < 0 {
		end = len(p)
	}
	out, p = append(out, segment{name: p[:end]}), p[end:]
	for p != "" {
		switch {
		case strings.HasPrefix(p, "[]"):
			out, p = append(out, segment{element: true}), p[2:]
		case strings.HasPrefix(p, `["`):
			quoted, err := strconv.QuotedPrefix(p[1:])
			if err != nil || !strings.HasPrefix(p[1+len(quoted):], "]") {
				return nil, errPath
			}
			name, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, errPath
			}
			out, p = append(out, segment{name: name, exact: true}), p[len(quoted)+2:]
		case p[0] == '.':
			end := strings.IndexAny(p[1:], ".[") + 1
			if end == 0 {
				end = len(p)
			}
			if end == 1 {
				return nil, errPath
			}
			out, p = append(out, segment{name: p[1:end]}), p[end:]
		default:
			return nil, errPath
		}
	}
	return out, nil
}

// covers: * is any part of a segment, ** any number of segments.
func covers(pattern, path []segment) bool {
	for len(pattern) > 0 {
		if p := pattern[0]; p.name == "**" && !p.exact {
			for i := range len(path) + 1 {
				if covers(pattern[1:], path[i:]) {
					return true
				}
			}
			return false
		}
		if len(path) == 0 || !pattern[0].covers(path[0]) {
			return false
		}
		pattern, path = pattern[1:], path[1:]
	}
	return len(path) == 0
}

// ofElements says whether a pattern can cover the elements of an array.
func ofElements(pattern []segment) bool {
	if len(pattern) == 0 {
		return false
	}
	last := pattern[len(pattern)-1]
	return last.element || !last.exact && last.name == "**"
}

// covers: x-*-id covers x-a-id. Elements have no name, so only [] and a * on
// its own cover them.
func (p segment) covers(s segment) bool {
	switch {
	case p.name == "*" && !p.exact:
		return true
	case p.element || s.element:
		return p.element && s.element
	case p.exact || !strings.Contains(p.name, "*"):
		return p.name == s.name
	}
	return nameCovers(p.name, s.name)
}

// nameCovers: a * in the pattern stands for any text, also none.
func nameCovers(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, parts[last])
}
