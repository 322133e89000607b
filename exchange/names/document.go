package names

import (
	"bytes"
	"encoding/json"
	"strings"
)

// json goes over a JSON document: strings and numbers, names of members, links,
// and words in texts. What is not JSON may come out changed, but only in what
// looks like a value.
func (p *places) json(body []byte) []byte {
	return p.document(body, nil)
}

// document goes over one, which markup was opened as unless m is nil.
func (p *places) document(body []byte, m *markup) []byte {
	d := document{places: p, body: string(body), markup: m}
	for d.at < len(d.body) {
		d.step()
	}
	if d.from == 0 {
		return body
	}
	return append(d.out, d.body[d.from:]...)
}

// document is a pass over one JSON document.
type document struct {
	*places
	body      string
	at        int
	from      int // what is not yet in out
	out       []byte
	name      string   // of the member, or of the array that holds the value
	enclosing []string // names of the containers around, from the outside in
	brackets  []byte   // with which they begin
	markup    *markup  // nil for JSON
}

// place is that of a value that has been read.
func (d *document) place(text string) Place {
	at, label, ok := Place{}, d.name, false
	if d.markup != nil {
		at, label, ok = d.markup.place(d)
	}
	if !ok {
		at, label = d.member(d.name, d.enclosing), d.name
	}
	if d.answer && !at.Named && IsDigits(text) && Counts(label) {
		if n := len(d.brackets); d.markup != nil || n == 0 || d.brackets[n-1] != '[' {
			return Place{}
		}
	}
	return at
}

