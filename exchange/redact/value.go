package redact

import (
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// work redacts one message.
type work struct {
	r      *Redactor
	at     understudyv1.Redaction_Place
	found  *places
	spans  []span
	trail  []string // names that lead to a value of JSON or XML
	field  string   // that a header's value stands in, as it is spelled
	nest   int      // documents within texts of documents
	effort int      // bytes that were looked at within others
	cut    bool     // the body is not whole
	// unreadable: nobody can undo the content coding of the body.
	unreadable bool
	// behind takes what each token stands for; nil where nobody asks.
	behind map[string]string
}

// path leads to the value that is looked at, lists aside.
func (w *work) path() string {
	if len(w.trail) == 0 {
		return "/"
	}
	return "/" + strings.Join(w.trail, "/")
}

// shownPath is the path as a list of redactions has it: its end, if it is long.
func (w *work) shownPath() string {
	if n := len(w.trail) - maxSteps; n > 0 {
		return "/…/" + strings.Join(w.trail[n:], "/")
	}
	return w.path()
}

// maxSteps is how many names of a path are shown.
const maxSteps = 16

// result is what becomes of a value.
type result struct {
	text             string
	changed, dropped bool
}

// value redacts a text that stands at a place under a name.
func (w *work) value(at place, n *name, text string) result {
	if text == "" {
		return result{}
	}
	var partial [maxPartial]int
	count := 0
	for _, i := range n.rules {
		c := &w.r.rules[i]
		if c.places&(1<<at) == 0 || !w.fits(c, n) {
			continue
		}
		if c.isPartial() {
			if count < len(partial) {
				partial[count] = i
				count++
			}
			continue
		}
		if c.action == actionKeep && count > 0 {
			return w.parts(at, n, text, partial[:count], true) // what rules before it say of parts holds
		}
		return w.act(c.action, c.label, at, n, text)
	}
	if !n.kept {
		switch {
		case w.secretBy(at, n, text):
			return w.act(actionToken, labelNames, at, n, text)
		case w.r.allow && !w.isKept(n, text, partial[:count]):
			return w.act(actionToken, labelAllow, at, n, text)
		}
	}
	return w.parts(at, n, text, partial[:count], false)
}

// isKept says whether the first rule about parts that finds something finds the
// whole value, and keeps it.
func (w *work) isKept(n *name, text string, partial []int) bool {
	w.spans = appendShapes(w.spans[:0], text, n.hint)
	for _, i := range partial {
		for _, c := range w.r.rules[i].claims(nil, text, w.spans) {
			return c.action == actionKeep && c.from == 0 && c.to == len(text)
		}
	}
	return false
}

// maxPartial bounds the rules about parts that hold for one value.
const maxPartial = 32

// Labels of the rules by default.
const (
	labelNames = "names"
	labelAllow = "allow_list"
)

// fits says whether a rule is about the name, or the path to it.
func (w *work) fits(c *rule, n *name) bool {
	if len(c.paths) == 0 {
		return true // see describe
	}
	if len(c.names) > 0 && c.fitsName(n.lower) {
		return true
	}
	path := strings.ToLower(w.path())
	for _, p := range c.paths {
		if like(p, path) {
			return true
		}
	}
	return false
}

// secretBy says whether a value is a secret by its name. A switch is none
// (?reset=true), nor what is too short for one under a name that others use too
// (?code=DE).
func (w *work) secretBy(at place, n *name, text string) bool {
	switch {
	case n.secret:
		if w.r.query[n.lower] && at != inJSON && at != inXML {
			return true
		}
		// Kinto calls the place in a list so.
		return !switches[strings.ToLower(text)] && (n.lower != "_token" || at != inQuery && at != inFragment)
	case n.open && randomOnly[n.lower]:
		return looksRandom(text) && (at == inQuery || at == inFragment || at == inForm)
	case n.open && !wordsToo[n.lower] && (at == inQuery || at == inFragment || at == inPath):
		return len(text) >= leastSecret
	case n.open:
		return looksRandom(text)
	}
	return false
}

// leastSecret is how long a value is that is taken for a secret under a name
// that others use too, in bytes.
const leastSecret = 12

var (
	openParameters = setOf("code key ticket state refresh access t k")
	// randomOnly are those of them that are words or numbers as often.
	randomOnly = setOf("ticket state t k")
	// wordsToo are those of them that are switches and words, too, wherever they stand.
	wordsToo = setOf("refresh access")
	switches = setOf("true false yes no on off 0 1 null none undefined")
)

// act does to a whole value what a rule says.
func (w *work) act(action, label string, at place, n *name, text string) result {
	var out result
	switch action {
	case actionKeep:
		return result{text: text}
	case actionDrop:
		out = result{changed: true, dropped: true}
	case actionMask:
		out = result{text: masked, changed: text != masked}
	default:
		with := w.stands(w.whole(at, n, text), text)
		out = result{text: with, changed: with != text}
	}
	if out.changed {
		w.note(at, n, label, action)
	}
	return out
}

// stands notes what a token stands for.
func (w *work) stands(token, plain string) string {
	if w.behind != nil && token != plain {
		w.behind[token] = plain
	}
	return token
}

// masked stands for every value that is masked.
const masked = "***"

func (w *work) whole(at place, n *name, text string) string {
	if n.authorization {
		return w.r.credentials(text)
	}
	if inBodies[at] && isJWT(text) {
		return w.r.madeJWT(text)
	}
	if n.hint&maybePhone != 0 && !isMade(text) {
		if d := phoneDigits(text); d >= 7 && d <= 15 {
			return w.r.madePhone(text)
		}
	}
	return w.r.made(text)
}

// parts redacts what in a value has a shape, or fits a pattern.
// kept says that nothing else is to be.
func (w *work) parts(at place, n *name, text string, partial []int, kept bool) result {
	if isMade(text) {
		return result{text: text}
	}
	h := n.hint
	if at == inHeader || at == inTrailer || at == inPath {
		if h&maybeCard == 0 {
			h |= isName // an ETag, a number that counts
		}
	}
	w.spans = appendShapes(w.spans[:0], text, h)
	spans := w.spans
	if len(partial) > 0 {
		return w.byRules(at, n, text, spans, partial, kept)
	}
	if len(spans) == 0 || n.kept {
		return result{text: text}
	}
	var b strings.Builder
	done := 0
	for _, s := range spans {
		with := w.stands(w.r.madeOf(at, text[s.from:s.to], s.shape), text[s.from:s.to])
		if with == text[s.from:s.to] {
			continue
		}
		b.WriteString(text[done:s.from])
		b.WriteString(with)
		done = s.to
		w.note(at, n, s.shape.String(), actionToken)
	}
	if done == 0 {
		return result{text: text}
	}
	b.WriteString(text[done:])
	return result{text: b.String(), changed: true}
}

// inBodies are the places where a JSON Web Token stays one.
var inBodies = [len(placeNames)]bool{inForm: true, inMultipart: true, inJSON: true, inXML: true, inText: true}

// looksRandom says whether a text is long and has letters of both cases and
// digits, or many hexadecimal digits, and nothing that parts words.
func looksRandom(s string) bool {
	if len(s) < 16 {
		return false
	}
	upper, lower, digits := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
		default:
			return false
		}
	}
	return isJumbled(s) || digits >= 2 && (upper >= 2 && lower >= 2 || upper+lower >= 4 && len(s) >= 24)
}

// note counts a value that was replaced.
func (w *work) note(at place, n *name, label, action string) {
	where := n.lower
	switch {
	case w.field != "":
		where = w.field
	case at == inJSON, at == inXML, at == inForm, at == inMultipart, at == inText:
		if where = w.shownPath(); len(w.trail) == 0 && n.lower != "" {
			where = "/" + n.lower
		}
	}
	w.found.add(w.at, where)
	if w.found.hit != nil {
		w.found.hit(Hit{Place: w.at, Name: where, In: placeNames[at], Rule: label, Action: action})
	}
}
