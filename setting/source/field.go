package source

import (
	"reflect"
	"strings"
	"time"

	"understudy.dev/setting"
)

// Field is one key of a section.
type Field struct {
	// Key is its name in the file.
	Key string
	// Owner and Name are the struct that declares it and its name in Go.
	Owner reflect.Type
	Name  string
	Type  reflect.Type
	// Hidden fields are not in the file; a flag may set them.
	Hidden bool
	index  []int
}

// Fields are the keys of a section; those of inlined structs are its own.
func Fields(t reflect.Type) []Field {
	var out []Field
	seen := map[string]bool{}
	var add func(t reflect.Type, index []int)
	add = func(t reflect.Type, index []int) {
		for i := range t.NumField() {
			f := t.Field(i)
			at := append(append([]int(nil), index...), i)
			tag, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case !f.IsExported():
				continue
			case options == "inline":
				add(f.Type, at)
				continue
			}
			key, hidden := tag, tag == "-"
			if hidden || key == "" {
				key = strings.ToLower(f.Name)
			}
			if !seen[key] {
				seen[key] = true
				out = append(out, Field{Key: key, Owner: t, Name: f.Name, Type: f.Type, Hidden: hidden, index: at})
			}
		}
	}
	add(t, nil)
	return out
}

// Of is the field's value in a struct of the type it was listed for.
func (f Field) Of(v reflect.Value) reflect.Value { return v.FieldByIndex(f.index) }

// Setting is one value of a configuration: whatever is not a section.
type Setting struct {
	Path  string
	Field Field
	Value reflect.Value
}

// Settings lists all of a struct, in its order.
func Settings(v reflect.Value) []Setting {
	var out []Setting
	var add func(v reflect.Value, path string)
	add = func(v reflect.Value, path string) {
		for _, f := range Fields(v.Type()) {
			at := setting.Join(path, f.Key)
			if IsSection(f.Type) {
				add(f.Of(v), at)
				continue
			}
			out = append(out, Setting{at, f, f.Of(v)})
		}
	}
	add(v, "")
	return out
}

// IsSection says that a type holds keys of its own.
func IsSection(t reflect.Type) bool { return t.Kind() == reflect.Struct }

var duration = reflect.TypeFor[time.Duration]()

// TypeName says in the user's words what a value is.
func TypeName(t reflect.Type) string {
	switch {
	case t == duration:
		return "duration"
	case t.Kind() == reflect.Pointer:
		return TypeName(t.Elem())
	case t.Kind() == reflect.Slice && IsSection(t.Elem()):
		return "list of sections"
	case t.Kind() == reflect.Slice:
		return "list of " + TypeName(t.Elem())
	case t.Kind() == reflect.Map:
		return TypeName(t.Key()) + " → " + TypeName(t.Elem())
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Float64:
		return "number"
	default:
		return "whole number"
	}
}

// Fault says why a value that was given cannot be of a type.
func Fault(t reflect.Type, numeric bool) string {
	switch {
	case t == duration && numeric:
		return "has no unit; want a duration such as 5s"
	case t == duration:
		return "is not a duration; want a duration such as 5s"
	case t.Kind() == reflect.Bool:
		return "is neither true nor false"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "is not a number"
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return "is not a whole number of 0 or more that fits"
	default:
		return "is not a whole number that fits"
	}
}
