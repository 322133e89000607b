package substitute

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// credential is a value that an answer of the baseline gave its client to show
// again: a cookie, a token against forged requests, a bearer token. It is found
// by the recorded value, which may be redacted: equal values have equal tokens.
// Sessions do not matter for that, since a login often begins another one.
type credential struct {
	by *origin
	// field or member of the answer; both empty for a cookie.
	field  string
	member string

	// Under credentials.mu.
	value  string  // the candidate's
	cookie *cookie // the candidate's
}

// MaxCredentials are remembered for the run; the oldest go first.
const MaxCredentials = 100_000

type credentials struct {
	mu         sync.Mutex
	young, old map[string]*credential
}

// find must be called with mu held. Only what an earlier exchange gave counts.
func (c *credentials) find(key string, before uint64) *credential {
	found := c.young[key]
	if found == nil {
		found = c.old[key]
	}
	if found == nil || found.by.sequence >= before {
		return nil
	}
	return found
}

// put must be called with mu held; the first with a key stays.
func (c *credentials) put(key string, v *credential) *credential {
	if known := c.find(key, v.by.sequence+1); known != nil {
		return known
	}
	if c.young == nil || len(c.young) >= MaxCredentials/2 {
		c.old, c.young = c.young, map[string]*credential{}
	}
	c.young[key] = v
	return v
}

// byCookie and byValue are the keys.
func byCookie(name, value string) string { return "c" + name + "=" + value }
func byValue(value string) string        { return "v" + value }

// leastCredential is how long a value must be to be known by itself.
const leastCredential = 8

// secretMembers are members that hold credentials, without separators and in
// lower case; bearers those of them that go into Authorization.
var (
	bearers       = []string{"accesstoken", "token", "idtoken", "jwt", "authtoken", "bearertoken"}
	secretMembers = map[string]bool{}
	secretFields  = map[string]bool{}
)

func init() {
	for _, name := range append(strings.Fields("refreshtoken sessiontoken csrf xsrf csrftoken xsrftoken csrfmiddlewaretoken "+
		"authenticitytoken apikey secret clientsecret password passwd"), bearers...) {
		secretMembers[name] = true
	}
	for _, name := range strings.Fields("Authorization X-Csrf-Token X-Xsrf-Token X-Csrftoken X-Auth-Token X-Access-Token X-Refresh-Token X-Session-Id X-Session-Token X-Api-Key Api-Key") {
		secretFields[name] = true
	}
}

var separators = strings.NewReplacer("_", "", "-", "", ".", "", "@", "")

func plainName(name string) string { return strings.ToLower(separators.Replace(name)) }

// forgery are names of what proves that a request is no forged one.
var forgery = regexp.MustCompile(`(?i)csrf|xsrf|authenticity_?token|^_token$`)

// secretsIn finds the credentials in a JSON document by their path, not those in
// arrays.
func secretsIn(body []byte) map[string]string {
	if !mayHold(body) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	out := map[string]string{}
	var walk func(path string, v any, depth int)
	walk = func(path string, v any, depth int) {
		members, ok := v.(map[string]any)
		if !ok || depth > 16 || len(out) >= maxCookies {
			return
		}
		for name, value := range members {
			at := path + "/" + name
			if text, ok := value.(string); ok && text != "" && len(text) <= maxCookie && secretMembers[plainName(name)] {
				out[at] = text
				continue
			}
			walk(at, value, depth+1)
		}
	}
	walk("", v, 0)
	return out
}

// marks are parts of all the names above, in what cases they are written.
var marks = [][]byte{
	[]byte("oken"), []byte("TOKEN"), []byte("jwt"), []byte("JWT"), []byte("srf"), []byte("SRF"), []byte("ecret"), []byte("SECRET"),
	[]byte("pi_key"), []byte("piKey"), []byte("apikey"), []byte("API_KEY"), []byte("assw"), []byte("uthenticity"),
}

// mayHold is a quick look before a document is taken apart.
func mayHold(body []byte) bool {
	return slices.ContainsFunc(marks, func(m []byte) bool { return bytes.Contains(body, m) })
}

