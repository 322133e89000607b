package names

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// visitor looks at a value at a place and may put another one there.
type visitor interface {
	// may says whether a value could be of interest, before its place is known.
	may(value []byte) bool
	visit(at Place, v Value) (with Value, replace bool)
	// visitKey does so for the name of a member of a map; path leads to the map.
	visitKey(at Place, v Value, path func() []string) (with Value, replace bool)
	// known says whether a segment of a path is a name though it is a word.
	known(at Place, text string) bool
}

// places goes over all places of messages about one kind of thing. Every byte
// of what is not replaced stays as it is. It belongs to one goroutine.
type places struct {
	visitor
	family string
	// collection: the target is that of a collection of them; list: these are
	// the places of what such a collection was answered with.
	collection, list bool
	// answer: these are the places of an answer, in which more members only hold
	// what was asked for.
	answer bool
	// own says whether a host is the system's; nil takes all for its own.
	own func(host string) bool
}

func placesOf(v visitor, target string) places {
	s := Segments(target, v.known)
	return places{visitor: v, family: family(s), collection: ofCollection(s)}
}

// answering says that the places are those of the answer to a method.
func (p *places) answering(method string) {
	p.answer = true
	p.list = p.collection && (method == http.MethodGet || method == http.MethodHead)
}

// maxName is the longest name, in bytes.
const maxName = 256

// look visits one value.
func (p places) look(at Place, v Value) (Value, bool) {
	if len(v.Text) > maxName {
		return v, false
	}
	return p.visit(at, v)
}

// target goes over a request target or a link: the segments of its path, and
// the values of its query.
func (p places) target(raw string) string {
	if host := hostOf(raw); host != "" && p.own != nil && !p.own(host) {
		return raw // another system's things
	}
	var out strings.Builder
	done := 0
	for _, s := range Segments(raw, p.known) {
		text, err := url.PathUnescape(s.Text)
		if err != nil {
			text = s.Text
		}
		if with, ok := p.look(s.Place, Value{Text: text}); ok {
			out.WriteString(raw[done:s.From])
			out.WriteString(url.PathEscape(with.Text))
			done = s.To
		}
	}
	rest := raw[done:]
	at := strings.IndexByte(rest, '?')
	if at < 0 {
		out.WriteString(rest)
		return out.String()
	}
	query, fragment, hasFragment := strings.Cut(rest[at+1:], "#")
	out.WriteString(rest[:at+1])
	out.WriteString(p.form(query))
	if hasFragment {
		out.WriteString("#" + fragment)
	}
	return out.String()
}

// form goes over the values of a URL-encoded form or query.
func (p places) form(query string) string {
	if query == "" {
		return query
	}
	fields := strings.Split(query, "&")
	for i, f := range fields {
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
			fields[i] = raw + "=" + splice(value, text, with, unescapeOne, spelledAs(value))
		}
	}
	return strings.Join(fields, "&")
}

// text goes over a text: it may be a name as a whole, a link, or have names in
// it as whole words.
func (p places) text(at Place, value string) string {
	if with, ok := p.look(at, Value{Text: value}); ok {
		return with.Text
	}
	if IsLink(value) {
		return p.target(value)
	}
	if at.Named && strings.Contains(value, ",") {
		list := strings.Split(value, ",")
		for i, v := range list {
			if with, ok := p.look(at, Value{Text: v}); ok {
				list[i] = with.Text
			}
		}
		return strings.Join(list, ",")
	}
	return p.words(value)
}

// IsLink says whether a text is an absolute URL or an absolute path.
func IsLink(s string) bool {
	if len(s) < 2 || strings.ContainsAny(s, " \t\n<>\"") {
		return false
	}
	if s[0] == '/' {
		return true
	}
	i := strings.Index(s, "://")
	return i > 0 && i < 12
}

// words goes over the words of a text that no other word is by chance.
func (p places) words(value string) string {
	var out strings.Builder
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
		if at < len(value) && value[at] == '@' || len(word) == len(value) || !p.may([]byte(word)) || !IsUnmistakable(word) {
			continue
		}
		if with, ok := p.look(Place{}, Value{Text: word}); ok {
			out.WriteString(value[done:from])
			out.WriteString(with.Text)
			done = from + len(word)
		}
	}
	if done == 0 {
		return value
	}
	return out.String() + value[done:]
}

// inName: what names in texts consist of.
func inName(c byte) bool { return continues(c) || c == '-' || c == '.' }

