package replayer

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Reasons why an exchange is not sent, or does not count as sent.
const (
	skipNoResponse = "no_response"         // the baseline itself gave none
	skipTruncated  = "request_truncated"   // the recorded body is not whole
	skipUnsafe     = "method_not_safe"     // and the run does not say that the candidate is isolated
	skipUpgrade    = "upgrade"             // not a request with an answer
	skipTarget     = "target_not_sendable" // no request line can carry it
	skipHeader     = "header_not_sendable" // nor a header this field
	skipInFlight   = "in_flight_limit"     // too many unfinished
	skipWaiting    = "records_waiting"     // too many, and some wait only for Kafka
	skipOver       = "time_over"           // none was free before the time of sending was over
	skipCanceled   = "canceled"            // the run was interrupted before
	skipUnresolved = "unresolved"          // a name that it needs is not known
	skipReplayed   = "replayed_request"    // it is one of ours, see ours
	skipCandidate  = "served_by_candidate" // the answer is not the baseline's word
	// It was sent, but the run was interrupted before it was known how it ends.
	skipInterrupted = "interrupted"
)

// clientsOwn fields are not sent beside those that are hop by hop: the client
// sets them itself, or they speak to a proxy that is not on the way.
var clientsOwn = []string{"Host", "Content-Length", "Expect", "Proxy-Authenticate", "Proxy-Authorization"}

// sendable says why an exchange cannot be sent, "" if it can.
func (r *Replayer) sendable(e *understudyv1.Exchange) string {
	q := e.GetRequest()
	switch {
	case r.ours(q):
		return skipReplayed
	case e.GetServedBy() == understudyv1.Side_SIDE_CANDIDATE:
		return skipCandidate
	case e.GetResponse() == nil:
		return skipNoResponse
	case e.GetResponse().GetStatus() == http.StatusSwitchingProtocols || q.GetMethod() == http.MethodConnect:
		return skipUpgrade
	case q.GetBody().GetTruncated():
		return skipTruncated
	case !r.cfg.Isolated && !message.IsSafe(q.GetMethod()):
		return skipUnsafe
	case !sendableTarget(q.GetTarget()) || !message.IsToken(q.GetMethod()):
		return skipTarget
	case !slices.ContainsFunc(q.GetHeaders(), func(f *understudyv1.Header) bool { return !sendableField(f) }):
		return ""
	}
	return skipHeader
}

// ours says whether a request was not a user's but one of a run, which a recorder
// took because the candidate's or the control's address leads through it. To send
// it again would go on without end.
func (r *Replayer) ours(q *understudyv1.Request) bool {
	return slices.ContainsFunc(q.GetHeaders(), func(f *understudyv1.Header) bool {
		return strings.EqualFold(f.GetName(), message.RunMark) || strings.EqualFold(f.GetName(), message.ControlMark) || r.to.mark != "" && strings.EqualFold(f.GetName(), r.to.mark)
	})
}

