package media

import (
	"slices"
	"strconv"
	"strings"
)

// element of XML or HTML.
type element struct {
	name, space string
	attributes  []attribute
	children    []child
	// ordinal counts the siblings of one name from 1; alone says that there
	// are no others.
	ordinal int
	alone   bool
}

type attribute struct{ name, value string }

// child is an element, or a text where that is nil. Parsers give texts in
// pieces, of which there may be very many.
type child struct {
	element *element
	text    []byte
}

// addText adds a text to the one before it, if that is the last child.
func (e *element) addText(text []byte) {
	if n := len(e.children); n > 0 && e.children[n-1].element == nil {
		e.children[n-1].text = append(e.children[n-1].text, text...)
		return
	}
	e.children = append(e.children, child{text: slices.Clone(text)})
}

// number numbers the child elements by their names.
func (e *element) number() {
	seen := map[string]int{}
	for _, c := range e.children {
		if c.element != nil {
			seen[c.element.name]++
			c.element.ordinal = seen[c.element.name]
		}
	}
	for _, c := range e.children {
		if c.element != nil {
			c.element.alone = seen[c.element.name] == 1
		}
	}
}

// element writes {"name":[{"@attribute":"value"},child,…]}. The namespace of an
// element is its attribute xmlns where it is not that of its parent.
func (w *writer) element(e *element, parentSpace string) {
	w.open('{')
	w.inside(e, parentSpace)
	w.close('}')
}

func (w *writer) inside(e *element, parentSpace string) {
	e.number()
	w.key(e.name)
	w.open('[')
	w.open('{')
	if e.space != parentSpace {
		w.member("@xmlns", e.space)
	}
	for _, a := range e.attributes {
		w.member("@"+a.name, a.value)
	}
	w.close('}')
	for _, c := range e.children {
		if w.err != nil {
			return
		}
		if c.element == nil {
			w.text(string(c.text))
		} else {
			w.element(c.element, e.space)
		}
	}
	w.close(']')
}

// placeOf gives places as XPath does: /order/item[2]/@id.
func placeOf(root *element) func([]step) string {
	return func(ss []step) string {
		if len(ss) == 0 || ss[0].name != root.name {
			return ""
		}
		place, e := "/"+root.name, root
		for ss = ss[1:]; len(ss) > 0; {
			i := ss[0].index - 1
			switch {
			case i == -1 && len(ss) > 1 && ss[1].index < 0:
				return place + "/" + ss[1].name
			case i == -1:
				return place + "/@*"
			case i < 0 || i >= len(e.children):
				return within(place, ss)
			case e.children[i].element == nil:
				return place + "/text()"
			}
			e = e.children[i].element
			place += "/" + e.name
			if !e.alone {
				place += "[" + strconv.Itoa(e.ordinal) + "]"
			}
			if ss = ss[1:]; len(ss) > 0 {
				if ss[0].name != e.name {
					return place
				}
				ss = ss[1:]
			}
		}
		return place
	}
}

// attributeName takes the mark of an attribute off a name.
func attributeName(ss []step) string {
	for _, s := range slices.Backward(ss) {
		if s.index < 0 {
			name, _ := strings.CutPrefix(s.name, "@")
			return name
		}
	}
	return ""
}
