package redact

import (
	"html"
	"strings"
)

// markup redacts XML and HTML: texts by their element, attributes by their name,
// and the value of a field by the name beside it (<input name=… value=…>). Only
// what is replaced changes; a document need not be well formed. rest is how much
// of the end of a document that is not whole cannot be told: a tag that is not
// closed.
func (w *work) markup(text string) (out string, rest int) {
	m := markup{w: w, src: text}
	trail := len(w.trail)
	m.run()
	w.trail = w.trail[:trail]
	return m.b.String() + text[m.done:], len(text) - m.end
}

type markup struct {
	w    *work
	src  string
	b    strings.Builder
	done int
	end  int // what stands before it has been looked at
	base int
	list []attribute // of the tag that is looked at
	// said are the names that attributes give to the texts of the elements that are
	// open (<entry key="password">), nil for most.
	said []*name
	// label is the name that the text of an element gives to that of its siblings
	// (<name>token</name><value>…</value>), whose parent is so deep.
	label   *name
	labelAt int
	caption caption
}

func (m *markup) replace(from, to int, with string) {
	m.b.WriteString(m.src[m.done:from])
	m.b.WriteString(with)
	m.done = to
}

func (m *markup) run() {
	m.base = len(m.w.trail)
	for at := 0; at < len(m.src); {
		i := strings.IndexByte(m.src[at:], '<')
		if i < 0 {
			m.content(at, len(m.src), true)
			m.end = len(m.src)
			return
		}
		m.content(at, at+i, true)
		at += i
		m.end = at
		next := m.tag(at)
		if next < 0 {
			return
		}
		at = next
		m.end = at
	}
}

// tag looks at what begins with < and returns where it ends; -1 if it does not.
func (m *markup) tag(at int) int {
	rest := m.src[at:]
	upTo := func(end string) int {
		if i := strings.Index(rest, end); i >= 0 {
			return at + i + len(end)
		}
		return -1
	}
	switch {
	case strings.HasPrefix(rest, "<!--"):
		end := upTo("-->")
		if end >= 0 {
			m.plain(at+4, end-3)
		}
		return end
	case strings.HasPrefix(rest, "<![CDATA["):
		end := upTo("]]>")
		if end >= 0 {
			m.content(at+len("<![CDATA["), end-3, false)
		}
		return end
	case strings.HasPrefix(rest, "<?"):
		end := upTo(">")
		if end >= 0 {
			m.plain(at+2, end-1)
		}
		return end
	case strings.HasPrefix(rest, "<!DOCTYPE") && strings.Contains(rest[:max(0, strings.IndexByte(rest, '>'))], "["):
		end := upTo("]")
		if end >= 0 {
			m.entities(at, end)
		}
		return end
	case strings.HasPrefix(rest, "</"):
		end := upTo(">")
		if end >= 0 {
			m.close(localName(strings.TrimSpace(m.src[at+2 : end-1])))
		}
		return end
	case len(rest) < 2 || !wordAt(rest, 1) && rest[1] != '!':
		return at + 1 // a character like any other
	}
	return m.open(at)
}

// close leaves an element, and those within it that were not closed.
func (m *markup) close(element string) {
	for i := len(m.w.trail) - 1; i >= max(m.base, len(m.w.trail)-maxUnclosed); i-- {
		if m.w.trail[i] == element {
			m.w.trail = m.w.trail[:i]
			m.said = m.said[:min(len(m.said), i-m.base)]
			if i < m.labelAt {
				m.label = nil
			}
			return
		}
	}
}

// maxUnclosed is how many elements may be left open within one that is closed.
const maxUnclosed = 64

func localName(s string) string { return s[strings.LastIndexByte(s, ':')+1:] }

// attribute is one of a tag: its name, and where its value stands.
type attribute struct {
	name     string
	from, to int
}

const (
	maxAttributes = 256
	maxElements   = 1000 // that nest; of deeper ones the path is not known
)

