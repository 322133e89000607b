package media

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strconv"
)

// spacing is what white space means in an element of XML.
type spacing int

const (
	// ofData: it parts elements, where there is no other text. XML itself does not
	// tell whether it says something there (XML 1.0, 2.10).
	ofData spacing = iota
	// kept: as it stands, by xml:space or in what shows text as it is written.
	kept
	// ofHTML, ofSVG: as it is shown.
	ofHTML
	ofSVG
)

// The vocabularies that say where white space matters, by namespace. Media types
// say them for documents that declare none.
const (
	spaceXHTML = "http://www.w3.org/1999/xhtml"
	spaceSVG   = "http://www.w3.org/2000/svg"
)

// paragraphs are the elements of SVG that hold text (SVG 2, 11), which begins and
// ends with them; what stands in them is part of it.
var paragraphs = set("text title desc")

// spacingOf is that of an element that begins in those that are open.
func (x *xmlReader) spacingOf(name xml.Name) spacing {
	around := ofData
	if n := len(x.spacing); n > 0 {
		around = x.spacing[n-1]
	}
	space := name.Space
	if space == "" {
		space = map[string]string{"application/xhtml+xml": spaceXHTML, "image/svg+xml": spaceSVG}[x.kind]
	}
	switch {
	case around == kept, space == spaceXHTML && verbatim[name.Local]:
		return kept
	case space == spaceXHTML:
		return ofHTML
	case space == spaceSVG && (paragraphs[name.Local] || around == ofSVG):
		return ofSVG
	}
	return ofData
}

// setIndentAside takes white space with line breaks out of an element that has no
// other text. What has none, as between two words in elements of their own, stays.
func (x *xmlReader) setIndentAside(e *element) {
	blank := func(c child) bool { return len(bytes.Trim(c.text, " \t\r\n")) == 0 }
	if slices.ContainsFunc(e.children, func(c child) bool { return c.element == nil && !blank(c) }) {
		return
	}
	left := e.children[:0]
	for i, c := range e.children {
		switch {
		case c.element != nil, len(c.text) > 0 && bytes.IndexByte(c.text, '\n') < 0:
			left = append(left, c)
		case len(c.text) > 0:
			if len(x.indents) > 0 {
				x.indents = append(x.indents, ", "...)
			}
			x.indents = append(append(x.indents, e.name...), '[')
			x.indents = append(strconv.AppendInt(x.indents, int64(i), 10), ']', ' ')
			x.indents = strconv.AppendQuote(x.indents, string(c.text))
		}
	}
	clear(e.children[len(left):])
	e.children = left
}
