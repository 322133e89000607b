package substitute

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// A number may stand without a word that says what it is: alone in a query or a
// list, in a text, in the name of a file. What was handed out as an identifier is
// looked for there too.

// longNumbers are those of longNumber digits and more that are words of a text.
var longNumbers = regexp.MustCompile(`\b\d{4,18}(?:\b|_)`)

// wordless looks for names in a text that has no name itself.
func (x *Exchange) wordless(f *names.Finder, text string) {
	if len(text) > maxExpression || !utf8.ValidString(text) {
		return
	}
	attached(f, text)
	for _, number := range longNumbers.FindAllString(text, maxTags) {
		x.anywhere(names.Name{Value: names.Value{Text: strings.TrimSuffix(number, "_")}}, false)
	}
}

// attached looks for numbers behind a kind that is glued to them: order-17.pdf.
func attached(f *names.Finder, text string) {
	for _, m := range glued.FindAllStringSubmatch(text, maxSaid) {
		f.Value(m[1], m[2])
	}
}

// written looks for names in a text of no format, or in the rows of a table by the
// names of its columns.
func (x *Exchange) written(f *names.Finder, contentType string, body []byte) {
	if formatOf(contentType, body) != asText {
		return
	}
	head, _, _ := bytes.Cut(body, []byte("\n"))
	if strings.Contains(message.MediaType(contentType), "csv") && bytes.IndexByte(head, ',') > 0 {
		lines(f, contentType, body)
		return
	}
	x.wordless(f, string(body))
}

// elements looks for names in a JSON document that is one, or a list of them.
func (x *Exchange) elements(f *names.Finder, body []byte) {
	document, _ := names.Parse(body)
	scalar := func(t names.Tree) {
		if t.Is(names.Number) || t.Is(names.String) && names.IsDigits(t[0].Text) {
			x.wordless(f, t[0].Text)
		}
	}
	if document == nil {
		return
	}
	scalar(document)
	for e := range document.Elements() {
		scalar(e)
	}
}

// inFields looks for names in the texts of header fields (X-Ctx: order=17;item=18).
func (x *Exchange) inFields(f *names.Finder, headers []*understudyv1.Header) {
	for _, h := range headers {
		value := string(h.GetValue())
		if !hasNames(h.GetName()) || names.IsLink(value) {
			continue
		}
		if strings.ContainsAny(value, "=:{/") {
			expression(f, value)
		} else {
			attached(f, value)
		}
	}
}

// inValues looks for names within the values of a query or a form, in those that
// are quoted, and where there is a value and no name. A semicolon separated
// parameters once.
func (x *Exchange) inValues(f *names.Finder, form string) {
	for field := range strings.FieldsFuncSeq(form, func(c rune) bool { return c == '&' || c == ';' }) {
		name, value, _ := strings.Cut(field, "=")
		name, value = plainParameter(name), plainParameter(value)
		if names.IsDigits(name) {
			x.wordless(f, name)
		}
		expression(f, value)
		operands(f, name, value)
		if plain := strings.Trim(value, `"'`); plain != value || strings.Contains(form, ";") {
			f.Value(name, plain)
		}
	}
}

// plainParameter is a name or a value of a query without its escapes, as it is if
// they are none.
func plainParameter(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
