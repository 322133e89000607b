package redact

import (
	"net/url"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// maxNested is how deep URLs within parameters of URLs are looked into.
const maxNested = 5

// target redacts a request target or a URL. What is no secret keeps its bytes.
func (r *Redactor) target(raw []byte, list understudyv1.Redaction_Place, found *places) []byte {
	w := work{r: r, at: list, found: found}
	text := string(raw)
	if out := w.url(text, maxNested); out != text {
		return []byte(out)
	}
	return raw
}

// links redacts a field that is a URL, or has some in angle brackets (Link) or
// behind "url=" (Refresh).
func (w *work) links(text string) string {
	field := w.field
	w.field = "" // its parameters have names of their own
	defer func() { w.field = field }()
	if i := strings.Index(strings.ToLower(text), "url="); i >= 0 && strings.Contains(text[:i], ";") {
		i += len("url=")
		return text[:i] + w.url(text[i:], maxNested)
	}
	if !strings.HasPrefix(text, "<") {
		return w.url(text, maxNested)
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "<")
		inner, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			return out.String() + w.url(text, maxNested)
		}
		out.WriteString(before + "<" + w.url(inner, maxNested) + ">")
		text = after
	}
}

// url redacts the secrets in a URL: user information, parameters of path, query
// and fragment, and parts of the path that are a secret by their shape or by
// what stands before them.
func (w *work) url(text string, depth int) string {
	text, fragment, hasFragment := strings.Cut(text, "#")
	text, query, hasQuery := strings.Cut(text, "?")
	out := w.pathOf(w.userInformation(text))
	if hasQuery {
		out += "?" + w.parameters(inQuery, query, depth)
	}
	if hasFragment {
		// What answers OAuth's implicit grant (RFC 6749, 4.2.2), or a place in
		// a page with parameters of its own.
		out += "#" + w.parameters(inFragment, fragment, depth)
	}
	return out
}

// mayBeURL says whether a text is a URL, or a path with parameters.
func mayBeURL(text string) bool {
	if len(text) > maxURL || !strings.Contains(text, "/") || strings.ContainsAny(text, " \n\t") {
		return false
	}
	return strings.Contains(text, "://") || text[0] == '/' && strings.ContainsAny(text, "?#;")
}

// maxURL is the longest text that is taken for a URL, in bytes.
const maxURL = 16 << 10

// userInformation redacts what stands before the host of an absolute URL, or of
// the target of CONNECT.
func (w *work) userInformation(text string) string {
	scheme, rest, ok := strings.Cut(text, "//")
	if user, _, is := strings.Cut(text, "@"); is && !strings.ContainsAny(text, "/ ") && strings.Contains(user, ":") && !strings.HasPrefix(user, "mailto:") {
		scheme, rest, ok = "", text, true
	}
	if !ok || scheme != "" && !strings.HasSuffix(scheme, ":") {
		return text
	}
	authority, path, hasPath := strings.Cut(rest, "/")
	out := text[:len(text)-len(rest)] + w.authority(authority)
	if hasPath {
		out += "/" + path
	}
	return out
}

// authority redacts the user information in one.
func (w *work) authority(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 {
		return text
	}
	with := w.stands(w.r.made(text[:at]), text[:at])
	if with != text[:at] {
		w.note(inPath, userinfo, "userinfo", actionToken)
	}
	return with + text[at:]
}

var (
	userinfo    = &name{lower: "userinfo"}
	pathSegment = &name{lower: "path"}
)

// pathOf redacts a path: parameters such as ;jsessionid=…, the session (S(…)) of
// ASP.NET, a text whose shape is that of a secret, and one that looks made by a
// machine behind a segment such as "token".
func (w *work) pathOf(text string) string {
	if !strings.Contains(text, "/") {
		return text
	}
	begin := 0
	if i := strings.Index(text, "://"); i >= 0 {
		if begin = i + 3; strings.IndexByte(text[begin:], '/') < 0 {
			return text
		}
		begin += strings.IndexByte(text[begin:], '/')
	}
	segments := strings.Split(text[begin:], "/")
	changed := false
	for i, s := range segments {
		base, params, hasParams := strings.Cut(s, ";")
		before := ""
		if i > 0 {
			before = segments[i-1]
		}
		out := w.segment(before, base)
		if out == base && (isHook(segments[:i], base) || isLedTo(segments[:i], base)) {
			out = w.r.made(base)
			w.note(inPath, pathSegment, labelNames, actionToken)
		}
		if hasParams {
			out += ";" + w.parameters(inPath, params, 0)
		}
		changed = changed || out != s
		segments[i] = out
	}
	if !changed {
		return text
	}
	return text[:begin] + strings.Join(segments, "/")
}