// direct puts the target of a request in absolute form, as clients of proxies
// write it, in origin form: the recorder does the same, the candidate is no proxy,
// and the authority in it is what Host says (RFC 9112, 3.2.2).
func direct(q *understudyv1.Request) {
	_, rest, isAbsolute := strings.Cut(string(q.GetTarget()), "://")
	origin, ok := message.OriginForm(string(q.GetTarget()))
	if !ok || !isAbsolute || q.GetTarget()[0] == '/' {
		return
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	q.Target, q.Authority = []byte(origin), rest[strings.LastIndexByte(rest, '@')+1:]
}

// sendableTarget: an origin-form target (RFC 9112 section 3.2.1) without bytes
// that would end the request line. "*" is that of OPTIONS. net/http can only
// send a path that begins with // if it is properly encoded.
func sendableTarget(t []byte) bool {
	if len(t) == 0 || t[0] != '/' && string(t) != "*" {
		return false
	}
	if path, _, _ := bytes.Cut(t, []byte("?")); bytes.HasPrefix(path, []byte("//")) {
		var u url.URL
		if setPath(&u, string(path)) != nil || u.EscapedPath() != string(path) {
			return false
		}
	}
	return !bytes.ContainsFunc(t, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// setPath sets a path and its spelling.
func setPath(u *url.URL, escaped string) (err error) {
	u.RawPath = escaped
	u.Path, err = url.PathUnescape(escaped)
	return err
}

// sendableField: a valid field, or a pseudo field of HTTP/2, which is left out.
func sendableField(f *understudyv1.Header) bool {
	if strings.HasPrefix(f.GetName(), ":") {
		return true
	}
	return message.IsField(f.GetName(), f.GetValue())
}

// recipient is a system that requests are made for.
type recipient struct {
	run  string
	base func() *url.URL
	// headers are set on every request.
	headers map[string]string
	// recordedHost sends the recorded Host, not that of base.
	recordedHost bool
	// mark is the field that says that the request is ours; "" is none.
	mark string
	// bare adds no idempotency key, which the recorded client did not send.
	bare bool
}

// build makes a request: the recorded one with the recipient's own names,
// credentials and marks. A redacted field is left out, because a token is no
// credential, unless the recipient gave what it stands for or it only keeps
// sessions apart.
func (r *recipient) build(e *understudyv1.Exchange, id string, names *substitute.Request) (*http.Request, []byte) {
	q := e.GetRequest()
	sent := names.Target(string(q.GetTarget()))
	h := r.header(e, id, sent, names)
	u := r.base()
	aim(u, sent)
	req := &http.Request{Method: q.GetMethod(), URL: u, Host: u.Host, Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if body := q.GetBody(); body.GetDeclaredLength() < 0 && body.GetLength() > 0 || len(q.GetTrailers()) > 0 {
		req.TransferEncoding, req.Trailer = []string{"chunked"}, trailer(q, names)
	}
	if r.recordedHost && q.GetAuthority() != "" {
		req.Host = q.GetAuthority()
	}
	for name, value := range r.headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value
		}
	}
	return req, translated(h, req.Trailer, q.GetBody().GetContent(), names)
}

// maxTranslated bounds what a body is unpacked to, in bytes.
const maxTranslated = 1 << 20

// translated is the body with the candidate's names. One that had content
// codings is sent without them if it changed, and with digests of what is sent.
func translated(h, trailer http.Header, body []byte, names *substitute.Request) []byte {
	plain, err := message.Decode(body, strings.Join(h.Values("Content-Encoding"), ","), maxTranslated)
	if err != nil {
		return body
	}
	out := names.Body(h.Get("Content-Type"), plain)
	if bytes.Equal(out, plain) {
		return body
	}
	h.Del("Content-Encoding")
	redigest(h, out, body, plain)
	redigest(trailer, out, body, plain)
	return out
}

// aim points a base address at a raw target, byte for byte.
func aim(u *url.URL, target string) {
	path, query, hasQuery := strings.Cut(target, "?")
	u.RawQuery, u.ForceQuery = query, hasQuery && query == ""
	if path != "*" {
		path = strings.TrimSuffix(u.EscapedPath(), "/") + path
	}
	// Opaque keeps the path as it is, but two slashes at its beginning would
	// make it an address of its own.
	if strings.HasPrefix(path, "//") && setPath(u, path) == nil {
		return
	}
	u.Opaque, u.Path, u.RawPath = path, "", ""
}

func (r *recipient) header(e *understudyv1.Exchange, id, sent string, names *substitute.Request) http.Header {
	fields := e.GetRequest().GetHeaders()
	left, redacted := leftOut(e), redactedFields(e)
	h := make(http.Header, len(fields)+len(r.headers)+3)
	for _, f := range fields {
		name := http.CanonicalHeaderKey(f.GetName())
		if left[name] || strings.HasPrefix(name, ":") {
			continue
		}
		if value, ok := field(names, name, string(f.GetValue()), sent, redacted[name]); ok {
			h[name] = append(h[name], value)
		}
	}
	if h.Get("User-Agent") == "" {
		h["User-Agent"] = nil // or net/http would add its own
	}
	renewKeys(h, e.GetId(), id)
	if !r.bare && message.IdempotencyKey(h) == "" {
		h.Set("Idempotency-Key", id)
	}
	r.retrace(h, id)
	for name, value := range r.headers {
		if value == "" { // it needs none
			h[http.CanonicalHeaderKey(name)] = nil // or net/http might add its own
			continue
		}
		h.Set(name, value)
	}
	if r.mark != "" {
		h.Set(r.mark, r.run)
	}
	return h
}

// trailer is the trailer section of a request with the recipient's names, without
// what does not belong into one (RFC 9110, 6.5.1), and without tokens of redaction.
func trailer(q *understudyv1.Request, names *substitute.Request) http.Header {
	h := make(http.Header, len(q.GetTrailers()))
	for _, f := range q.GetTrailers() {
		name := http.CanonicalHeaderKey(f.GetName())
		if sendableField(f) && !strings.HasPrefix(name, ":") && !slices.Contains(clientsOwn, name) && !message.IsHopByHop(name) && !redact.HasToken(string(f.GetValue())) {
			h[name] = append(h[name], names.Field(name, string(f.GetValue())))
		}
	}
	return h
}

// field is what is sent of a recorded field; ok says whether it is.
func field(names *substitute.Request, name, value, target string, isRedacted bool) (out string, ok bool) {
	if name == "Cookie" {
		line := names.Cookie(value, target, !isRedacted)
		return line, line != "" || value == "" && !isRedacted
	}
	value, ok = names.Credential(name, value, !isRedacted || keepsApart(name, value))
	out = names.Field(name, value)
	return out, ok && (out != "" || value == "")
}

// holdsTokens says whether a request is sent with tokens in its target or its body:
// redaction put them there, and nothing that the candidate gave took their place.
func holdsTokens(e *understudyv1.Exchange, q *http.Request, body []byte) bool {
	for _, x := range e.GetRedactions() {
		switch x.GetPlace() {
		case understudyv1.Redaction_PLACE_REQUEST_TARGET:
			if redact.HidesToken(q.URL.Opaque + q.URL.Path + "?" + q.URL.RawQuery) {
				return true
			}
		case understudyv1.Redaction_PLACE_REQUEST_BODY:
			if redact.HidesToken(string(body)) || bytes.Equal(body, e.GetRequest().GetBody().GetContent()) {
				return true
			}
		}
	}
	return false
}

// keepsApart: the token of a session's name that the client has made itself is
// as good a name, and keeps this session apart from others.
func keepsApart(name, value string) bool {
	return redact.IsToken(value) && strings.Contains(strings.ToLower(name), "session")
}

// redactedFields are the canonical names of the fields that hold tokens of
// redaction.
func redactedFields(e *understudyv1.Exchange) map[string]bool {
	out := map[string]bool{}
	for _, x := range e.GetRedactions() {
		if x.GetPlace() == understudyv1.Redaction_PLACE_REQUEST_HEADER {
			out[http.CanonicalHeaderKey(x.GetName())] = true
		}
	}
	return out
}

// leftOut are the canonical names of the fields that are not sent because they
// belong to the recorded connection.
func leftOut(e *understudyv1.Exchange) map[string]bool {
	left := make(map[string]bool, 16)
	connection := message.Values(e.GetRequest().GetHeaders(), "Connection")
	for _, name := range slices.Concat(message.HopByHop(), message.Nominated(connection), clientsOwn) {
		left[name] = true
	}
	return left
}

// retrace gives a traced request a trace of its own (W3C Trace Context), which
// run, exchange and recipient determine: the spans must not join those of the
// production request.
func (r *recipient) retrace(h http.Header, id string) {
	recorded := h.Get("Traceparent")
	if recorded == "" {
		return
	}
	flags := "00"
	if parts := strings.Split(recorded, "-"); len(parts) >= 4 && parts[3] == "01" {
		flags = "01"
	}
	sum := sha256.Sum256([]byte(r.run + "\x00" + id + "\x00" + r.mark))
	h.Set("Traceparent", fmt.Sprintf("00-%x-%x-%s", sum[:16], sum[16:24], flags))
	h.Del("Tracestate")
}
