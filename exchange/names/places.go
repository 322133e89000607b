package names

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// visitor looks at a value at a place and may put another one there. What it
// puts there unchanged is taken as it is, and so are no words in it.
type visitor interface {
	// may says whether a value could be of interest, before its place is known.
	may(value string) bool
	visit(at Place, v Value) (with Value, replace bool)
	// visitKey does so for the name of a member of a map.
	visitKey(at Place, v Value, in *document) (with Value, replace bool)
	// known says whether a segment of a path is a name though it is a word.
	known(at Place, text string) bool
}

// places goes over all places of messages about one kind of thing. Every byte
// of what is not replaced stays as it is. It belongs to one goroutine.
type places struct {
	visitor
	family string
	// thing is the kind of the last thing that the target names: card in
	// /cards/17/moves.
	thing string
	// collection: the target is that of a collection of them; list: these are
	// the places of what such a collection was answered with.
	collection, list bool
	// answer: these are the places of an answer, in which more members only hold
	// what was asked for.
	answer bool
	// own says whether a host is the system's; nil takes all for its own.
	own func(host string) bool
	// as are the places of members that the message gives another meaning.
	as map[string]Place
	// isName is the visitor's known.
	isName func(at Place, text string) bool
}

func placesOf(v visitor, target string) places {
	p := places{visitor: v, isName: v.known}
	s := Segments(target, p.isName)
	p.family, p.collection = family(s), ofCollection(s)
	for _, segment := range s {
		if segment.Name && segment.Place.Kind != "" {
			p.thing = segment.Place.Kind
		}
	}
	return p
}

// answering says that the places are those of the answer to a method.
func (p *places) answering(method string) {
	p.answer = true
	p.list = p.collection && (method == http.MethodGet || method == http.MethodHead)
}

// maxName is the longest name, in bytes.
const maxName = 256

// look visits one value.
func (p *places) look(at Place, v Value) (Value, bool) {
	if len(v.Text) > maxName {
		return v, false
	}
	return p.visit(at, v)
}

// target goes over a request target or a link: the segments of its path, and
// the values of its query.
func (p *places) target(raw string) string {
	if host := hostOf(raw); host != "" && p.own != nil && !p.own(host) {
		return raw // another system's things
	}
	var out []byte
	done := 0
	eachSegment(raw, p.isName, func(s Segment) {
		if s.Collection {
			return
		}
		text := unescaped(s.Text)
		if with, ok := p.look(s.Place, Value{Text: text}); ok && with.Text != text {
			out = append(append(out, raw[done:s.From]...), url.PathEscape(with.Text)...)
			done = s.To
		}
	})
	path, query, ok := strings.Cut(raw[done:], "?")
	if ok {
		query, fragment, hasFragment := strings.Cut(query, "#")
		with := p.form(query)
		if done == 0 && with == query {
			return raw
		}
		out = append(append(append(out, path...), '?'), with...)
		if hasFragment {
			out = append(append(out, '#'), fragment...)
		}
		return string(out)
	}
	if done == 0 {
		return raw
	}
	return string(append(out, path...))
}

// form goes over the values of a URL-encoded form or query.
func (p *places) form(query string) string {
	if query == "" {
		return query
	}
	var fields []string // once one changed
	i := -1
	for f := range strings.SplitSeq(query, "&") {
		i++
		raw, value, ok := strings.Cut(f, "=")
		if !ok {
			continue
		}
		name, err := url.QueryUnescape(raw)
		if err != nil {
			name = raw
		}
		text, err := url.QueryUnescape(value)
		if err != nil {
			continue
		}
		if with := p.text(p.member(name, outer(name)), text); with != text {
			if fields == nil {
				fields = strings.Split(query, "&")
			}
			fields[i] = raw + "=" + splice(value, text, with, unescapeOne, spelledAs(value))
		}
	}
	if fields == nil {
		return query
	}
	return strings.Join(fields, "&")
}

// text goes over a text: it may be a name as a whole, a link, or have names in
// it as whole words.
func (p *places) text(at Place, value string) string {
	if word := p.beside(value); word != "" {
		return word + p.text(Place{Kind: p.thing, Named: true}, value[len(word):])
	}
	if with, ok := p.look(at, Value{Text: value}); ok {
		return with.Text
	}
	if IsLink(value) {
		return p.target(value)
	}
	if from, to := operand(value); from > 0 {
		return value[:from] + p.text(at, value[from:to]) + value[to:]
	}
	if isList(at, value) {
		return p.each(at, value)
	}
	return p.words(value)
}

// beside is the word before the thing beside which another is put (after:17, about
// /cards/3/moves); empty if a text is none such.
func (p *places) beside(text string) string {
	if p.thing == "" || len(text) > maxName || text[:min(len(text), 1)] != "a" && text[:min(len(text), 1)] != "b" {
		return ""
	}
	return neighbour.FindString(text)
}

