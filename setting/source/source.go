// Package source reads settings from a YAML file into a struct and remembers
// where each value came from, so that a mistake can be told with its place,
// also when only a later validation sees it.
package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"understudy.dev/setting"
)

// Kind of an Origin, in the order of precedence.
type Kind int

// The kinds of origins.
const (
	Default Kind = iota
	File
	Environment
	Flag
)

// Origin says where a value came from.
type Origin struct {
	Kind Kind
	// Name of the file, the variable or the flag.
	Name string
	// Line and Column in the file, from 1.
	Line, Column int
}

// String implements fmt.Stringer.
func (o Origin) String() string {
	switch o.Kind {
	case File:
		return fmt.Sprintf("%s:%d", o.Name, o.Line)
	case Environment:
		return "environment " + o.Name
	case Flag:
		return "flag " + o.Name
	default:
		return "default"
	}
}

// Origins of all values that are not defaults, by path.
type Origins map[string]Origin

// Set notes where the value at a path now comes from, with all it holds.
func (o Origins) Set(path string, from Origin) {
	for p := range o {
		if within(p, path) {
			delete(o, p)
		}
	}
	o[path] = from
}

// Near is the origin of the value at path, or of the closest thing around it
// that has one.
func (o Origins) Near(path string) Origin {
	for path != "" {
		if from, ok := o[path]; ok {
			return from
		}
		path = parent(path)
	}
	return Origin{}
}

// within says that path is outer or lies in it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// parent is the path of what holds the value at path. In the key of a map it may
// cut at a dot or bracket of the user's, which leads to what has no origin and
// then to the map.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// Mistake is a problem and the place where the user made it.
type Mistake struct {
	setting.Problem
	From Origin
}

// Error names the place, and the path where the place does not tell it.
func (m Mistake) Error() string {
	switch {
	case m.From.Kind == Environment || m.From.Kind == Flag:
		return m.From.Name + ": " + m.Text()
	case m.From.Kind == File && m.Path == "":
		return fmt.Sprintf("%s:%d:%d: %s", m.From.Name, m.From.Line, m.From.Column, m.Text())
	case m.From.Kind == File:
		return fmt.Sprintf("%s:%d:%d: %s", m.From.Name, m.From.Line, m.From.Column, m.Problem.Error())
	default:
		return m.Problem.Error()
	}
}

// Mistakes are what is wrong with the settings as a whole.
type Mistakes []Mistake

// Error implements error: one mistake a line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is nil when there is no mistake. Those of the file come first, by line.
func (ms Mistakes) Err() error {
	if len(ms) == 0 {
		return nil
	}
	return ms.sorted()
}

func (ms Mistakes) sorted() Mistakes {
	out := slices.Clone(ms)
	slices.SortStableFunc(out, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.From.Line, b.From.Line), cmp.Compare(a.From.Column, b.From.Column))
	})
	return out
}

// rank puts the file first.
func rank(m Mistake) int {
	if m.From.Kind == File {
		return 0
	}
	return 1 + int(m.From.Kind)
}

// With adds the problems that a validation found to the mistakes that were
// found before; of one value only the first mistake is told.
func (ms Mistakes) With(origins Origins, err error) Mistakes {
	var found setting.Problems
	found.Under("", err)
	out := slices.Clone(ms)
	for _, p := range found {
		known := slices.ContainsFunc(ms, func(m Mistake) bool {
			return m.Path != "" && (within(p.Path, m.Path) || within(m.Path, p.Path))
		})
		if !known {
			out = append(out, Mistake{p, origins.Near(p.Path)})
		}
	}
	return out
}

// Of returns the mistakes that err holds.
func Of(err error) Mistakes {
	var ms Mistakes
	errors.As(err, &ms)
	return ms
}
