package substitute

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// credential is a value that an answer of the baseline gave its client to show
// again: a cookie, a token against forged requests, a bearer token. It is found
// by the recorded value, which may be redacted: equal values have equal tokens.
// It belongs to the session of that answer.
type credential struct {
	by      *origin
	session *session

	// Under credentials.mu.
	value  string  // the candidate's
	cookie *cookie // the candidate's
	// elsewhere: the candidate gave one to another process.
	elsewhere bool
	// beside are cookies that only the candidate set, by name, in answers that gave
	// this one or to requests that showed it: a client that sends it sends them.
	beside map[string]*cookie
}

// lost says whether the candidate gave nothing for it, and will not.
func (v *credential) lost() bool {
	select {
	case <-v.by.done:
		return v.value == "" && v.cookie == nil
	default:
		return false
	}
}

// byCookie and byValue are the keys.
func byCookie(name, value string) string { return "c" + name + "=" + value }
func byValue(value string) string        { return "v" + redact.Bare(value) }

// leastCredential is how long a value must be to be known by itself.
const leastCredential = 8

// bearers are members whose values go into Authorization, without separators and
// in lower case.
var bearers = []string{"accesstoken", "token", "idtoken", "jwt", "authtoken", "bearertoken"}

// carriers are the schemes of Authorization with such a value behind them.
// Others hold what the client computed of a secret of its own.
var carriers = []string{"", "bearer", "token", "jwt"}

// isCredentials says whether a header field holds credentials as its value.
func isCredentials(field string) bool {
	return field != "Cookie" && field != "Set-Cookie" && redact.IsSecret(field)
}

// forgery are names of what proves that a request is no forged one.
var forgery = regexp.MustCompile(`(?i)csrf|xsrf|authenticity_?token|antiforgery|request_?verification_?token|wp_?nonce|^_token$`)

