package substitute

import (
	"net/http"
	"strings"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Request puts what the candidate calls things into one request. A nil Request
// leaves everything as it is.
type Request struct {
	x *Exchange
	t *names.Translator
	// uses are the pairs that were put in.
	uses map[names.Use]uint32
	// sent is what may hold names, as it is to be sent.
	sent []string
	// others is what was put in beside names.
	others  []*understudyv1.Substitution
	dropped uint32 // what found no room in it
	// refused: what was to be sent would be another request.
	refused *Unresolved
}

// Target translates the target of the request.
func (r *Request) Target(raw string) string {
	if r == nil {
		return raw
	}
	raw = r.x.queryTags(func(v *version) string { return v.candidate })
	if path, query, ok := strings.Cut(raw, "?"); ok {
		raw = path + "?" + r.inForm("query", query)
	}
	raw = r.t.Target(raw)
	if path, query, ok := strings.Cut(raw, "?"); ok {
		raw = path + "?" + r.handInQuery(query, r.x.backInQuery)
	}
	if redact.HidesToken(raw) && r.refused == nil {
		r.refused = &Unresolved{Kind: "secret", Name: secret, Why: whyRedacted}
	}
	r.sent = append(r.sent, raw)
	return raw
}

// Form translates a URL-encoded form.
func (r *Request) Form(body []byte) []byte {
	if r == nil {
		return body
	}
	return []byte(r.handInQuery(string(r.t.Form([]byte(r.inForm("form", string(body))))), r.x.backInBody))
}

// JSON translates a JSON document.
func (r *Request) JSON(body []byte) []byte {
	if r == nil {
		return body
	}
	return r.handInDocument(r.t.JSON(r.inJSON(body)), r.x.backInBody)
}

// Field translates the value of a header field.
func (r *Request) Field(name, value string) string {
	if r == nil {
		return value
	}
	name = http.CanonicalHeaderKey(name)
	switch _, condition := conditions[name]; {
	case condition:
		return r.x.condition(name, value)
	case !hasNames(name):
		return withoutTokens(value)
	case strings.EqualFold(name, "Link"):
		return links(value, r.t.Target)
	}
	value = withoutTokens(r.t.Value(name, value))
	r.sent = append(r.sent, value)
	return value
}

// withoutTokens is a value unless there are tokens of redaction in it, in a link
// say: nothing is sent then.
func withoutTokens(value string) string {
	if redact.HidesToken(value) && !redact.IsToken(value) {
		return ""
	}
	return value
}
