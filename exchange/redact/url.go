package redact

import (
	"net/url"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// maxNested is how deep URLs within parameters of URLs are looked into.
const maxNested = 3

// target redacts a request target, a URL, or a field that has some in it. What
// is no secret keeps its bytes.
func (r *Redactor) target(raw []byte, place understudyv1.Redaction_Place, found *places) []byte {
	u := urls{r: r, place: place, found: found}
	text := string(raw)
	if out := u.redact(text, maxNested); out != text {
		return []byte(out)
	}
	return raw
}

// links redacts a field that is a URL, or has some in angle brackets (Link) or
// behind "url=" (Refresh).
func (r *Redactor) links(raw []byte, place understudyv1.Redaction_Place, found *places) []byte {
	text := string(raw)
	if i := strings.Index(strings.ToLower(text), "url="); i >= 0 && strings.Contains(text[:i], ";") {
		i += len("url=")
		return append([]byte(text[:i]), r.target(raw[i:], place, found)...)
	}
	if !strings.HasPrefix(text, "<") {
		return r.target(raw, place, found)
	}
	var out []byte
	for {
		before, rest, ok := strings.Cut(text, "<")
		inner, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			return append(out, r.target([]byte(text), place, found)...)
		}
		out = append(append(out, before...), '<')
		out = append(append(out, r.target([]byte(inner), place, found)...), '>')
		text = after
	}
}

// urls redacts the secrets in URLs: user information, parameters of path, query
// and fragment, and parts of the path that are a secret by their shape or by
// what stands before them.
type urls struct {
	r     *Redactor
	place understudyv1.Redaction_Place
	found *places
}

func (u urls) token(name, value string) string {
	u.found.add(u.place, name)
	return u.r.token(value)
}

func (u urls) redact(text string, depth int) string {
	text, fragment, hasFragment := strings.Cut(text, "#")
	text, query, hasQuery := strings.Cut(text, "?")
	out := u.path(u.userInformation(text))
	if hasQuery {
		out += "?" + u.parameters(query, depth)
	}
	if hasFragment {
		// What answers OAuth's implicit grant (RFC 6749, 4.2.2), or a place in
		// a page with parameters of its own.
		out += "#" + u.parameters(fragment, depth)
	}
	return out
}

// userInformation redacts what stands before the host of an absolute URL.
func (u urls) userInformation(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	authority, path, hasPath := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if at <= 0 {
		return text
	}
	out := scheme + "://" + u.token("userinfo", authority[:at]) + authority[at:]
	if hasPath {
		out += "/" + path
	}
	return out
}

// path redacts a path: parameters such as ;jsessionid=…, the session (S(…)) of
// ASP.NET, a text whose shape is that of a secret, and one that looks made by a
// machine behind a segment such as "token".
func (u urls) path(text string) string {
	if !strings.Contains(text, "/") {
		return text
	}
	segments := strings.Split(text, "/")
	for i, s := range segments {
		base, params, hasParams := strings.Cut(s, ";")
		before := ""
		if i > 0 {
			before = segments[i-1]
		}
		segments[i] = u.segment(before, base)
		if hasParams {
			segments[i] += ";" + u.parameters(params, 0)
		}
	}
	return strings.Join(segments, "/")
}

func (u urls) segment(before, text string) string {
	if inner, ok := strings.CutPrefix(text, "(S("); ok && strings.HasSuffix(inner, "))") {
		return "(S(" + u.token("path", strings.TrimSuffix(inner, "))")) + "))"
	}
	switch {
	case hasSecretShape(text), leads(before) && isMachineMade(text):
		return u.token("path", text)
	}
	return text
}

// leads says whether what follows a segment is a secret by its name. That of a
// collection, "tokens", is followed by names of things.
func leads(segment string) bool {
	words := wordsOf(segment)
	return len(words) > 0 && !strings.HasSuffix(words[len(words)-1], "s") && IsSecret(segment)
}

// isMachineMade says whether a text is long and has letters and digits, and is
// no UUID, which names a thing.
func isMachineMade(s string) bool {
	return len(s) >= 16 && strings.ContainsAny(s, "0123456789") && strings.Trim(s, "0123456789") != "" && strings.Count(s, "-") != 4
}

// parameters redacts those of a query, a path or a fragment.
func (u urls) parameters(query string, depth int) string {
	var b strings.Builder
	done := 0 // so much of query is in b
	for p := range message.Parameters(query) {
		with, ok := u.parameter(p, depth)
		if !ok {
			continue
		}
		b.WriteString(query[done:p.At])
		b.WriteString(with)
		done = p.At + len(p.Value)
	}
	if done == 0 {
		return query
	}
	return b.String() + query[done:]
}

// parameter is what is put in the place of a parameter's value; ok says whether
// anything is.
func (u urls) parameter(p message.Parameter, depth int) (with string, ok bool) {
	if p.Value == "" {
		return "", false
	}
	value, err := url.QueryUnescape(p.Value)
	if err != nil {
		value = p.Value
	}
	name := p.Decoded()
	if u.r.secretParameter(name, value) || !u.r.kept[strings.ToLower(name)] && hasSecretShape(value) {
		return u.token(name, value), true
	}
	if depth > 0 && strings.ContainsAny(value, "?#@;=") {
		if out := u.redact(value, depth-1); out != value {
			return url.QueryEscape(out), true
		}
	}
	return "", false
}

// secretParameter says whether a parameter's value is a secret by its name. A
// switch is none (?reset=true), nor what is too short for one under a name that
// others use too (?code=DE).
func (r *Redactor) secretParameter(name, value string) bool {
	lower := strings.ToLower(name)
	switch {
	case r.kept[lower]:
		return false
	case r.query[lower]:
		return true
	case openParameters[lower]:
		return len(value) >= leastSecret
	}
	// Kinto calls the place in a list so.
	return !switches[strings.ToLower(value)] && lower != "_token" && IsSecret(name)
}

// leastSecret is how long a value is that is taken for a secret under a name
// that others use too, in bytes.
const leastSecret = 12

var (
	openParameters = setOf("code key")
	switches       = setOf("true false yes no on off 0 1")
)
