package redact

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep documents nest at most; what is deeper is not kept.
const maxDepth = 1000

// jsonText rewrites JSON in place: one value after another, as bodies of JSON
// have one and those of JSON Lines many. Everything but the values that are
// replaced keeps its bytes.
type jsonText struct {
	w    *work
	src  string
	at   int
	out  []byte
	done int // so much of src is in out
	safe int // up to here everything has been looked at
	deep bool
	// hidden: it ends to be JSON at a value whose name a text's rules do not see.
	hidden bool
	// variables are those of a query of GraphQL that stand for secrets.
	variables map[string]bool
}

// asJSON is what became of a text that may be JSON.
type asJSON struct {
	out            string // if it is not whole, what stands before that, up to the end of the last value
	changed, whole bool
	deep, hidden   bool
	rest           string // what stands behind that
}

// json rewrites a text as far as it is JSON.
func (w *work) json(src string) asJSON {
	j := jsonText{w: w, src: src}
	if w.nest == 0 && strings.Contains(src, `"variables"`) {
		j.variables = w.r.variables(src)
	}
	trail := len(w.trail)
	for j.skip(); j.at < len(src); j.skip() {
		if !j.value(nameless, 0) {
			w.trail = w.trail[:trail]
			// The comma in front of what is missing stays: it shows that the number
			// before it was whole.
			to := max(j.safe, j.done)
			return asJSON{out: string(append(j.out, src[j.done:to]...)), changed: true, deep: j.deep, hidden: j.hidden, rest: src[to:]}
		}
	}
	if j.done == 0 {
		return asJSON{out: src, whole: true}
	}
	return asJSON{out: string(append(j.out, src[j.done:]...)), changed: true, whole: true}
}

// skip passes over what may stand between values; 0x1e is that of RFC 7464.
func (j *jsonText) skip() {
	for j.at < len(j.src) {
		switch j.src[j.at] {
		case ' ', '\t', '\n', '\r', 0x1e:
			j.at++
		default:
			return
		}
	}
}

// replace puts other bytes into the place of src[from:j.at].
func (j *jsonText) replace(from int, with string) {
	j.out = append(j.out, j.src[j.done:from]...)
	j.out = append(j.out, with...)
	j.done = j.at
}

// value rewrites one value; n is what its name says.
func (j *jsonText) value(n *name, depth int) bool {
	if j.at >= len(j.src) {
		return false
	}
	ok := false
	switch c := j.src[j.at]; {
	case c == '{' || c == '[':
		if depth >= maxDepth {
			j.deep = true
			return false
		}
		if c == '{' {
			ok = j.object(n, depth)
		} else {
			ok = j.array(n, depth)
		}
	case c == '"':
		ok = j.text(n)
	default:
		ok = j.scalar(n)
	}
	if ok {
		j.safe = j.at
	}
	return ok
}

func (j *jsonText) array(n *name, depth int) bool {
	j.at++
	if j.skip(); j.at < len(j.src) && j.src[j.at] == ']' {
		j.at++
		return true
	}
	if n == nameless {
		n = j.pair()
	}
	for {
		if j.skip(); !j.value(n, depth+1) {
			return false
		}
		j.skip()
		if j.at >= len(j.src) {
			return false
		}
		j.at++
		switch j.src[j.at-1] {
		case ',':
			j.safe = j.at
		case ']':
			return true
		default:
			return false
		}
	}
}

// object rewrites an object, whose own name is of.
func (j *jsonText) object(of *name, depth int) bool {
	j.at++
	if j.skip(); j.at < len(j.src) && j.src[j.at] == '}' {
		j.at++
		return true
	}
	// What a member called value is about, where its name stands beside it
	// ({"name":"token","value":…}) or around it ({"token":{"value":…}}).
	about := of
	var said labels
	for {
		j.skip()
		from := j.at
		key, ok := j.string()
		if !ok {
			return false
		}
		n := j.w.r.nameOf(key)
		if j.variables[key] && !n.secret {
			n = variable
		}
		key = j.key(of, from, key)
		j.skip()
		if j.at >= len(j.src) || j.src[j.at] != ':' {
			return false
		}
		j.at++
		j.skip()
		if n.isValue {
			if about = j.w.r.about(&said, about); !about.secret && !n.secret {
				about = cmp.Or(j.ahead(), about)
			}
			if (about.secret || about.authorization || about.hint != 0) && !n.secret {
				n = about
			}
		}
		if of.holds && !n.secret && j.at < len(j.src) && (j.src[j.at] == '{' || j.src[j.at] == '[' || j.holdsSecret()) {
			n = of
		}
		if !n.secret && of.lower != "" && (secretByTwo[n.lower] || n.lower == "id") && j.holdsSecret() {
			if two := j.w.r.nameOf(of.lower + "_" + n.lower); two.secret { // {"session":{"id":…}}
				n = two
			}
		}
		if privateOfJWK[key] && j.isJWK() && j.holdsSecret() {
			n = jwkMember
		}
		begin := j.at
		j.w.trail = append(j.w.trail, key)
		ok = j.value(n, depth+1)
		j.w.trail = j.w.trail[:len(j.w.trail)-1]
		if !ok {
			j.hides(n)
			return false
		}
		if n.isName && j.src[begin] == '"' && j.at-begin <= maxName {
			if said.n == len(said.of) {
				about = j.w.r.about(&said, about)
			}
			said.of[said.n] = strings.Trim(j.src[begin:j.at], `"`)
			said.n++
		}
		j.skip()
		if j.at >= len(j.src) {
			return false
		}
		j.at++
		switch j.src[j.at-1] {
		case ',':
			j.safe = j.at
		case '}':
			return true
		default:
			j.hides(n)
			return false
		}
	}
}