func (w *work) segment(before, raw string) string {
	if raw == "" {
		return raw
	}
	if inner, ok := strings.CutPrefix(raw, "(S("); ok && strings.HasSuffix(inner, "))") {
		inner = strings.TrimSuffix(inner, "))")
		out := w.r.made(inner)
		if out != inner {
			w.note(inPath, pathSegment, labelNames, actionToken)
		}
		return "(S(" + out + "))"
	}
	text := raw
	if strings.IndexByte(raw, '%') >= 0 {
		if decoded, err := url.PathUnescape(raw); err == nil {
			text = decoded
		}
	}
	n := w.r.nameOf(before)
	if leads(before) && isMachineMade(text) && !w.ruled(inPath, n) && !n.kept {
		out := w.r.made(text)
		if out != text {
			w.note(inPath, pathSegment, labelNames, actionToken)
			return out // has no characters that would need it
		}
		return raw
	}
	at := *pathSegment
	at.rules, at.hint = n.rules, n.hint
	at.kept = n.kept
	res := w.value(inPath, &at, text)
	if !res.changed && strings.IndexByte(text, '=') > 0 {
		res.text, res.changed = w.inner(text)
	}
	if !res.changed {
		return raw
	}
	return spelled(url.PathEscape(res.text), raw)
}

// isHook says whether a segment is the secret of a webhook as Slack
// (/services/T…/B…/…), Discord (/webhooks/1…/…) and Telegram (/bot1…:…/) have them.
func isHook(before []string, segment string) bool {
	if rest, ok := strings.CutPrefix(segment, "bot"); ok {
		id, key, ok := strings.Cut(rest, ":")
		return ok && strings.Trim(id, "0123456789") == "" && len(key) >= 30
	}
	n := len(before)
	if !isMachineMade(segment) || n < 2 || isMade(segment) {
		return false
	}
	return n >= 3 && before[n-3] == "services" && strings.HasPrefix(before[n-2], "T") || before[n-2] == "webhooks" && strings.Trim(before[n-1], "0123456789") == ""
}

// leads says whether what follows a segment is a secret by its name. That of a
// collection, "tokens", is followed by names of things.
func leads(segment string) bool {
	words := wordsOf(segment)
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	return capabilities[last] || !strings.HasSuffix(last, "s") && IsSecret(segment)
}

// capabilities are words of segments behind which a value lets in whoever has it.
var capabilities = setOf("join verify verification invite invitation activate activation confirm confirmation unsubscribe recover recovery unlock share webhook hook")

// isLedTo says whether a segment is a secret by those before it: one for what lets
// somebody in, and behind it words for what is done with it, or the number of its
// owner: /oauth/callback/…, /invitations/accept/…, /hooks/catch/1234567/…, /invites/….
func isLedTo(before []string, segment string) bool {
	if !isMachineMade(segment) || isMade(segment) {
		return false
	}
	if private, ok := strings.CutPrefix(segment, "private-"); ok && isMachineMade(private) {
		return true // of a calendar
	}
	for n := len(before) - 1; n >= max(0, len(before)-maxSteppingStones); n-- {
		at := strings.ToLower(before[n])
		if many := strings.TrimSuffix(at, "s"); capabilities[many] && (n < len(before)-1 || many == at || looksRandom(segment) && !isHex(segment)) {
			return true
		}
		if n < len(before)-1 && (doors[at] || IsSecret(at)) || isCapability(at) {
			return true
		}
		if !steppingStones[at] && strings.Trim(at, "0123456789") != "" {
			return false
		}
	}
	return false
}

// maxSteppingStones is how many segments may stand between both, one less.
const maxSteppingStones = 3

var (
	doors          = setOf("oauth oauth2 openid sso saml auth login signin session")
	steppingStones = setOf("edit magic accept callback catch incoming complete redeem ticket t s token code email account password confirm verify use")
)

