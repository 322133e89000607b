package substitute

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"understudy.dev/exchange/memo"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
)

var separators = strings.NewReplacer("_", "", "-", "", ".", "", "@", "")

func plainName(name string) string { return strings.ToLower(separators.Replace(name)) }

// secretsOf finds the credentials in an answer, a JSON document or a page.
func secretsOf(c *content) map[string]string {
	if c.first != nil {
		return secretsIn(c.first)
	}
	return secretsOfPage(c.plain)
}

// secretsIn finds the credentials in a JSON document by their path, not those in
// arrays.
func secretsIn(document names.Tree) map[string]string {
	return addSecrets(nil, "", document, 0)
}

func addSecrets(out map[string]string, path string, t names.Tree, depth int) map[string]string {
	if depth > 16 {
		return out
	}
	for m := range t.Members() {
		switch text := m[0].Text; {
		case len(out) >= maxCookies:
			return out
		case m.Is(names.Object):
			out = addSecrets(out, path+"/"+m[0].Name, m, depth+1)
		case m.Is(names.String) && text != "" && len(text) <= maxCookie && secretNames.Of(m[0].Name):
			if out == nil {
				out = map[string]string{}
			}
			out[path+"/"+m[0].Name] = text
		}
	}
	return out
}

// secretNames are those that are secrets by their names.
var secretNames = memo.New(isSecretName)

// marks are parts of all the names above, in what cases they are written.
var marks = [][]byte{
	[]byte("oken"), []byte("TOKEN"), []byte("jwt"), []byte("JWT"), []byte("srf"), []byte("SRF"), []byte("ecret"), []byte("SECRET"),
	[]byte("key\""), []byte("Key\""), []byte("KEY\""), []byte("assw"), []byte("assp"), []byte("PASS"), []byte("uth"), []byte("ession"), []byte("SESSION"),
	[]byte("sid\""), []byte("once\""), []byte("otp"), []byte("ode\""), []byte("_link\""), []byte("ignature"), []byte("edential"), []byte("bearer"), []byte("reset"),
}

// mayHold is a quick look before a document is taken apart.
func mayHold(body []byte) bool {
	return slices.ContainsFunc(marks, func(m []byte) bool { return bytes.Contains(body, m) })
}

// textMember is a member of a JSON document with a text that needs no escapes.
var textMember = regexp.MustCompile(`"([^"\\]*)"(\s*:\s*)"([^"\\]*)"`)

// secretTexts are the values in a request's query and body, a JSON document or a
// form, that are secrets by their names.
func secretTexts(target, body []byte) (out []string) {
	add := func(name, value string) {
		if len(out) < maxCookies && len(value) >= leastCredential && isSecretName(name) {
			out = append(out, value)
		}
	}
	if mayHold(body) {
		for _, m := range textMember.FindAllSubmatch(body, -1) {
			add(string(m[1]), string(m[3]))
		}
	}
	_, query, _ := strings.Cut(string(target), "?")
	for _, form := range []string{query, string(body)} {
		for f := range strings.SplitSeq(form, "&") {
			name, value, ok := strings.Cut(f, "=")
			if plain, err := url.QueryUnescape(value); ok && err == nil {
				add(name, plain)
			}
		}
	}
	for _, f := range fieldsOfParts(body) {
		add(f.name, string(body[f.from:f.to]))
	}
	return out
}

// inJSON replaces secrets in a JSON document that answers gave, inForm those in a
// form or a query.
func (r *Request) inJSON(body []byte) []byte {
	if !mayHold(body) {
		return body
	}
	return textMember.ReplaceAllFunc(body, func(m []byte) []byte {
		part := textMember.FindSubmatch(m)
		own, v := r.x.counterpart(string(part[1]), string(part[3]))
		if own == "" {
			r.lacks(string(part[1]), string(part[3]), v)
			return m
		}
		r.lets("body", string(part[1]), string(part[3]), own, v)
		text, err := json.Marshal(own)
		if err != nil {
			return m
		}
		return slices.Concat([]byte(`"`), part[1], []byte(`"`), part[2], text)
	})
}

func (r *Request) inForm(place, form string) string {
	fields := strings.Split(form, "&")
	for i, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		plain, err := url.QueryUnescape(value)
		if own, v := r.x.counterpart(name, plain); own != "" && err == nil {
			r.lets(place, name, plain, own, v)
			fields[i] = name + "=" + url.QueryEscape(own)
		} else if err == nil {
			r.lacks(name, plain, v)
		}
	}
	return strings.Join(fields, "&")
}

// lacks refuses to send what the candidate gave no counterpart of, though the
// recording shows that the baseline gave it, to this session or to another.
func (r *Request) lacks(name, value string, v *credential) {
	if v == nil && len(value) >= leastCredential && isSecretName(name) && names.IsUnguessable(value) {
		v = r.x.anothers(byValue(value))
	}
	if v != nil && r.refused == nil {
		r.refused = &Unresolved{Kind: name, Name: secret, From: v.by.exchange, Why: whyNowhere}
	}
}

// anothers is what an answer gave of a value that is handed out.
func (x *Exchange) anothers(key string) *credential {
	c := &x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.find(key); g != nil && x.handedOut(key) {
		return g.credential
	}
	return nil
}

// counterpart is what the candidate gave for a secret under a name; empty if it
// gave nothing.
func (x *Exchange) counterpart(name, value string) (own string, v *credential) {
	if len(value) < leastCredential || !isSecretName(name) {
		return "", nil
	}
	c := &x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	if v = x.own(byValue(value)); v != nil {
		return v.own(false), v
	}
	return "", nil
}

// has says whether a name that the request needs is a secret that is replaced by
// the candidate's counterpart wherever it stands.
func (x *Exchange) has(n need) bool {
	path, _, _ := strings.Cut(string(x.recorded.GetRequest().GetTarget()), "?")
	if !slices.Contains(x.secrets, n.name) || strings.Contains(path, n.name) {
		return false
	}
	name := n.at.Kind
	if of, ok := formKinds[name]; ok {
		name = of
	}
	own, _ := x.counterpart(name, n.name)
	return own != ""
}

// staysIn says whether a pair holds in its session only: what lets in may be
// called the same for two users.
func staysIn(p names.Pair) bool {
	return redact.IsSecret(p.Kind) && !(names.IsDigits(p.Baseline.Text) && len(p.Baseline.Text) <= idDigits) && !isUnmistakable(p.Baseline.Text)
}

// secret is shown for a value that is one.
const secret = "(secret)"

// idDigits are the most digits of a number that is no secret under a secret's
// name: the 17th session is no session.
const idDigits = 5

// isSecret says whether a value of a kind stands nowhere but in the messages
// themselves.
func (m *Memory) isSecret(kind, value string) bool {
	if names.IsDigits(value) && len(value) <= idDigits {
		return false
	}
	if redact.IsSecret(kind) {
		return true
	}
	c := &m.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	key := byValue(value)
	return c.find(key) != nil || c.forgotten.has(key)
}

// shown is a value as it is shown.
func (m *Memory) shown(kind, value string) string {
	if m.isSecret(kind, value) {
		return secret
	}
	return value
}