// privateOfJWK are the members of a JSON Web Key that are its secret (RFC 7518,
// sections 6.2.2, 6.3.2 and 6.4.1).
var (
	privateOfJWK = setOf("d p q dp dq qi k")
	jwkMember    = &name{lower: "jwk", secret: true}
)

// isJWK says whether the document holds keys of that kind.
func (j *jsonText) isJWK() bool { return strings.Contains(j.src, `"kty"`) }

// labels are values of members called name or the like, which may be the name of
// what a member called value has. Few objects have one: until then nobody asks
// what such a text is the name of, which costs most where each is another.
type labels struct {
	of [4]string
	n  int
}

// about is what a value is about by the labels beside it: the last that is a
// secret's name, else what it was about before.
func (r *Redactor) about(said *labels, before *name) *name {
	for _, label := range said.of[:said.n] {
		if n := r.nameOf(label); n.secret {
			before = n
		}
	}
	said.n = 0
	return before
}

// hides notes that it ends to be JSON at a value of a name.
func (j *jsonText) hides(n *name) {
	j.hidden = j.hidden || n.secret || n.authorization || n.hint&maybePhone != 0 || len(n.rules) > 0
}

// key redacts the name of a member that has the shape of a secret: an object may
// be a table by e-mail address. It returns the name as it is now.
func (j *jsonText) key(of *name, from int, key string) string {
	if of.many && !of.kept && isMachineMade(key) && !isMade(key) {
		with := j.w.stands(j.w.r.made(key), key)
		j.w.note(inJSON, of, labelNames, actionToken)
		j.replace(from, string(quoted(with)))
		return with
	}
	if len(key) < leastShaped || !mayHaveShape(key) {
		return key
	}
	res := j.w.parts(inJSON, nameless, key, nil, false)
	if res.changed {
		j.replace(from, string(quoted(res.text)))
	}
	return res.text
}

// mayHaveShape is a quick look at a name.
func mayHaveShape(key string) bool {
	digits := 0
	for i := range len(key) {
		if key[i] == '@' || key[i] == '+' {
			return true
		}
		if digitAt(key, i) {
			digits++
		}
	}
	return digits >= 8 || digits > 0 && len(key) >= leastMarked
}

// string reads a string and returns what it stands for.
func (j *jsonText) string() (string, bool) {
	if j.at >= len(j.src) || j.src[j.at] != '"' {
		return "", false
	}
	from := j.at + 1
	plain := true
	for i := from; i < len(j.src); i++ {
		switch c := j.src[i]; {
		case c == '"':
			j.at = i + 1
			if plain {
				return j.src[from:i], true
			}
			var s string
			err := json.Unmarshal([]byte(j.src[from-1:j.at]), &s)
			return s, err == nil
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// text rewrites a string.
func (j *jsonText) text(n *name) bool {
	from := j.at
	text, ok := j.string()
	if !ok {
		return false
	}
	if len(text) < leastShaped && !n.secret && len(n.rules) == 0 && !j.w.r.allow {
		return true
	}
	if out, dropped, changed := j.w.text(inJSON, n, text); changed {
		if dropped {
			j.replace(from, "null")
		} else {
			j.replace(from, string(quoted(out)))
		}
	}
	return true
}

// text redacts a text in a document: its value by name and shape, or what stands
// in it if it is a document or a URL itself.
func (w *work) text(at place, n *name, text string) (out string, dropped, changed bool) {
	res := w.value(at, n, text)
	if res.dropped || res.changed && (res.text == masked || isMade(res.text)) || w.ruled(at, n) {
		return res.text, res.dropped, res.changed
	}
	out = text
	if res.changed {
		out = res.text
	}
	out, inside := w.inner(out)
	return out, false, res.changed || inside
}

// document redacts a text that is a document itself; ok says that it is one.
func (w *work) document(text string) (out string, ok bool) {
	if len(text) < leastShaped || w.nest > maxNested || text[0] != '{' && text[0] != '[' {
		return "", false
	}
	found := len(w.found.into.Redactions)
	doc := w.json(text)
	if !doc.whole {
		w.found.into.Redactions = w.found.into.Redactions[:found]
		return "", false
	}
	return doc.out, true
}

// quoted is a text as a string of JSON.
func quoted(text string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	out, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return []byte(`"` + masked + `"`) // cannot be: the text is UTF-8
	}
	return out
}
