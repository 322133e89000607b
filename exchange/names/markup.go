package names

import "strings"

// markup is what attributes and cells of tables call the values of a document that
// XML or HTML was opened as: {"input":[{"@name":"order_id","@value":"17"}]}.
type markup struct {
	// labels are what the open containers call what is in them, by depth.
	labels []string
	// heading is the text of the last heading cell, and cells how deep that stood.
	heading string
	cells   int
	// columns are the headings of those of a table, column is which cell of a row was
	// the last, from 1, and mixed says that the row has not only headings.
	columns []string
	column  int
	mixed   bool
}

// maxColumns bounds the columns of a table whose headings are kept.
const maxColumns = 256

// naming are the attributes that say what an element is about, the first of them
// that is there; valued are those that hold its value.
var (
	naming = []string{"@name", "@itemprop", "@property", "@id"}
	valued = set("@value @content")

	headings = set("th dt")
	cells    = set("td dd")
)

// begin follows a container that begins; d has entered it.
func (m *markup) begin(d *document) {
	n := len(d.brackets)
	label := ""
	if n > 1 && d.brackets[n-1] == '{' && d.brackets[n-2] == '[' && d.body[d.at-2] == '[' {
		label = d.attributed()
		element := d.enclosing[n-2]
		m.enter(element)
		switch {
		case label != "":
		case element == "option":
			label = m.ofSelect(d)
		case cells[element] && m.cells == n && m.heading != "":
			label = m.heading
		case element == "td" && m.column <= len(m.columns):
			label = m.columns[m.column-1]
		case element == "tr" || element == "dl":
			m.heading = ""
		}
		m.labels[n-2] = label // of its texts, too
	}
	m.labels = append(m.labels[:n-1], label)
}

// enter follows the cells of tables. A row with a value in it has headings of its own
// only.
func (m *markup) enter(element string) {
	switch element {
	case "table":
		m.columns, m.column = nil, 0
	case "tr":
		m.column, m.mixed = 0, false
	case "th":
		m.column++
	case "td":
		m.column++
		if !m.mixed && m.heading != "" {
			m.columns = nil // of this row
		}
		m.mixed = true
	}
}

// ofSelect is what the list is called that an option stands in.
func (m *markup) ofSelect(d *document) string {
	for i := len(m.labels) - 1; i >= 0; i-- {
		if d.enclosing[i] == "select" && d.brackets[i] == '[' {
			return m.labels[i]
		}
	}
	return ""
}

// text notes the text of a heading cell.
func (m *markup) text(d *document, text string) {
	if n := len(d.brackets); n > 0 && d.brackets[n-1] == '[' && headings[d.name] && len(text) <= maxLabel {
		m.heading, m.cells = strings.ReplaceAll(strings.TrimRight(text, ":.# "), " ", "_"), n+1
		if d.name == "th" && m.column > 0 && m.column <= maxColumns && !m.mixed {
			m.columns = append(m.columns, make([]string, max(0, m.column-len(m.columns)))...)
			m.columns[m.column-1] = m.heading
		}
	}
}

// place is that of the value that is read next, if something calls it.
func (m *markup) place(d *document) (at Place, label string, ok bool) {
	n := len(d.brackets)
	if n == 0 || m.labels[n-1] == "" || d.brackets[n-1] == '{' && !valued[d.name] {
		return Place{}, "", false
	}
	enclosing := d.enclosing
	if len(enclosing) > 1 && enclosing[1] == "html" {
		enclosing = nil // its elements say how a page looks
	} else if enclosing = enclosing[:n-1]; d.brackets[n-1] == '{' {
		enclosing = enclosing[:n-2]
	}
	at = d.member(m.labels[n-1], enclosing)
	return at, m.labels[n-1], at.Kind != ""
}

// attributed is what the attributes that come next call their element; "" if they
// do not, or only by what may be a name itself.
func (d *document) attributed() (label string) {
	best := len(naming)
	for at := d.at; at < len(d.body) && d.body[at] == '"'; {
		end, _ := stringEnd(d.body, at)
		name := d.body[at+1 : max(at+1, end-1)]
		if end+1 >= len(d.body) || d.body[end] != ':' || d.body[end+1] != '"' {
			break
		}
		at, _ = stringEnd(d.body, end+1)
		for i, n := range naming[:best] {
			if value := unquoted(d.body[end+2 : max(end+2, at-1)]); n == name && len(value) <= maxLabel && !hasDigit(value) {
				best, label = i, value
			}
		}
		if at < len(d.body) && d.body[at] == ',' {
			at++
		}
	}
	return label
}