// remember enters the credentials that the recorded answer gives, and finds
// those that the request shows. sent is the body of the request. The
// session's mu is held.
func (x *Exchange) remember(sent []byte, answer *content) {
	q, a := x.recorded.GetRequest(), x.recorded.GetResponse()
	s, c := x.session, &x.memory.credentials
	texts, members := secretTexts(q.GetTarget(), sent), secretsOf(answer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.jar.begun == 0 {
		s.jar.begun = x.origin.sequence
	}
	type credentialShown struct {
		key, value string
		secret     bool // by where it stands
	}
	var shown []credentialShown
	for _, p := range cookiesOf(q.GetHeaders()) {
		shown = append(shown, credentialShown{byCookie(p[0], p[1]), p[1], secretNames.Of(p[0])})
	}
	for _, h := range q.GetHeaders() {
		if name := http.CanonicalHeaderKey(h.GetName()); isCredentials(name) {
			if inner, carries := carried(name, string(h.GetValue())); carries {
				shown = append(shown, credentialShown{byValue(inner), inner, true})
			}
		}
	}
	for _, value := range texts {
		shown = append(shown, credentialShown{byValue(value), value, true})
		x.secrets = append(x.secrets, value)
	}
	for range 2 { // one may show whom the session goes on with, and so what the others are
		for _, p := range shown {
			x.adopt(p.key, p.value, p.secret)
		}
	}
	x.showed = map[string]bool{}
	for _, p := range shown {
		x.showed[p.key] = true
		x.show(x.own(p.key))
	}
	for _, h := range q.GetHeaders() {
		name := http.CanonicalHeaderKey(h.GetName())
		if !isCredentials(name) {
			continue
		}
		if v := x.credentialFor(name, string(h.GetValue())); v != nil {
			if x.fields == nil {
				x.fields = map[string]*credential{}
			}
			x.fields[name] = v
			x.secrets = append(x.secrets, bare(string(h.GetValue())))
			x.show(v)
		}
	}
	for _, line := range message.Values(a.GetHeaders(), "Set-Cookie") {
		name, value, _ := cutCookie(line)
		if name == "" || value == "" {
			continue
		}
		g := given{name: name}
		if _, set, ok := parseCookie(line, pathOf(string(q.GetTarget())), []string{hostOf(q.GetAuthority())}, time.Now()); ok {
			g.path = set.path
		}
		v := x.give(g, byCookie(name, value))
		if len(value) >= leastCredential {
			x.hold(byValue(value), v)
			if plain, err := url.PathUnescape(value); err == nil && plain != value {
				x.hold(byValue(plain), v) // as a script repeats it
			}
		}
	}
	for _, h := range a.GetHeaders() {
		if name := http.CanonicalHeaderKey(h.GetName()); isCredentials(name) && len(h.GetValue()) >= leastCredential {
			x.give(given{field: name}, byValue(bare(string(h.GetValue()))))
		}
	}
	var logins, forgeries []*credential
	for path, value := range members {
		v := x.give(given{member: path}, byValue(value))
		switch name := path[strings.LastIndexByte(path, '/')+1:]; {
		case slices.Contains(bearers, plainName(name)):
			logins = append(logins, v)
		case forgery.MatchString(name) && !slices.Contains(forgeries, v):
			forgeries = append(forgeries, v)
		}
	}
	if a.GetStatus() < 400 {
		s.jar.login.give(logins)
		s.jar.forgery.give(forgeries)
	}
}

// given is a credential and where the recorded answer gave it: the name of a
// cookie and its path, a field, or the path of a member.
type given struct {
	*credential
	name, path, field, member string
}

// give enters one under its key, and returns what the session has under it.
func (x *Exchange) give(g given, key string) *credential {
	g.credential = x.hold(key, &credential{by: x.origin, session: x.session})
	x.gives = append(x.gives, g)
	return g.credential
}

// hold puts a credential into the session's jar; what was given before stays
// unless it is lost.
func (x *Exchange) hold(key string, v *credential) *credential {
	c := &x.memory.credentials
	before, showed := c.find(key) != nil, x.showed[key]
	c.give(key, v, showed && x.own(key) != nil)
	if showed && !before && strings.HasPrefix(key, byValue("")) {
		c.find(key).clients = true
	}
	known := x.session.jar.find(key, x.origin.sequence+1)
	if known != nil && !known.lost() && (known.session == x.session || x.own(key) == known) {
		return known
	}
	x.session.put(key, v)
	return v
}

func (x *Exchange) show(v *credential) {
	if v != nil && v.by != x.origin {
		x.shows = append(x.shows, v)
	}
}

// bare is a credential without the scheme before it.
func bare(value string) string {
	if scheme, rest, ok := strings.Cut(value, " "); ok && !strings.ContainsAny(scheme, "=,") {
		return strings.TrimSpace(rest)
	}
	return value
}

// carried is what a field of credentials shows of what an answer may have given;
// carries is false where the client computed it of a secret of its own.
func carried(name, value string) (inner string, carries bool) {
	inner = bare(value)
	if name == "Authorization" || name == "Proxy-Authorization" {
		carries = slices.Contains(carriers, strings.ToLower(strings.TrimSpace(strings.TrimSuffix(value, inner))))
	} else {
		carries = true
	}
	return inner, carries && inner != ""
}

// isRedacted says whether a request field was redacted by the recorder.
func (x *Exchange) isRedacted(name string) bool {
	return slices.ContainsFunc(x.recorded.GetRedactions(), func(r *understudyv1.Redaction) bool {
		return r.GetPlace() == understudyv1.Redaction_PLACE_REQUEST_HEADER && strings.EqualFold(r.GetName(), name)
	})
}

// credentialFor finds what a request field shows again: by its value, or, if it
// is redacted and so cannot be told, the only one of that use in the session.
func (x *Exchange) credentialFor(name, value string) *credential {
	inner, carries := carried(name, value)
	if !carries {
		return nil
	}
	if v := x.own(byValue(inner)); v != nil {
		return v
	}
	switch {
	case !x.isRedacted(name):
	case name == "Authorization" && strings.EqualFold(strings.TrimSpace(strings.TrimSuffix(value, inner)), "bearer"):
		return x.session.jar.login.behind(inner)
	case forgery.MatchString(name):
		for _, p := range cookiesOf(x.recorded.GetRequest().GetHeaders()) {
			if forgery.MatchString(p[0]) {
				return x.own(byCookie(p[0], p[1]))
			}
		}
		return x.session.jar.forgery.behind(inner)
	}
	return nil
}

// keepCredentials takes the candidate's counterparts of what the recorded answer
// gave, and what it set besides.
func (x *Exchange) keepCredentials(promise, answer *understudyv1.Response) {
	if promise == answer {
		promise = nil
	}
	set := setCookies(x, promise, answer)
	var members map[string]string
	if slices.ContainsFunc(x.gives, func(g given) bool { return g.member != "" }) {
		members = secretsOf(x.content(answer))
	}
	s, c := x.session, &x.memory.credentials
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	renewed := map[string]bool{}
	shown := map[string]*credential{}
	cookies := cookiesOf(x.recorded.GetRequest().GetHeaders())
	for _, p := range cookies {
		shown[p[0]] = x.own(byCookie(p[0], p[1]))
	}
	for _, g := range x.gives {
		switch {
		case g.member != "":
			g.take(members[g.member])
		case g.field != "":
			g.take(bare(message.First(answer.GetHeaders(), g.field)))
		default:
			renewed[g.name] = true
			k := set[nameAndPath(g.name, g.path)]
			if k == nil {
				k = set[g.name]
			}
			if k != nil {
				g.credential.cookie = k
			} else if old := shown[g.name]; old != nil && g.credential.cookie == nil {
				g.credential.cookie = old.cookie // the candidate goes on with it
			}
		}
	}
	x.setBeside(set, renewed, shown)
	for _, p := range cookies { // what the candidate alone set
		k := set[p[0]]
		switch v := shown[p[0]]; {
		case k == nil || renewed[p[0]]:
		case v != nil:
			v.cookie = k
		default:
			s.put(byCookie(p[0], p[1]), &credential{by: x.origin, session: s, cookie: k})
		}
	}
}

// setBeside keeps the cookies of an answer that the baseline did not set with those
// that it set, and with those that the request showed.
func (x *Exchange) setBeside(set map[string]*cookie, renewed map[string]bool, shown map[string]*credential) {
	var with []*credential
	for _, g := range x.gives {
		if g.name != "" {
			with = append(with, g.credential)
		}
	}
	for _, v := range shown {
		if v != nil && v.by != x.origin {
			with = append(with, v)
		}
	}
	for name, k := range set {
		if _, sent := shown[name]; sent || renewed[name] || strings.Contains(name, ";") {
			continue
		}
		for _, v := range with {
			if v.beside == nil {
				v.beside = map[string]*cookie{}
			}
			if v.beside[name] != nil || len(v.beside) < maxCookies {
				v.beside[name] = k
			}
		}
	}
}

// take keeps the candidate's latest.
func (v *credential) take(value string) {
	if value != "" {
		v.value = value
	}
}

// Cookie puts the candidate's cookies where the recording sent those of the
// same names and values; keep says that the recorded ones are no tokens of
// redaction, and so may be sent where no answer of the baseline gave them. target is the one that is sent. Empty if there is nothing to send.
func (r *Request) Cookie(line, target string, keep bool) string {
	if r == nil {
		if keep {
			return line
		}
		return ""
	}
	x, now := r.x, time.Now()
	c := &x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	has, beside := map[string]bool{}, map[string]*cookie{}
	var with *credential // beside which those were given
	for pair := range strings.SplitSeq(line, ";") {
		pair = strings.TrimSpace(pair)
		name, value, ok := strings.Cut(pair, "=")
		v := x.own(byCookie(name, value))
		has[name] = true
		switch {
		case ok && v != nil:
			maps.Copy(beside, v.beside)
			with = v
			if v.cookie.goesTo(pathOf(target), now) {
				out = append(out, name+"="+v.cookie.value)
				r.lets("cookie", name, value, v.cookie.value, v)
			}
		case keep && pair != "" && !(ok && (secretNames.Of(name) || isUnmistakable(value)) && x.handedOut(byCookie(name, value))):
			if ok {
				pair = name + "=" + r.t.Value(name, value)
			}
			out = append(out, pair)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(beside)) {
		if k := beside[name]; !has[name] && k.goesTo(pathOf(target), now) {
			out = append(out, name+"="+k.value)
			r.lets("cookie", name, "", k.value, with)
		}
	}
	return strings.Join(out, "; ")
}

// Credential puts the candidate's credential into a field. Without one it is
// left as it is recorded if keep says so, unless the recording shows that the
// baseline gave it, to whomever: then a client of the candidate has none. ok is
// false when the field is not sent.
func (r *Request) Credential(name, value string, keep bool) (out string, ok bool) {
	if r == nil {
		return value, keep
	}
	name = http.CanonicalHeaderKey(name)
	c := &r.x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	v := r.x.fields[name]
	if v == nil {
		inner, carries := carried(name, value)
		return value, keep && !(carries && isCredentials(name) && r.x.handedOut(byValue(inner)))
	}
	own := v.own(forgery.MatchString(name))
	if own == "" {
		return "", false
	}
	r.lets("header", name, bare(value), own, v)
	return strings.TrimSuffix(value, bare(value)) + own, true
}

// lets notes that a credential was put in: where, and who gave it, but not which.
func (r *Request) lets(place, name, was, is string, v *credential) {
	if was != is {
		r.used(names.Credential+place+" "+name, secret, secret, v.by.exchange)
	}
}

// own is what the candidate gave; a cookie is decoded when a field repeats it,
// as scripts do.
func (v *credential) own(decoded bool) string {
	if v.cookie == nil || v.cookie.cleared {
		return v.value
	}
	if text, err := url.PathUnescape(v.cookie.value); err == nil && decoded {
		return text
	}
	return v.cookie.value
}
