// Package redact replaces secrets in exchanges with keyed tokens before they
// leave the process. Names stay, and equal values get equal tokens wherever
// they occur, so it is still visible that a client sent back the cookie it was
// given.
package redact

import (
	"net/http"
	"slices"
	"strings"

	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// domain labels the tokens made here: each begins with "rdx_".
const domain = "rdx"

// Config says what is secret.
type Config struct {
	// Off leaves everything as it is: secrets are written to Kafka.
	Off bool `yaml:"off"`
	// Headers and Query are names to redact in addition to the default ones;
	// case does not matter.
	Headers []string `yaml:"headers"`
	Query   []string `yaml:"query"`
	// Keep are names that are not redacted though they are default ones or named
	// in Headers or Query.
	Keep []string `yaml:"keep"`
}

// DefaultHeaders are the headers redacted unless Config.Keep says otherwise.
func DefaultHeaders() []string {
	return []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Authentication-Info", "Proxy-Authentication-Info",
		"X-Api-Key", "Api-Key", "Apikey", "X-Auth-Token", "X-Access-Token", "X-Refresh-Token", "X-Csrf-Token", "X-Xsrf-Token",
		"X-Amz-Security-Token", "X-Goog-Api-Key", "X-Goog-Iap-Jwt-Assertion", "X-Vault-Token", "Private-Token",
		"X-Gitlab-Token", "X-Forwarded-Access-Token", "X-Ms-Token-Aad-Access-Token", "Ocp-Apim-Subscription-Key",
		"Authentication", "X-Authorization", "X-Forwarded-Authorization", "Dpop", "X-Hub-Signature", "X-Hub-Signature-256",
		"Sec-Websocket-Protocol", // browsers can put credentials nowhere else
	}
}

// DefaultQuery are the parameters redacted in URLs, besides those that IsSecret
// knows, unless Config.Keep says otherwise: in the request target and in the
// URLs of Referer, Location, Link, Refresh and others.
func DefaultQuery() []string {
	return []string{
		"token", "access_token", "refresh_token", "id_token", "auth", "authorization", "auth_token", "api_key", "apikey", "api-key",
		"password", "passwd", "pwd", "secret", "client_secret", "client_assertion", "session", "sessionid", "session_id", "sid", "jwt",
		"signature", "sig", "x-amz-signature", "x-amz-security-token", "x-amz-credential", "x-goog-signature", "x-goog-credential",
		"pass", "hmac",
	}
}

// Redactor redacts exchanges. It is safe for concurrent use; a nil Redactor
// leaves everything as it is.
type Redactor struct {
	headers map[string]treatment
	query   map[string]bool
	kept    map[string]bool // by Config.Keep, in lower case
	key     *token.Key
}

type treatment uint8

const (
	whole treatment = iota + 1
	credentials
	cookies
	setCookie
	link
)

// New returns a Redactor, nil if redaction is off.
func New(cfg Config, key *token.Key) *Redactor {
	if cfg.Off {
		return nil
	}
	r := &Redactor{headers: map[string]treatment{}, query: map[string]bool{}, kept: map[string]bool{}, key: key}
	for _, name := range []string{
		"Referer", "Location", "Content-Location", "Operation-Location", "Azure-Asyncoperation", "Callback-Url",
		"Origin", "Link", "Refresh", "X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Forwarded-Url",
	} {
		r.headers[name] = link
	}
	for _, name := range append(DefaultHeaders(), cfg.Headers...) {
		r.headers[http.CanonicalHeaderKey(name)] = treatmentOf(name)
	}
	for _, name := range append(DefaultQuery(), cfg.Query...) {
		r.query[strings.ToLower(name)] = true
	}
	for _, name := range cfg.Keep {
		delete(r.headers, http.CanonicalHeaderKey(name))
		delete(r.query, strings.ToLower(name))
		r.kept[strings.ToLower(name)] = true
	}
	return r
}

func treatmentOf(name string) treatment {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		return credentials
	case "Cookie":
		return cookies
	case "Set-Cookie":
		return setCookie
	}
	return whole
}

// Exchange replaces the secrets in e and lists in e.Redactions where they were.
// It never writes into the bytes of a value, so these may be shared.
func (r *Redactor) Exchange(e *understudyv1.Exchange) {
	if r == nil {
		return
	}
	found := places{into: e}
	if e.Request != nil {
		r.request(e.Request, &found)
	}
	r.response(e.Response, &found)
}

func (r *Redactor) request(q *understudyv1.Request, found *places) {
	q.Target = r.target(q.Target, understudyv1.Redaction_PLACE_REQUEST_TARGET, found)
	r.lines(q.Headers, understudyv1.Redaction_PLACE_REQUEST_HEADER, found)
	r.lines(q.Trailers, understudyv1.Redaction_PLACE_REQUEST_HEADER, found)
}

func (r *Redactor) response(a *understudyv1.Response, found *places) {
	r.lines(a.GetHeaders(), understudyv1.Redaction_PLACE_RESPONSE_HEADER, found)
	r.lines(a.GetTrailers(), understudyv1.Redaction_PLACE_RESPONSE_HEADER, found)
}

func (r *Redactor) lines(headers []*understudyv1.Header, place understudyv1.Redaction_Place, found *places) {
	for _, h := range headers {
		kind, ok := r.headers[h.Name]
		if !ok {
			// HTTP/2 and imported names may be in lower case.
			kind, ok = r.headers[http.CanonicalHeaderKey(h.Name)]
		}
		if !ok {
			if !r.secretHeader(h) {
				continue
			}
			kind = whole
		}
		if len(h.Value) == 0 {
			continue // nothing to hide, and a token would invent a value
		}
		text := string(h.Value)
		var out string
		switch kind {
		case credentials:
			out = r.credentials(text)
		case cookies:
			out = r.cookies(text)
		case setCookie:
			out = r.setCookie(text)
		case link:
			h.Value = r.links(h.Value, place, found)
			continue
		default:
			out = r.token(text)
		}
		if out != text {
			h.Value = []byte(out)
			found.add(place, h.Name)
		}
	}
}

// secretHeader says whether a field that is not listed is a secret by its name.
func (r *Redactor) secretHeader(h *understudyv1.Header) bool {
	return IsSecret(h.Name) && !r.kept[strings.ToLower(h.Name)] && !switches[strings.ToLower(string(h.Value))]
}

func (r *Redactor) token(value string) string {
	if value == "" {
		return ""
	}
	return r.key.Token(domain, value)
}

// places counts redactions by place and name; there are too few for a map.
type places struct{ into *understudyv1.Exchange }

func (p *places) add(place understudyv1.Redaction_Place, name string) {
	i := slices.IndexFunc(p.into.Redactions, func(x *understudyv1.Redaction) bool {
		return x.Place == place && x.Name == name
	})
	if i >= 0 {
		p.into.Redactions[i].Count++
		return
	}
	p.into.Redactions = append(p.into.Redactions, &understudyv1.Redaction{Place: place, Name: name, Count: 1})
}
