package substitute

import (
	"bytes"
	"maps"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Bounds of the redacted values of one answer that are looked into.
const (
	maxHidden     = 256
	maxHiddenText = 4 << 10 // bytes
)

// revealed are the redacted values in the bodies and cookies of the candidate's
// answers, by their tokens: an address or a key may hold a name of something,
// which nobody sees once it is a token.
func (x *Exchange) revealed(answers []*understudyv1.Response) (values map[string]disclosed) {
	values = x.inCookies(answers)
	if !x.redactsBodies() {
		return values
	}
	for _, a := range answers {
		body := plain(a.GetHeaders(), a.GetBody())
		if len(body) == 0 {
			continue
		}
		_, behind := x.memory.Redactor.Body(x.recorded, message.First(a.GetHeaders(), "Content-Type"), body)
		for _, token := range slices.Sorted(maps.Keys(behind)) {
			if value := behind[token]; redact.HasToken(token) && len(value) <= maxHiddenText && len(values) < maxHidden {
				if values == nil {
					values = map[string]disclosed{}
				}
				values[token] = disclosed{text: value}
			}
		}
	}
	return values
}

// disclosed is a redacted value, and the name of the cookie that has it, if one does.
type disclosed struct{ text, cookie string }

// calls says whether it stands in a cookie that is called by a kind of things, so
// that a number there is the name of one.
func (d disclosed) calls(kind string) bool {
	if d.cookie == "" || kind == "" {
		return false
	}
	place, _ := names.KindOf(d.cookie)
	is, _ := names.Calls(d.cookie, kind)
	return is || place.Kind == kind
}

// inCookies are those in cookies, if the recorded answer's are redacted.
func (x *Exchange) inCookies(answers []*understudyv1.Response) (values map[string]disclosed) {
	if x.memory.Redactor == nil || !redact.HasToken(cookieText(x.recorded.GetResponse())) {
		return nil
	}
	values = map[string]disclosed{}
	for _, a := range answers {
		for _, line := range message.Values(a.GetHeaders(), "Set-Cookie") {
			if name, value, _ := cutCookie(line); value != "" && len(value) <= maxHiddenText && len(values) < maxHidden {
				values[x.memory.Redactor.Token(x.recorded, value)] = disclosed{value, name}
			}
		}
	}
	return values
}

func cookieText(a *understudyv1.Response) string {
	return strings.Join(message.Values(a.GetHeaders(), "Set-Cookie"), "\n")
}

// redactsBodies says whether something in the recorded bodies was.
func (x *Exchange) redactsBodies() bool {
	return x.memory.Redactor != nil && slices.ContainsFunc(x.recorded.GetRedactions(), func(r *understudyv1.Redaction) bool {
		return r.GetPlace() == understudyv1.Redaction_PLACE_RESPONSE_BODY || r.GetPlace() == understudyv1.Redaction_PLACE_REQUEST_BODY
	})
}

// hidden are the pairs of tokens in the recorded answer and the candidate's of
// which the values differ in nothing but names that are known: the token of the
// value with the baseline's names stands in the recorded answer. Where the value
// that the candidate gives has the baseline's names, the pair says what it should
// be. The session is locked.
func (x *Exchange) hidden(values map[string]disclosed) (out []names.Pair) {
	if len(values) == 0 {
		return nil
	}
	recorded := plain(x.recorded.GetResponse().GetHeaders(), x.recorded.GetResponse().GetBody())
	cookies := cookieText(x.recorded.GetResponse())
	isRecorded := func(token string) bool {
		return redact.HasToken(token) && (bytes.Contains(recorded, []byte(token)) || strings.Contains(cookies, token))
	}
	pairs := x.session.pairs
	own, theirs := names.NewCandidateSearch(pairs), names.NewSearch(pairs)
	add := func(p names.Pair, baseline, candidate string) {
		if baseline != candidate {
			p.Kind, p.Scope, p.Baseline, p.Candidate = names.Redacted.Kind, "", names.Value{Text: baseline}, names.Value{Text: candidate}
			out = append(out, p)
		}
	}
	for _, token := range slices.Sorted(maps.Keys(values)) {
		value := values[token]
		if before, p, ok := renamed(pairs, own, value, false); ok {
			if t := x.memory.Redactor.Token(x.recorded, before); isRecorded(t) {
				add(p, t, token)
				continue
			}
		}
		if !isRecorded(token) {
			continue
		}
		if after, p, ok := renamed(pairs, theirs, value, true); ok {
			add(p, token, x.memory.Redactor.Token(x.recorded, after))
			continue
		}
		// Within a code, as a JSON Web Token is, whose other names would make another.
		names.Coded(value.text, func(_, _ int, plain string) {
			if after, p, ok := renamed(pairs, theirs, disclosed{plain, value.cookie}, true); ok {
				add(p, token, x.memory.Redactor.Token(x.recorded, after))
			}
		})
	}
	return out
}

// renamed is a value with the names of one side in the place of the other's, and the
// pair that proves least of those that it went by. A short number is a name only
// beside something else, and any in a cookie that is called by its kind. What is
// percent-encoded, as JSON in a cookie, stays so.
func renamed(pairs *names.Pairs, search *names.Search, value disclosed, toCandidate bool) (out string, weakest names.Pair, ok bool) {
	var b strings.Builder
	text, place := unescapedAt(value.text)
	done := 0
	search.In(text, func(at names.Sighting) bool {
		var best names.Pair
		for _, i := range pairs.AppendNamed(nil, at.Name) {
			p := pairs.All()[i]
			from := p.Candidate.Text
			if toCandidate {
				from = p.Baseline.Text
			}
			if from != at.Name || !p.Renames() || !p.Holds() || p.Kind == names.Moment.Kind || redact.HasToken(p.Baseline.Text) || best.Proof == names.Created {
				continue
			}
			best = p
		}
		whole, called := at.From == 0 && at.To == len(text), value.calls(best.Kind)
		if best.Proof == 0 || names.IsDigits(at.Name) && !called && (len(at.Name) < leastHidden || whole && (value.cookie == "" || len(at.Name) < leastWhole)) {
			return false
		}
		if !names.IsUnguessable(at.Name) && !(whole && called) {
			best.Proof = names.Aligned
		}
		if !ok || best.Proof != names.Created {
			weakest, ok = best, true
		}
		with := best.Baseline.Text
		if toCandidate {
			with = best.Candidate.Text
		}
		b.WriteString(value.text[place(done):place(at.From)] + at.Spell(with))
		done = at.To
		return true
	})
	return b.String() + value.text[place(done):], weakest, ok
}

// unescapedAt is a text without percent-encoding, and where what stands at a place
// in it stands in what was encoded.
func unescapedAt(encoded string) (text string, place func(int) int) {
	plain, err := url.PathUnescape(encoded)
	if err != nil || plain == encoded {
		return encoded, func(at int) int { return at }
	}
	places := make([]int, 0, len(plain)+1)
	for at := 0; at < len(encoded); at++ {
		places = append(places, at)
		if encoded[at] == '%' {
			at += len("22")
		}
	}
	places = append(places, len(encoded))
	return plain, func(at int) int { return places[at] }
}

// leastHidden is how many digits a number has at least that is taken for a name
// within a value.
const leastHidden = 4

// concealed wants a name of the request that an answer gave the session in a cookie
// or another credential, of which the recording holds only the token. It says
// whether one did.
func (x *Exchange) concealed(at names.Place, name string) bool {
	r, c, jar := x.memory.Redactor, &x.memory.credentials, &x.session.jar
	if r == nil || len(jar.young)+len(jar.old) == 0 || !names.IsUnmistakable(name) && (!names.IsDigits(name) || len(name) < longNumber) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v := x.own(byValue(r.Token(x.recorded, name)))
	if v == nil {
		return false
	}
	x.needs = append(x.needs, need{at: at, name: name, made: []entry{{kind: kindAt(at), by: v.by}}, concealed: v})
	return true
}

// resolveConcealed says whether such a name can be sent: if the candidate gave the
// same.
func (s *session) resolveConcealed(n need) *Unresolved {
	s.memory.credentials.mu.Lock()
	v := n.concealed
	isSame := v.value == n.name || v.cookie != nil && v.cookie.value == n.name
	s.memory.credentials.mu.Unlock()
	if isSame {
		return nil
	}
	return s.because(n, whyRedacted, v.by.exchange)
}
