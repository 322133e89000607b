package media

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// openXML opens XML by its information set: names with their namespaces and
// not their prefixes, attributes in no order, CDATA as text. White space between
// elements is part of what it says, unless that is known from the vocabulary (XHTML,
// SVG), or has line breaks and stands where there is no other text: then it is set
// aside as indentation.
func openXML(s *source) (Document, error) {
	text, err := s.text(XML)
	if err != nil {
		return Document{}, err
	}
	x := xmlReader{source: s, decoder: xml.NewDecoder(bytes.NewReader(withPlainBlanks(text)))}
	x.decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is decoded
	if err := x.read(); err != nil {
		return Document{}, err
	}
	w := newWriter(s.options.Limits)
	w.element(x.root, "")
	d, err := w.document(XML)
	d.place, d.name = placeOf(x.root), attributeName
	if x.comments.Len() > 0 {
		d.Aside = append(d.Aside, Aside{Comments, comment(&x.comments)})
	}
	if len(x.indents) > 0 {
		d.Aside = append(d.Aside, Aside{Indentation, bounded(string(x.indents), maxAside)})
	}
	return d, err
}

type xmlReader struct {
	*source
	decoder  *xml.Decoder
	root     *element
	open     []*element
	spacing  []spacing // of each open element
	nodes    int
	comments strings.Builder
	indents  []byte // the indentation that was set aside, and where it stood
	// bound are the namespaces of each prefix, the innermost last, and declared
	// the prefixes that each open element has bound.
	bound    map[string][]string
	declared [][]string
	// subset is the part of the document type that changes what the document
	// says: entities and defaults of attributes.
	subset string
	// instructions are those to programs outside the root element: which stylesheet
	// shows the document, which program opens it.
	instructions strings.Builder
}

func (x *xmlReader) read() error {
	for {
		token, err := x.decoder.Token()
		if errors.Is(err, io.EOF) {
			if x.root == nil {
				return x.wrong("no element")
			}
			x.instructed()
			return nil
		}
		if err != nil {
			what := err.Error()
			if e := (*xml.SyntaxError)(nil); errors.As(err, &e) {
				what = fmt.Sprintf("%s in line %d", e.Msg, e.Line)
			}
			return x.wrong(what)
		}
		if x.nodes++; x.nodes > x.options.Nodes {
			return beyond("nodes", x.options.Nodes)
		}
		if err := x.token(token); err != nil {
			return err
		}
	}
}

func (x *xmlReader) wrong(what string) error { return x.syntax(XML, x.decoder.InputOffset(), what) }

func (x *xmlReader) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return x.start(t)
	case xml.EndElement:
		n := len(x.open) - 1
		switch x.spacing[n] {
		case ofData:
			x.setIndentAside(x.open[n])
		case ofHTML:
			x.open[n].collapse(blocks)
		case ofSVG:
			x.open[n].collapse(paragraphs)
		}
		if only := x.open[n].children; len(only) == 1 && only[0].element == nil {
			only[0].text = []byte(x.qualified(string(only[0].text)))
		}
		for _, prefix := range x.declared[n] {
			x.bound[prefix] = x.bound[prefix][:len(x.bound[prefix])-1]
		}
		x.open, x.spacing, x.declared = x.open[:n], x.spacing[:n], x.declared[:n]
	case xml.CharData:
		switch {
		case len(x.open) > 0:
			x.open[len(x.open)-1].addText(t)
		case len(bytes.TrimSpace(t)) > 0:
			return x.wrong("text outside the root element")
		}
	case xml.Comment:
		fmt.Fprintf(&x.comments, "%s\n", t)
	case xml.Directive:
		if bytes.Contains(t, []byte("<!ATTLIST")) || bytes.Contains(t, []byte("<!ENTITY")) {
			x.subset += "<!" + strings.Join(strings.Fields(string(t)), " ") + ">"
			break
		}
		fmt.Fprintf(&x.comments, "<!%s>\n", t)
	case xml.ProcInst:
		if t.Target != "xml" {
			x.instruct(t)
		}
	}
	return nil
}

