package media

import (
	"strconv"

	"understudy.dev/comparator/diff"
)

// Place says where in the body a location of the document is, in words of the
// body: "line 4: $.at", "/order/item[2]/@id". A location that the document
// does not have, since only the other side does, is told as well as can be.
func (d Document) Place(location string) string {
	if d.place == nil {
		return location
	}
	if text := d.place(steps(location)); text != "" {
		return text
	}
	return location
}

// Name is what the value at a location is called: key, the innermost member
// that package diff gives, unless the format has a better name.
func (d Document) Name(location, key string) string {
	if d.name != nil {
		if name := d.name(steps(location)); name != "" {
			return name
		}
	}
	return key
}

// location writes steps as package diff does.
func location(ss []step) string {
	out := "$"
	for _, s := range ss {
		if s.index >= 0 {
			out += "[" + strconv.Itoa(s.index) + "]"
		} else {
			out = diff.Member(out, s.name)
		}
	}
	return out
}

// within adds a location inside a value to the place of the value.
func within(place string, ss []step) string {
	if len(ss) == 0 {
		return place
	}
	return place + ": " + location(ss)
}

// elements gives the places of a list, each by its position, and of what is
// inside them.
func elements(place func(i int) string) func([]step) string {
	return func(ss []step) string {
		if len(ss) == 0 || ss[0].index < 0 {
			return ""
		}
		return within(place(ss[0].index), ss[1:])
	}
}

// numbered is the place of an element that stands at a line of its own: "line
// 4". Beyond the last one, which only the other side has, the count goes on.
func numbered(word string, at []int) func(i int) string {
	return func(i int) string {
		switch {
		case i < len(at):
			i = at[i]
		case len(at) > 0:
			i = at[len(at)-1] + i - len(at) + 1
		default:
			i++
		}
		return word + " " + strconv.Itoa(i)
	}
}

// counted is the place of an element that is only counted.
func counted(word string) func(i int) string { return numbered(word, nil) }
