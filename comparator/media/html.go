package media

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// openHTML opens HTML by the tree that browsers make of it. Blanks are taken
// together as they are shown: not at all at the edges of blocks, as one within
// lines, as they are in pre, textarea, script and style.
func openHTML(s *source) (Document, error) {
	text, err := s.text(HTML)
	if err != nil {
		return Document{}, err
	}
	if err := affordable(text, s.options.Limits); err != nil {
		return Document{}, err
	}
	tree, err := html.Parse(bytes.NewReader(text))
	if err != nil { // nested deeper than the parser goes; nothing else is an error in HTML
		return Document{}, beyond("elements in each other", s.options.Depth)
	}
	h := htmlReader{limits: s.options.Limits}
	w := newWriter(s.options.Limits)
	var root *element
	w.open('{')
	for n := tree.FirstChild; n != nil; n = n.NextSibling {
		switch n.Type {
		case html.DoctypeNode:
			kind := n.Data
			for _, a := range n.Attr {
				kind += " " + a.Val
			}
			w.member("doctype", kind)
		case html.ElementNode:
			root = h.element(n, 0, false)
			w.inside(root, "")
		case html.CommentNode:
			fmt.Fprintln(&h.comments, n.Data)
		}
	}
	w.close('}')
	if h.err != nil {
		return Document{}, h.err
	}
	d, err := w.document(HTML)
	if root != nil {
		d.place, d.name = placeOf(root), attributeName
	}
	if h.comments.Len() > 0 {
		d.Aside = append(d.Aside, Aside{Comments, comment(&h.comments)})
	}
	return d, err
}

type htmlReader struct {
	limits   Limits
	comments strings.Builder
	err      error
}

// The elements that stand in lines; all others are blocks. An element that
// nobody knows stands in a line.
var blocks = set(`address article aside base blockquote body br center col colgroup dd details dialog dir div dl dt
	fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li link main
	menu meta nav noframes noscript ol optgroup option p param pre script search section source style summary table tbody td
	template tfoot th thead title tr track ul`)

var verbatim = set("pre textarea script style listing xmp plaintext")

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

func (h *htmlReader) element(n *html.Node, depth int, pre bool) *element {
	e := &element{name: n.Data, space: n.Namespace}
	if depth >= h.limits.Depth {
		h.err = beyond("elements in each other", h.limits.Depth)
		return e
	}
	pre = pre || verbatim[n.Data]
	for _, a := range n.Attr {
		name, value := a.Key, a.Val
		if a.Namespace != "" {
			name = a.Namespace + ":" + name
		}
		if name == "class" { // a set of words
			words := strings.Fields(value)
			slices.Sort(words)
			value = strings.Join(slices.Compact(words), " ")
		}
		e.attributes = append(e.attributes, attribute{name, value})
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			e.addText([]byte(c.Data))
		case html.ElementNode:
			e.children = append(e.children, child{element: h.element(c, depth+1, pre)})
		case html.CommentNode:
			fmt.Fprintln(&h.comments, c.Data)
		}
	}
	if !pre {
		e.collapse(blocks)
	}
	return e
}

// collapse takes blanks together; there are none at the edges of blocks.
func (e *element) collapse(blocks map[string]bool) {
	edge := func(i int) bool { // of a block
		if i < 0 || i >= len(e.children) {
			return blocks[e.name]
		}
		return e.children[i].element != nil && blocks[e.children[i].element.name]
	}
	for i, c := range e.children {
		if c.element != nil {
			continue
		}
		text := collapsed(c.text)
		if edge(i - 1) {
			text = bytes.TrimPrefix(text, []byte(" "))
		}
		if edge(i + 1) {
			text = bytes.TrimSuffix(text, []byte(" "))
		}
		e.children[i].text = text
	}
	e.children = slices.DeleteFunc(e.children, func(c child) bool { return c.element == nil && len(c.text) == 0 })
}

// collapsed makes one blank of each run of them. A no-break space is none.
func collapsed(text []byte) []byte {
	out := text[:0]
	blank := false
	for _, c := range text {
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' {
			if !blank {
				out = append(out, ' ')
			}
			blank = true
			continue
		}
		out, blank = append(out, c), false
	}
	return out
}

// The parser makes again in each block what is open of these.
var formatting = set("a b big code em font i nobr s small strike strong tt u")

// What bounds the reach of end tags of formatting elements.
var scopes = set("applet caption marquee object td template th")

// The start tags after which the parser may go on with the text before them:
// it passes over them, or the text of a table is put before it and they are
// not. Cells do so outside of tables.
var passing = set(`html head body td th tr tbody thead tfoot caption col colgroup frame frameset form select
	script style input template`)

// maxCopied bounds what the parser may copy in putting texts together, in
// bytes.
const maxCopied = 1 << 32

// affordable bounds what the parser makes of a text before it does: a few
// bytes can open elements that are made again in every block after them, and
// pieces of one text are put together one by one.
func affordable(text []byte, l Limits) error {
	z := html.NewTokenizer(bytes.NewReader(text))
	e := estimate{open: []map[string]int{{}}}
	for {
		switch z.Next() {
		case html.ErrorToken:
			return nil
		case html.TextToken:
			e.run += len(z.Raw())
			e.copied += e.run
			e.nodes += 1 + e.formats
		case html.CommentToken:
			e.run = 0
			e.nodes++
		case html.StartTagToken, html.SelfClosingTagToken:
			e.start(z)
			e.nodes += 1 + e.formats
		case html.EndTagToken:
			name, _ := z.TagName()
			e.end(string(name))
		}
		if e.nodes > l.Nodes {
			return beyond("elements", l.Nodes)
		}
		if e.copied > maxCopied {
			return beyond("bytes put together", maxCopied)
		}
	}
}

// estimate is never less than what the parser makes.
type estimate struct {
	// open counts the formatting elements that are open, by scope and name;
	// formats are all of them.
	open    []map[string]int
	formats int
	// run is the text that may still be put together, copied what was copied
	// for it.
	run, copied int
	// merged counts the attributes of html and body, which are put together in
	// one element.
	merged int
	nodes  int

	inSelect, inTable bool
}

func (e *estimate) start(z *html.Tokenizer) {
	raw, more := z.TagName()
	name, last := string(raw), len(e.open)-1
	switch {
	case name == "html" || name == "body":
		for more {
			_, _, more = z.TagAttr()
			e.merged++
		}
		e.copied += 100 * e.merged
	case formatting[name]:
		e.open[last][name]++
		e.formats++
	case scopes[name] && len(e.open) < 1000:
		e.open = append(e.open, map[string]int{})
	}
	e.inSelect, e.inTable = e.inSelect || name == "select", e.inTable || name == "table"
	cell := e.inTable && (name == "td" || name == "th")
	if (cell || !passing[name]) && !e.inSelect {
		e.run = 0
	}
}

func (e *estimate) end(name string) {
	last := len(e.open) - 1
	switch {
	case formatting[name] && e.open[last][name] > 0:
		e.open[last][name]--
		e.formats--
	case scopes[name] && last > 0: // the parser may not have seen a scope
		for name, n := range e.open[last] {
			e.open[last-1][name] += n
		}
		e.open = e.open[:last]
	}
	switch name {
	case "select":
		e.inSelect = false
	case "table", "template":
		e.inTable = false // it may have been the last one
	case "p", "br": // they make an element of their own
		e.nodes += 1 + e.formats
	}
}