// isCapability says whether a segment of several words begins or ends with one for
// what lets somebody in: verify-email, email-verification.
func isCapability(segment string) bool {
	words := wordsOf(segment)
	return len(words) == 2 && (capabilities[words[0]] || capabilities[words[1]] || words[0] == "reset")
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// isMachineMade says whether a text is long and has letters and digits, and is
// no UUID, which names a thing.
func isMachineMade(s string) bool {
	return len(s) >= leastMade && strings.Count(s, "-") != 4 && (strings.ContainsAny(s, "0123456789") && strings.Trim(s, "0123456789") != "" || isMixed(s) || isJumbled(s))
}

// leastMade is how long a text is at least that is taken for one that a machine has
// made, in bytes.
const leastMade = 16

// isMixed says whether the letters of a text are of both cases as no words are.
func isMixed(s string) bool { return len(s) >= 12 && humps(s) >= 4 }

// isJumbled says whether capitals, small letters and digits follow each other as in
// no words that are written together: two of five characters are of another kind than
// the one before.
func isJumbled(s string) bool {
	const upper, lower, digit = 1, 2, 3
	changes, before := 0, 0
	for i := range len(s) {
		kind := 0
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z':
			kind = upper
		case c >= 'a' && c <= 'z':
			kind = lower
		case c >= '0' && c <= '9':
			kind = digit
		default:
			return false
		}
		if before != 0 && kind != before {
			changes++
		}
		before = kind
	}
	return len(s) >= 20 && 5*changes >= 2*len(s)
}

// humps is how often a capital follows a small letter.
func humps(s string) (n int) {
	for i := 1; i < len(s); i++ {
		if s[i-1] >= 'a' && s[i-1] <= 'z' && s[i] >= 'A' && s[i] <= 'Z' {
			n++
		}
	}
	return n
}

// parameters redacts those of a query, a path, a fragment or a form.
func (w *work) parameters(at place, query string, depth int) string {
	var b strings.Builder
	done := 0 // so much of query is in b
	for p := range message.Parameters(query) {
		if p.Value == "" && (p.At == 0 || query[p.At-1] != '=') {
			if with, ok := w.bare(at, p.Name); ok {
				b.WriteString(query[done : p.At-len(p.Name)])
				b.WriteString(with)
				done = p.At
			}
			continue
		}
		with, drop, ok := w.parameter(at, p, depth)
		switch {
		case drop:
			from := p.At - len("=") - len(p.Name)
			end := p.At + len(p.Value)
			if end < len(query) {
				end++ // what parts it from the next
			}
			b.WriteString(query[done:from])
			done = end
		case ok:
			b.WriteString(query[done:p.At])
			b.WriteString(with)
			done = p.At + len(p.Value)
		}
	}
	if done == 0 {
		return query
	}
	return b.String() + query[done:]
}

// bare redacts what stands in a query without being the value of a name.
func (w *work) bare(at place, raw string) (with string, ok bool) {
	text := raw
	if strings.ContainsAny(raw, "%+") {
		if decoded, err := url.QueryUnescape(raw); err == nil {
			text = decoded
		}
	}
	res := w.parts(at, nameless, text, nil, false)
	if !res.changed {
		if res.text, res.changed = w.inner(text); !res.changed {
			return "", false
		}
	}
	return spelled(url.QueryEscape(res.text), raw), true
}

// parameter is what is put in the place of a parameter's value; ok says whether
// anything is.
func (w *work) parameter(at place, p message.Parameter, depth int) (with string, drop, ok bool) {
	if p.Value == "" {
		return "", false, false
	}
	value := p.Value
	if strings.ContainsAny(value, "%+") {
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
	}
	if at == inFragment && isMade(value) {
		return "", false, false
	}
	n := w.r.nameOf(lastOfBrackets(p.Decoded()))
	if res := w.value(at, n, value); res.changed {
		return spelled(url.QueryEscape(res.text), p.Value), res.dropped, true
	}
	if w.ruled(at, n) {
		return "", false, false
	}
	if depth > 0 && w.effort < maxEffort && strings.ContainsAny(value, "?#@;") {
		w.effort += len(value)
		if out := w.url(value, depth-1); out != value {
			return url.QueryEscape(out), false, true
		}
	}
	if out, ok := w.inner(value); ok {
		return url.QueryEscape(out), false, true
	}
	if out, ok := w.escaped(value); ok {
		return url.QueryEscape(out), false, true
	}
	return "", false, false
}

// spelled is a text that is escaped for a URL, with what need not be as it stands
// in the text whose place it takes.
func spelled(escaped, raw string) string {
	escaped = strings.ReplaceAll(escaped, "%2A", "*")
	if strings.Contains(raw, "@") {
		escaped = strings.ReplaceAll(escaped, "%40", "@")
	}
	return escaped
}

// lastOfBrackets is the name without the brackets of a list (token[]), by which
// nothing ends.
func lastOfBrackets(name string) string { return strings.TrimSuffix(name, "[]") }