// The namespaces that every document has without declaring them, or by custom.
var wellKnown = map[string]string{
	"http://www.w3.org/XML/1998/namespace": "xml:",
	"xml":                                  "xml:",
	"http://www.w3.org/2001/XMLSchema-instance": "xsi:",
}

func (x *xmlReader) start(t xml.StartElement) error {
	if len(x.open) >= x.options.Depth {
		return beyond("elements in each other", x.options.Depth)
	}
	e := &element{name: t.Name.Local, space: t.Name.Space}
	spaced := x.spacingOf(t.Name)
	x.declare(t.Attr)
	if x.subset != "" && x.root == nil {
		e.attributes = append(e.attributes, attribute{"!DOCTYPE", x.subset})
	}
	for _, a := range t.Attr {
		if isDeclaration(a) {
			continue
		}
		name := a.Name.Local
		if known, ok := wellKnown[a.Name.Space]; ok {
			name = known + name
		} else if a.Name.Space != "" {
			name = "{" + a.Name.Space + "}" + name
		}
		if name == "xml:space" && a.Value == "preserve" {
			spaced = kept
		} else if name == "xml:space" && spaced == kept {
			spaced = ofData
		}
		e.attributes = append(e.attributes, attribute{name, x.qualified(a.Value)})
		x.nodes++
	}
	slices.SortStableFunc(e.attributes, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(e.attributes); i++ {
		if e.attributes[i-1].name == e.attributes[i].name {
			return x.wrong("an attribute twice")
		}
	}
	switch {
	case len(x.open) > 0:
		parent := x.open[len(x.open)-1]
		parent.children = append(parent.children, child{element: e})
	case x.root != nil:
		return x.wrong("a second root element")
	default:
		x.root = e
	}
	x.open, x.spacing = append(x.open, e), append(x.spacing, spaced)
	return nil
}

// instruction begins the name of what a processing instruction is in the document: an
// element where it stands in one, and all others an attribute of the root.
const instruction = "?"

func (x *xmlReader) instruct(t xml.ProcInst) {
	text := strings.Join(strings.Fields(string(t.Inst)), " ")
	if len(x.open) == 0 {
		x.instructions.WriteString("<?" + t.Target + " " + text + "?>")
		return
	}
	e := &element{name: instruction + t.Target}
	e.addText([]byte(text))
	parent := x.open[len(x.open)-1]
	parent.children = append(parent.children, child{element: e})
	x.nodes++
}

// instructed gives the root what stood outside of it.
func (x *xmlReader) instructed() {
	if x.instructions.Len() > 0 {
		x.root.attributes = slices.Insert(x.root.attributes, 0, attribute{instruction, x.instructions.String()})
	}
}

// isDeclaration says whether an attribute binds a prefix, or none, to a namespace.
func isDeclaration(a xml.Attr) bool {
	return a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns"
}

// declare binds the prefixes of the element that begins.
func (x *xmlReader) declare(attributes []xml.Attr) {
	var prefixes []string
	for _, a := range attributes {
		if a.Name.Space != "xmlns" {
			continue
		}
		if x.bound == nil {
			x.bound = map[string][]string{}
		}
		x.bound[a.Name.Local] = append(x.bound[a.Name.Local], a.Value)
		prefixes = append(prefixes, a.Name.Local)
	}
	x.declared = append(x.declared, prefixes)
}

// qualified puts the namespace in the place of its prefix, in a value that is a
// qualified name, as that of xsi:type: the prefix says nothing by itself.
func (x *xmlReader) qualified(value string) string {
	prefix, local, ok := strings.Cut(strings.TrimSpace(value), ":")
	if spaces := x.bound[prefix]; ok && len(spaces) > 0 && local != "" && !strings.ContainsAny(local, " \t\r\n:/?#{}") {
		return "{" + spaces[len(spaces)-1] + "}" + local
	}
	return value
}