func (d *document) step() {
	start := d.at
	switch c := d.body[start]; c {
	case '"':
		var escaped bool
		d.at, escaped = stringEnd(d.body, start)
		raw := d.body[start+1 : max(start+1, d.at-1)]
		if isKey(d.body, d.at) {
			d.key(start, raw, escaped)
		} else {
			d.string(start, raw, escaped)
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		for d.at < len(d.body) && strings.IndexByte("+-.eE0123456789", d.body[d.at]) >= 0 {
			d.at++
		}
		if raw := d.body[start:d.at]; d.may(raw) {
			if with, ok := d.look(d.place(raw), Value{raw, true}); ok {
				d.put(start, Value{raw, true}, with)
			}
		}
	case '{', '[', '}', ']':
		d.at++
		d.nest(c)
	default:
		d.at++
	}
}

// key takes the name of a member, which may be a name itself: in a map of
// orders it is that of an order.
func (d *document) key(start int, raw string, escaped bool) {
	if d.name = raw; escaped {
		d.name = unquoted(raw)
	}
	if len(d.name) > maxKey {
		return
	}
	if !d.may(raw) || len(d.name) > maxName {
		if with := d.inKey(d.name); with != d.name {
			d.put(start, Value{Text: d.name}, Value{Text: with})
		}
		return
	}
	kind := ""
	// What an element of a list calls its members is no name unless it was made.
	if n := len(d.enclosing); n > 0 && (n < 2 || d.brackets[n-2] != '[' || hasDigit(d.name)) {
		kind = termOf(d.enclosing[n-1]).keyed
	}
	key := Value{Text: d.name}
	with, ok := d.visitKey(Place{Kind: kind, Named: kind != ""}, key, d)
	if !ok && len(d.name) >= longKey && !IsDigits(d.name) {
		with, ok = d.visitKey(Place{Named: true}, key, d)
	}
	if ok {
		d.put(start, key, Value{Text: with.Text})
	}
}

// maxKey is the longest name of a member that is looked into, in bytes.
const maxKey = 4 << 10

// inKey goes over the names in that of a member: a link, or in an answer a number
// behind the word for its kind, as in order-1001.
func (d *document) inKey(name string) string {
	if IsLink(name) {
		return d.target(name)
	}
	i := strings.LastIndexAny(name, "-_:#")
	if i <= 0 || !d.answer || !IsDigits(name[i+1:]) || !d.may(name[i+1:]) || hasDigit(name[:i]) {
		return name
	}
	number := Value{Text: name[i+1:]}
	if with, ok := d.look(Place{Kind: termOf(name[:i]).kind, Named: true}, number); ok {
		return name[:i+1] + with.Text
	}
	return name
}

// path is where the innermost container stands: names of members, and "" for
// the elements of an array.
func (d *document) path() []string {
	var out []string
	for i, name := range d.enclosing {
		if i > 0 && d.brackets[i-1] == '{' {
			out = append(out, name)
		}
		if d.brackets[i] == '[' {
			out = append(out, "")
		}
	}
	return out
}

// longKey is from which length on, in bytes, a known name is taken for itself
// where it is the name of a member.
const longKey = 6

// keyed is what the names of a map's members name, by what the map is called:
// orders, totals_by_customer, by_item, order_by_id.
func keyed(name string) string {
	name = strings.TrimSuffix(name, "_by_id")
	if i := strings.LastIndex("_"+name, "_by_"); i >= 0 {
		name = name[i+len("by_"):]
	}
	return singular(strings.TrimPrefix(name, "per_"))
}

func (d *document) string(start int, raw string, escaped bool) {
	text := raw
	if escaped {
		text = unquoted(raw)
	}
	if d.markup != nil {
		d.markup.text(d, text)
	}
	word := d.beside(text)
	if word == "" && (escaped || d.may(raw)) {
		if with, ok := d.look(d.place(text), Value{Text: text}); ok {
			d.put(start, Value{Text: text}, with)
			return
		}
	}
	list := hasSeparator(raw)
	if len(raw) < selfEvident && !list || !hasDigit(raw) && !IsLink(raw) {
		return
	}
	var with string
	switch {
	case word != "":
		with = d.text(d.place(text), text)
	case IsLink(text):
		with = d.target(text)
	case list:
		if at := d.place(text); at.Named {
			with = d.each(at, text)
			break
		}
		fallthrough
	default:
		with = d.words(text)
	}
	if with != text {
		d.out = append(d.out, d.body[d.from:start+1]...)
		d.out = append(d.out, splice(raw, text, with, unquoteOne, func(s string) string {
			q := quoted(s)
			return q[1 : len(q)-1]
		})...)
		d.from = d.at - 1
	}
}

// nest follows the containers, so that an element bears its array's name.
func (d *document) nest(c byte) {
	switch c {
	case '{', '[':
		d.enclosing, d.brackets = append(d.enclosing, d.name), append(d.brackets, c)
		if d.markup != nil {
			d.markup.begin(d)
		}
		if c == '{' {
			d.name = ""
		}
	case '}', ']':
		if n := len(d.enclosing); n > 0 {
			d.name, d.enclosing, d.brackets = d.enclosing[n-1], d.enclosing[:n-1], d.brackets[:n-1]
		}
	}
}

// put replaces what lies between start and the place reached.
func (d *document) put(start int, was, with Value) {
	if was == with {
		return
	}
	if d.out == nil {
		d.out = make([]byte, 0, len(d.body)+len(d.body)/8)
	}
	d.out = append(d.out, d.body[d.from:start]...)
	if with.Number && isJSONInteger(with.Text) {
		d.out = append(d.out, with.Text...)
	} else {
		d.out = appendQuoted(d.out, with.Text)
	}
	d.from = d.at
}

// stringEnd is the offset behind the string that begins at start, and whether
// there are escapes in it.
func stringEnd(body string, start int) (end int, escaped bool) {
	for i := start + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			return i + 1, escaped
		}
	}
	return len(body), escaped
}

// isKey: the string before end is the name of a member.
func isKey(body string, end int) bool {
	for end < len(body) && (body[end] == ' ' || body[end] == '\t' || body[end] == '\r' || body[end] == '\n') {
		end++
	}
	return end < len(body) && body[end] == ':'
}

func unquoted(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw
	}
	var s string
	if json.Unmarshal([]byte(`"`+raw+`"`), &s) != nil {
		return raw
	}
	return s
}

func quoted(s string) string { return string(appendQuoted(nil, s)) }

func appendQuoted(out []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(out, '"'), s...), '"')
	}
	b := bytes.NewBuffer(out)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return append(out, `""`...) // cannot be: every string can be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// isPlain says whether a text stands between quotes as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

func isJSONInteger(s string) bool { return IsDigits(s) && (s == "0" || s[0] != '0') }
