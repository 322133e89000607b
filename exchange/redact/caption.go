package redact

import "strings"

// caption is what a page says of a value before it, in an element of its own:
// <td>API key</td><td>…</td>, <label>Secret</label><input value=…>, or in the head of
// the column in which it stands.
type caption struct {
	name    *name // nil for none
	element string
	// columns are the captions of those of a table, and column is that of a cell.
	columns []*name
	column  int
}

// maxCells bounds the cells of a row that are looked at, and maxCaption is how long a
// caption is at most, in bytes.
const (
	maxCells   = 64
	maxCaption = 64
)

// pageElements are those of pages that hold texts, in which a caption may stand in
// another one than its value.
var pageElements = setOf("td th dt dd li p b i em tt strong code pre kbd samp span div label output a h1 h2 h3 h4 h5 h6 input button textarea option")

// enter notes that an element begins.
func (c *caption) enter(element string) {
	switch element {
	case "table":
		*c = caption{}
	case "tr":
		c.column = 0
	case "td", "th":
		c.column++
	}
}

// of is what is known of a value in an element: by its caption, if it has one that
// may be about it.
func (c *caption) of(element string, n *name) *name {
	element = strings.ToLower(element)
	switch {
	case c.name != nil && (element == c.element || pageElements[element] && pageElements[c.element]):
		return c.name
	case element == "td" && c.column > 0 && c.column <= len(c.columns) && c.columns[c.column-1] != nil:
		return c.columns[c.column-1]
	}
	return n
}

// captioned is what is known of a text in an element, which may be a caption itself.
func (m *markup) captioned(element string, n *name, text string) *name {
	c := &m.caption
	if n.secret {
		c.name = nil
		return n
	}
	if isTelling(text) && strings.IndexByte(text, ' ') < 0 {
		n = c.of(element, n)
		c.name = nil
		return n
	}
	c.name = m.w.captionOf(text)
	if c.element = strings.ToLower(element); c.element == "th" && c.column > 0 && c.column <= maxCells {
		for len(c.columns) < c.column {
			c.columns = append(c.columns, nil)
		}
		c.columns[c.column-1] = c.name
	}
	return n
}

// captionOf is the name of secrets with which a short text ends, or that it is; nil
// if that is none.
func (w *work) captionOf(text string) *name {
	text = strings.TrimRight(text, " \t\r\n:=")
	if text == "" || len(text) > maxCaption {
		return nil
	}
	last := text[strings.LastIndexByte(text, ' ')+1:]
	n := w.r.nameOf(last)
	if secretByTwo[n.lower] {
		n = w.twoWords(text, last)
	}
	if !n.secret {
		return nil
	}
	return n
}