// open looks at the tag that begins an element.
func (m *markup) open(at int) int {
	end := at + 1
	for end < len(m.src) && strings.IndexByte(" \t\r\n/>", m.src[end]) < 0 {
		end++
	}
	element := localName(m.src[at+1 : end])
	attributes, end, closed := m.attributes(m.list[:0], end)
	m.list = attributes
	if end < 0 {
		return -1
	}
	m.caption.enter(strings.ToLower(element))
	about, said := nameless, (*name)(nil)
	for _, a := range attributes {
		switch lower := strings.ToLower(a.name); lower {
		case "id", "data-name": // classes say how something looks
			if n := m.w.r.nameOf(m.src[a.from:a.to]); n.secret && pageElements[strings.ToLower(element)] {
				m.caption.name, m.caption.element = n, strings.ToLower(element)
			}
		case "name", "key", "property", "field":
			if n := m.w.r.nameOf(m.src[a.from:a.to]); n.secret {
				said = n
			}
		}
		switch strings.ToLower(a.name) {
		case "name", "id", "property", "itemprop", "http-equiv", "key", "type", "autocomplete", "field":
			if n := m.w.r.nameOf(m.src[a.from:a.to]); !about.secret && (n.secret || n.hint != 0 || len(n.rules) > 0) {
				about = n
			}
		}
	}
	m.w.trail = append(m.w.trail, element)
	if said != nil {
		for len(m.said) < len(m.w.trail)-m.base-1 {
			m.said = append(m.said, nil)
		}
		m.said = append(m.said, said)
	}
	for _, a := range attributes {
		n := m.w.r.nameOf(localName(a.name))
		switch isValue := n.lower == "value" || n.lower == "content"; {
		case isValue && about != nameless:
			n = about
		case isValue && !n.secret && isTelling(m.src[a.from:a.to]):
			n = m.caption.of(element, n)
		}
		m.w.trail = append(m.w.trail, "@"+n.lower)
		m.value(n, a.from, a.to)
		m.w.trail = m.w.trail[:len(m.w.trail)-1]
	}
	lower := strings.ToLower(element)
	switch {
	case closed || voids[lower] || element[0] == '!' || len(m.w.trail)-m.base > maxElements:
		m.w.trail = m.w.trail[:len(m.w.trail)-1]
		m.said = m.said[:min(len(m.said), len(m.w.trail)-m.base)]
	case lower == "script" || lower == "style":
		behind := endOf(m.src, end, lower)
		m.script(end, behind)
		end = behind
	}
	return end
}

// endOf is where the end of an element stands, or the end of the text.
func endOf(text string, from int, element string) int {
	for {
		i := strings.Index(text[from:], "</")
		if i < 0 {
			return len(text)
		}
		from += i
		if name := text[from+2 : min(len(text), from+2+len(element))]; strings.EqualFold(name, element) {
			return from
		}
		from += 2
	}
}

var voids = setOf("area base br col embed hr img input link meta source track wbr")

// attributes reads those of a tag up to its end, -1 if it has none.
func (m *markup) attributes(out []attribute, at int) (list []attribute, end int, closed bool) {
	for at < len(m.src) {
		switch c := m.src[at]; {
		case c == '>':
			return out, at + 1, m.src[at-1] == '/'
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' || c == '=' || c == '"' || c == '\'':
			at++
		default:
			from := at
			for at < len(m.src) && strings.IndexByte(" \t\r\n/>=", m.src[at]) < 0 {
				at++
			}
			a := attribute{name: m.src[from:at]}
			for at < len(m.src) && strings.IndexByte(" \t\r\n", m.src[at]) >= 0 {
				at++
			}
			if at >= len(m.src) || m.src[at] != '=' {
				continue
			}
			at++
			for at < len(m.src) && strings.IndexByte(" \t\r\n", m.src[at]) >= 0 {
				at++
			}
			if at >= len(m.src) {
				return nil, -1, false
			}
			if q := m.src[at]; q == '"' || q == '\'' {
				i := strings.IndexByte(m.src[at+1:], q)
				if i < 0 {
					return nil, -1, false
				}
				a.from, a.to = at+1, at+1+i
				at = a.to + 1
			} else {
				a.from = at
				for at < len(m.src) && strings.IndexByte(" \t\r\n>", m.src[at]) < 0 {
					at++
				}
				a.to = at
			}
			if len(out) < maxAttributes {
				out = append(out, a)
			} else {
				m.value(m.w.r.nameOf(localName(a.name)), a.from, a.to)
			}
		}
	}
	return nil, -1, false
}

