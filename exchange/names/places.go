package names

import (
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
