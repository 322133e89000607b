// Package setting says what is wrong with a setting, by the name under which
// the user wrote it. The Validate of a room speaks of its own keys; its caller,
// who knows under which section they stand, puts that before them.
package setting

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one value that cannot be used.
type Problem struct {
	// Path leads to the setting from the struct that was validated, in the
	// names of the YAML file: "protocol", "rules[2].key".
	Path string
	// Value is what was given; nil where there is none or it may be a secret.
	Value any
	// Fault goes on where the value ends: "is not one of a, b".
	Fault string
}

// Error implements error.
func (p Problem) Error() string { return p.Path + ": " + p.Text() }

// Text is the value and what is wrong with it.
func (p Problem) Text() string {
	switch v := p.Value.(type) {
	case nil:
		return p.Fault
	case string:
		return strconv.Quote(v) + " " + p.Fault
	default:
		return fmt.Sprint(v) + " " + p.Fault
	}
}

// Problems are those of one struct; the zero value is ready for use.
type Problems []Problem

// Error implements error: one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is nil when there is no problem.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Require notes the fault unless ok.
func (ps *Problems) Require(ok bool, path string, value any, fault string) {
	if !ok {
		*ps = append(*ps, Problem{path, value, fault})
	}
}

// OneOf requires one of the values of an enumeration.
func (ps *Problems) OneOf(path, value string, allowed ...string) {
	ps.Require(slices.Contains(allowed, value), path, value, "is not one of "+strings.Join(allowed, ", "))
}

// Under takes over the problems that err holds, which are those of the struct
// at path. An error of another kind becomes the fault of path itself.
func (ps *Problems) Under(path string, err error) {
	var below Problems
	switch {
	case err == nil:
	case errors.As(err, &below):
		for _, p := range below {
			p.Path = Join(path, p.Path)
			*ps = append(*ps, p)
		}
	default:
		*ps = append(*ps, Problem{Path: path, Fault: err.Error()})
	}
}

// Join puts two parts of a path together; the second may be an index.
func Join(path, rest string) string {
	if path == "" || rest == "" || rest[0] == '[' {
		return path + rest
	}
	return path + "." + rest
}

// Index is the path of an element of a list.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Member is the path of an entry of a map, whose key is the user's own word.
func Member(path, key string) string { return path + "[" + strconv.Quote(key) + "]" }