// remember enters the credentials that the recorded answer gives, and finds
// those that the request shows. sent and body are the bodies of both.
func (x *Exchange) remember(sent, body []byte) {
	q, a := x.recorded.GetRequest(), x.recorded.GetResponse()
	c := &x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range cookiesOf(q.GetHeaders()) {
		x.show(c.find(byCookie(p[0], p[1]), x.origin.sequence))
	}
	for _, h := range q.GetHeaders() {
		name := http.CanonicalHeaderKey(h.GetName())
		if !secretFields[name] {
			continue
		}
		if v := x.credentialFor(name, string(h.GetValue())); v != nil {
			if x.fields == nil {
				x.fields = map[string]*credential{}
			}
			x.fields[name] = v
			x.show(v)
		}
	}
	for _, value := range forgeryTokens(sent) {
		x.show(c.find(byValue(value), x.origin.sequence))
	}
	for _, line := range message.Values(a.GetHeaders(), "Set-Cookie") {
		name, value, _ := cutCookie(line)
		if name == "" || value == "" {
			continue
		}
		made := c.put(byCookie(name, value), &credential{by: x.origin})
		x.gives = append(x.gives, given{made, name, value})
		if len(value) >= leastCredential {
			c.put(byValue(value), made)
		}
	}
	for _, h := range a.GetHeaders() {
		if name := http.CanonicalHeaderKey(h.GetName()); secretFields[name] && len(h.GetValue()) >= leastCredential {
			x.give(&credential{by: x.origin, field: name}, bare(string(h.GetValue())))
		}
	}
	logins := map[string]*credential{}
	for path, value := range secretsIn(body) {
		v := x.give(&credential{by: x.origin, member: path}, value)
		if name := plainName(path[strings.LastIndexByte(path, '/')+1:]); slices.Contains(bearers, name) {
			logins[name] = v
		}
	}
	switch access := logins[bearers[0]]; {
	case access != nil: // RFC 6749: beside it an id_token says who it is
		x.session.login = access
	case len(logins) == 1:
		for _, v := range logins {
			x.session.login = v
		}
	}
}

// given is a credential and what the recording calls it.
type given struct {
	*credential
	name, value string // of a cookie
}

func (x *Exchange) give(v *credential, value string) *credential {
	c := &x.memory.credentials
	known := c.put(byValue(value), v)
	if known == v {
		x.gives = append(x.gives, given{credential: v, value: value})
	}
	return known
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

// isRedacted says whether a request field was redacted by the recorder.
func (x *Exchange) isRedacted(name string) bool {
	return slices.ContainsFunc(x.recorded.GetRedactions(), func(r *understudyv1.Redaction) bool {
		return r.GetPlace() == understudyv1.Redaction_PLACE_REQUEST_HEADER && strings.EqualFold(r.GetName(), name)
	})
}

// credentialFor finds what a request field shows again: by its value, or, if it
// is redacted and so cannot be told, the only one of that use in the session.
func (x *Exchange) credentialFor(name, value string) *credential {
	c := &x.memory.credentials
	value = bare(value)
	if len(value) >= leastCredential {
		if v := c.find(byValue(value), x.origin.sequence); v != nil {
			return v
		}
	}
	if !x.isRedacted(name) {
		return nil
	}
	switch {
	case strings.EqualFold(name, "Authorization"):
		if v := x.session.login; v != nil && v.by.sequence < x.origin.sequence {
			return v
		}
	case forgery.MatchString(name):
		for _, p := range cookiesOf(x.recorded.GetRequest().GetHeaders()) {
			if forgery.MatchString(p[0]) {
				return c.find(byCookie(p[0], p[1]), x.origin.sequence)
			}
		}
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
		members = secretsIn(plain(answer.GetHeaders(), answer.GetBody()))
	}
	s, c := x.session, &x.memory.credentials
	s.mu.Lock()
	for name, k := range set {
		if s.jar == nil {
			s.jar = map[string]*cookie{}
		}
		if _, has := s.jar[name]; has || len(s.jar) < maxCookies {
			s.jar[name] = k
		}
	}
	s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	renewed := map[string]bool{}
	shown := map[string]*credential{}
	for _, p := range cookiesOf(x.recorded.GetRequest().GetHeaders()) {
		shown[p[0]] = c.find(byCookie(p[0], p[1]), x.origin.sequence)
	}
	for _, g := range x.gives {
		switch {
		case g.member != "":
			g.credential.value = members[g.member]
		case g.field != "":
			g.credential.value = bare(message.First(answer.GetHeaders(), g.field))
		default:
			renewed[g.name] = true
			if k := set[g.name]; k != nil {
				g.cookie = k
				g.credential.cookie = k
			} else if old := shown[g.name]; old != nil && g.credential.cookie == nil {
				g.credential.cookie = old.cookie // the candidate goes on with it
			}
		}
	}
	for name, v := range shown {
		if k := set[name]; v != nil && k != nil && !renewed[name] {
			v.cookie = k // renewed by the candidate alone
		}
	}
}

// Cookie puts the candidate's cookies where the recording sent those of the
// same names; keep says that the recorded ones are no tokens of redaction.
// target is the one that is sent. Empty if there is nothing to send.
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
	for pair := range strings.SplitSeq(line, ";") {
		pair = strings.TrimSpace(pair)
		name, value, ok := strings.Cut(pair, "=")
		v := c.find(byCookie(name, value), x.origin.sequence)
		k := x.session.jar[name]
		switch {
		case ok && v != nil:
			if v.cookie.goesTo(pathOf(target), now) {
				out = append(out, name+"="+v.cookie.value)
			}
		case ok && k != nil:
			if k.goesTo(pathOf(target), now) {
				out = append(out, name+"="+k.value)
			}
		case keep && pair != "":
			if ok {
				pair = name + "=" + r.t.Value(name, value)
			}
			out = append(out, pair)
		}
	}
	return strings.Join(out, "; ")
}