// content redacts the text of an element, by the element's name or by that which
// an attribute or a sibling gives it.
func (m *markup) content(from, to int, escaped bool) {
	for from < to && m.src[from] <= ' ' {
		from++
	}
	for to > from && m.src[to-1] <= ' ' {
		to--
	}
	if from >= to {
		return
	}
	n := m.nameOfContent(m.src[from:to])
	if depth := len(m.w.trail) - m.base; depth > 0 {
		n = m.captioned(m.w.trail[len(m.w.trail)-1], n, m.src[from:to])
	}
	if escaped {
		m.value(n, from, to)
	} else if out, _, changed := m.w.text(inXML, n, m.src[from:to]); changed && !strings.Contains(out, "]]>") {
		m.replace(from, to, out)
	}
}

func (m *markup) nameOfContent(text string) *name {
	depth := len(m.w.trail) - m.base
	if depth == 0 {
		return nameless
	}
	n := m.w.r.nameOf(m.w.trail[len(m.w.trail)-1])
	switch {
	case n.secret:
	case len(m.said) == depth && m.said[depth-1] != nil:
		return m.said[depth-1]
	case n.isValue && len(m.said) == depth-1 && depth > 1 && m.said[depth-2] != nil:
		return m.said[depth-2]
	case n.isName && len(text) <= maxName:
		if m.label = m.w.r.nameOf(text); !m.label.secret {
			m.label = nil
		}
		m.labelAt = len(m.w.trail) - 1
	case m.label != nil && len(m.w.trail) > m.labelAt && m.w.r.nameOf(m.w.trail[m.labelAt]).isValue:
		return m.label
	}
	return n
}

// entities redacts the texts that a document type gives names: they stand where
// it cannot be seen what they are.
func (m *markup) entities(from, to int) {
	for at := from; at < to; {
		i := strings.Index(m.src[at:to], "<!ENTITY")
		if i < 0 {
			return
		}
		at += i
		end := strings.IndexByte(m.src[at:to], '>')
		if end < 0 {
			end = to - at
		}
		decl := m.src[at : at+end]
		q := strings.IndexAny(decl, "\"'")
		if q >= 0 && !strings.Contains(decl[:q], "SYSTEM") && !strings.Contains(decl[:q], "PUBLIC") {
			if n := strings.IndexByte(decl[q+1:], decl[q]); n > 0 {
				m.value(entity, at+q+1, at+q+1+n)
			}
		}
		at += max(end, 1)
	}
}

var entity = &name{lower: "!entity", secret: true}

func (m *markup) value(n *name, from, to int) {
	if from >= to {
		return
	}
	text := m.src[from:to]
	if strings.IndexByte(text, '&') >= 0 {
		text = html.UnescapeString(text)
	}
	out, _, changed := m.w.text(inXML, n, text)
	if changed {
		m.replace(from, to, html.EscapeString(out))
	}
}

// script redacts a program, or the data that stands where one would.
func (m *markup) script(from, to int) {
	text := strings.TrimSpace(m.src[from:to])
	if out, ok := m.w.document(text); ok {
		i := from + strings.Index(m.src[from:to], text)
		m.replace(i, i+len(text), out)
		return
	}
	m.plain(from, to)
}

func (m *markup) plain(from, to int) {
	if from >= to {
		return
	}
	if out := m.w.plain(m.src[from:to]); out != m.src[from:to] {
		m.replace(from, to, out)
	}
}