// member is the place that a member is: by its own name, or if that only calls
// it an identifier by what it stands in, from the outside in, in the end what
// the request is about.
func (p places) member(name string, enclosing []string) Place {
	place, own := KindOf(name)
	if !own {
		return place
	}
	for i := len(enclosing) - 1; i >= 0; i-- {
		word := words(enclosing[i])
		kind := singular(word)
		switch {
		case kind == "" || identifiers[kind] || wrappers[word] || wrappers[kind] || p.answer && (answerWrappers[word] || answerWrappers[kind]):
			continue
		case lists[word] && p.list && top(enclosing[:i]):
			continue
		case relations[kind]:
			return place
		case ownRelations[kind]:
			continue
		}
		return Place{Kind: kind, Named: true}
	}
	return Place{Kind: p.family, Named: true}
}

// top says whether nothing but wrappers encloses a member.
func top(enclosing []string) bool {
	for _, name := range enclosing {
		word := words(name)
		if word != "" && !wrappers[word] && !answerWrappers[word] && !lists[word] {
			return false
		}
	}
	return true
}

// json goes over a JSON document: strings and numbers, names of members, links,
// and words in texts. What is not JSON may come out changed, but only in what
// looks like a value.
func (p places) json(body []byte) []byte {
	d := document{places: p, body: body}
	for d.at < len(body) {
		d.step()
	}
	if d.from == 0 {
		return body
	}
	return append(d.out, body[d.from:]...)
}

// document is a pass over one JSON document.
type document struct {
	places
	body      []byte
	at        int
	from      int // what is not yet in out
	out       []byte
	name      string   // of the member, or of the array that holds the value
	enclosing []string // names of the containers around, from the outside in
	brackets  []byte   // with which they begin
}

func (d *document) step() {
	start := d.at
	switch c := d.body[start]; {
	case c == '"':
		d.at = stringEnd(d.body, start)
		raw := d.body[start+1 : max(start+1, d.at-1)]
		if isKey(d.body, d.at) {
			d.key(start, raw)
			return
		}
		d.string(start, raw)
	case c == '-' || c >= '0' && c <= '9':
		for d.at < len(d.body) && strings.IndexByte("+-.eE0123456789", d.body[d.at]) >= 0 {
			d.at++
		}
		if raw := d.body[start:d.at]; d.may(raw) {
			if with, ok := d.look(d.member(d.name, d.enclosing), Value{string(raw), true}); ok {
				d.put(start, with)
			}
		}
	default:
		d.at++
		d.nest(c)
	}
}

// key takes the name of a member, which may be a name itself: in a map of
// orders it is that of an order.
func (d *document) key(start int, raw []byte) {
	d.name = unquoted(raw)
	if !d.may(raw) {
		return
	}
	kind := ""
	if n := len(d.enclosing); n > 0 {
		kind = keyed(words(d.enclosing[n-1]))
	}
	if len(d.name) > maxName {
		return
	}
	with, ok := d.visitKey(Place{Kind: kind, Named: kind != ""}, Value{Text: d.name}, d.path)
	if !ok && len(d.name) >= longKey && !IsDigits(d.name) {
		with, ok = d.visitKey(Place{Named: true}, Value{Text: d.name}, d.path)
	}
	if ok {
		d.put(start, Value{Text: with.Text})
	}
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

func (d *document) string(start int, raw []byte) {
	escaped := bytes.IndexByte(raw, '\\') >= 0
	if escaped || d.may(raw) {
		text := unquoted(raw)
		if with, ok := d.look(d.member(d.name, d.enclosing), Value{Text: text}); ok {
			d.put(start, with)
			return
		}
	}
	if len(raw) < selfEvident || !bytes.ContainsAny(raw, digits) && !IsLink(string(raw)) {
		return
	}
	text := unquoted(raw)
	var with string
	if IsLink(text) {
		with = d.target(text)
	} else {
		with = d.words(text)
	}
	if with != text {
		d.out = append(d.out, d.body[d.from:start+1]...)
		d.out = append(d.out, splice(string(raw), text, with, unquoteOne, func(s string) string {
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
func (d *document) put(start int, with Value) {
	d.out = append(d.out, d.body[d.from:start]...)
	if with.Number && isJSONInteger(with.Text) {
		d.out = append(d.out, with.Text...)
	} else {
		d.out = append(d.out, quoted(with.Text)...)
	}
	d.from = d.at
}

// stringEnd is the offset behind the string that begins at start.
func stringEnd(body []byte, start int) int {
	for i := start + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

// isKey: the string before end is the name of a member.
func isKey(body []byte, end int) bool {
	for end < len(body) && (body[end] == ' ' || body[end] == '\t' || body[end] == '\r' || body[end] == '\n') {
		end++
	}
	return end < len(body) && body[end] == ':'
}

func unquoted(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	var s string
	if json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &s) != nil {
		return string(raw)
	}
	return s
}

func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""` // cannot be: every string can be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func isJSONInteger(s string) bool { return IsDigits(s) && (s == "0" || s[0] != '0') }