// Credential puts the candidate's credential into a field. Without one it is
// left as it is recorded if keep says so, unless the recording shows that the
// baseline gave it: then a client of the candidate has none. ok is false when
// the field is not sent.
func (r *Request) Credential(name, value string, keep bool) (out string, ok bool) {
	if r == nil {
		return value, keep
	}
	v := r.x.fields[http.CanonicalHeaderKey(name)]
	if v == nil {
		return value, keep
	}
	c := &r.x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	own := v.own(forgery.MatchString(name))
	if own == "" {
		return "", false
	}
	if inner := bare(value); inner != value {
		return strings.TrimSuffix(value, inner) + own, true
	}
	if strings.EqualFold(name, "Authorization") {
		own = "Bearer " + own
	}
	return own, true
}

// own is what the candidate gave; a cookie is decoded when a field repeats it,
// as scripts do.
func (v *credential) own(decoded bool) string {
	if v.cookie == nil || v.cookie.cleared {
		return v.value
	}
	if text, err := url.QueryUnescape(v.cookie.value); err == nil && decoded {
		return text
	}
	return v.cookie.value
}

// forgeryMember is a member of a JSON document that proves that the request is
// no forged one.
var forgeryMember = regexp.MustCompile(`"([^"\\]*(?i:csrf|xsrf|authenticity_?token|_token)[^"\\]*)"(\s*:\s*)"([^"\\]*)"`)

// forgeryTokens are the values in a request's body, a JSON document or a form,
// that prove that it is no forged one.
func forgeryTokens(body []byte) (out []string) {
	if !mayHold(body) {
		return nil
	}
	for _, m := range forgeryMember.FindAllSubmatch(body, maxCookies) {
		out = append(out, string(m[3]))
	}
	for f := range strings.SplitSeq(string(body), "&") {
		name, value, ok := strings.Cut(f, "=")
		if plain, err := url.QueryUnescape(value); ok && err == nil && len(out) < maxCookies && forgery.MatchString(name) {
			out = append(out, plain)
		}
	}
	return out
}

// counterparts replaces tokens against forged requests that names are not.
func (r *Request) counterparts(body []byte, form bool) []byte {
	if !mayHold(body) {
		return body
	}
	c := &r.x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	with := func(value string) (string, bool) {
		if v := c.find(byValue(value), r.x.origin.sequence); v != nil && len(value) >= leastCredential {
			own := v.own(false)
			return own, own != ""
		}
		return "", false
	}
	if !form {
		return forgeryMember.ReplaceAllFunc(body, func(m []byte) []byte {
			part := forgeryMember.FindSubmatch(m)
			own, ok := with(string(part[3]))
			if !ok {
				return m
			}
			text, err := json.Marshal(own)
			if err != nil {
				return m
			}
			return slices.Concat([]byte(`"`), part[1], []byte(`"`), part[2], text)
		})
	}
	fields := strings.Split(string(body), "&")
	for i, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		plain, err := url.QueryUnescape(value)
		if own, ok := with(plain); ok && err == nil && forgery.MatchString(name) {
			fields[i] = name + "=" + url.QueryEscape(own)
		}
	}
	return []byte(strings.Join(fields, "&"))
}

// isSecret says whether a pair is one of credentials, which stand nowhere but in
// the messages themselves.
func (m *Memory) isSecret(p names.Pair) bool {
	switch p.Kind {
	case "access", "refresh", "csrf", "xsrf", "authenticity", "bearer", "jwt":
		return !names.IsDigits(p.Baseline.Text)
	}
	c := &m.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.young[byValue(p.Baseline.Text)] != nil || c.old[byValue(p.Baseline.Text)] != nil
}