var neighbour = regexp.MustCompile(`^(?:after|before|above|below):`)

// operator is a word before what a parameter is compared with (PostgREST's
// eq.17 and not.in.(17,18)).
var operator = regexp.MustCompile(`^(?:not[.:])?(?:in|eq|neq|is|any)[.:]`)

// operand is where that stands, without the parentheses around a list; from is 0 if
// there is no such word.
func operand(value string) (from, to int) {
	if len(value) > maxOperand || !strings.ContainsAny(value[:min(len(value), 4)], ".:") {
		return 0, 0
	}
	at := operator.FindStringIndex(value)
	if at == nil {
		return 0, 0
	}
	if from, to = at[1], len(value); to-from > 2 && value[from] == '(' && value[to-1] == ')' {
		from, to = from+1, to-1
	}
	return from, to
}

// HoldsNames says whether a text at a place is taken as names, each by itself: a
// list, or what a parameter is compared with (eq.17, in.(17,18)).
func HoldsNames(at Place, text string) bool {
	from, _ := operand(text)
	return at.Named && from > 0 || isList(at, text)
}

// maxOperand is the longest text that is looked at for an operator, in bytes.
const maxOperand = 4096

// isList says whether a text at a place may be several names: 17,18 or 17|18 or,
// of numbers alone, 17 18.
func isList(at Place, value string) bool { return at.Named && hasSeparator(value) }

const separators = ",|;"

func hasSeparator(value string) bool {
	digits, blank := true, false
	for i := range len(value) {
		switch c := value[i]; {
		case c == ',' || c == '|' || c == ';':
			return true
		case c == ' ':
			blank = true
		case !isDigit(c):
			digits = false
		}
	}
	return digits && blank
}

// each goes over the names in a list.
func (p *places) each(at Place, value string) string {
	var out strings.Builder
	for rest := value; ; {
		end := strings.IndexAny(rest, separators+" ")
		v := rest
		if end >= 0 {
			v = rest[:end]
		}
		with, ok := p.look(at, Value{Text: v})
		if !ok {
			with.Text = v
		}
		out.WriteString(with.Text)
		if end < 0 {
			return out.String()
		}
		out.WriteByte(rest[end])
		rest = rest[end+1:]
	}
}

// IsLink says whether a text is an absolute URL or an absolute path.
func IsLink(s string) bool {
	if len(s) < 2 {
		return false
	}
	if s[0] != '/' {
		if i := strings.Index(s[:min(len(s), 12+len("://")-1)], "://"); i <= 0 {
			return false
		}
	}
	return !strings.ContainsAny(s, " \t\n<>\"")
}

// words goes over the words of a text that no other word is by chance.
func (p *places) words(value string) string {
	var out []byte
	done := 0
	for at := 0; at < len(value); {
		if !inName(value[at]) {
			at++
			continue
		}
		from := at
		for at < len(value) && inName(value[at]) {
			at++
		}
		word := strings.TrimRight(value[from:at], ".-")
		if at < len(value) && value[at] == '@' || len(word) == len(value) || !p.may(word) || !IsUnmistakable(word) {
			continue
		}
		if with, ok := p.look(Place{}, Value{Text: word}); ok && with.Text != word {
			out = append(append(out, value[done:from]...), with.Text...)
			done = from + len(word)
		}
	}
	if done == 0 {
		return value
	}
	return string(append(out, value[done:]...))
}

// inName: what names in texts consist of.
func inName(c byte) bool { return continues(c) || c == '-' || c == '.' }

// member is the place that a member is: by its own name, or if that only calls
// it an identifier by what it stands in, from the outside in, in the end what
// the request is about.
func (p *places) member(name string, enclosing []string) Place {
	if at, ok := p.as[name]; ok {
		return at
	}
	t := termOf(name)
	for n := len(enclosing); t.operator && n > 0; n = len(enclosing) {
		name, enclosing = enclosing[n-1], enclosing[:n-1]
		t = termOf(name)
	}
	if !t.own {
		return t.place
	}
	for i := len(enclosing) - 1; i >= 0; i-- {
		switch in := termOf(enclosing[i]); {
		case in.wraps || p.answer && in.wrapsAnswer:
		case in.lists && p.list && top(enclosing[:i]):
		case in.related:
			return t.place
		case in.ofOwnKind:
		default:
			return Place{Kind: in.kind, Named: true}
		}
	}
	return Place{Kind: p.family, Named: true}
}

// top says whether nothing but wrappers encloses a member.
func top(enclosing []string) bool {
	for _, name := range enclosing {
		word := termOf(name).word
		if word != "" && !wrappers[word] && !answerWrappers[word] && !lists[word] {
			return false
		}
	}
	return true
}

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
