package replayer

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"

	"understudy.dev/replayer/session"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Reasons why an exchange is not sent.
const (
	skipNoResponse = "no_response"         // the baseline itself gave none
	skipTruncated  = "request_truncated"   // the recorded body is not whole
	skipUnsafe     = "method_not_safe"     // and the candidate is not isolated
	skipUpgrade    = "upgrade"             // not a request with an answer
	skipTarget     = "target_not_sendable" // no request line can carry it
	skipInFlight   = "in_flight_limit"     // too many unfinished
	skipCanceled   = "canceled"            // the run was interrupted
)

// hopByHop fields belong to one connection (RFC 9110 section 7.6.1), or are
// set by the client itself.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Host", "Content-Length", "Expect", "Http2-Settings",
}

// sendable says why an exchange cannot be sent, "" if it can.
func (r *Replayer) sendable(e *understudyv1.Exchange) string {
	q := e.GetRequest()
	switch {
	case e.GetResponse() == nil:
		return skipNoResponse
	case e.GetResponse().GetStatus() == http.StatusSwitchingProtocols || q.GetMethod() == http.MethodConnect:
		return skipUpgrade
	case q.GetBody().GetTruncated():
		return skipTruncated
	case !r.isolated && !slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE"}, q.GetMethod()):
		return skipUnsafe
	case !sendableTarget(q.GetTarget()) || q.GetMethod() == "" || strings.ContainsAny(q.GetMethod(), " \t\r\n"):
		return skipTarget
	}
	return ""
}

// sendableTarget: an origin-form target (RFC 9112 section 3.2.1) without bytes
// that would end the request line. "*" is that of OPTIONS.
func sendableTarget(t []byte) bool {
	if len(t) == 0 || t[0] != '/' && string(t) != "*" {
		return false
	}
	return !bytes.ContainsFunc(t, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// build makes the request for the candidate: the recorded one with the
// candidate's own values, credentials and marks. Redacted fields are left out,
// because a token is no credential.
func (r *Replayer) build(e *understudyv1.Exchange, pairs *session.Replacer) *http.Request {
	q := e.GetRequest()
	target := pairs.Target(string(q.GetTarget()))
	body := q.GetBody().GetContent()
	h := r.header(e)
	if isJSON(h.Get("Content-Type")) && h.Get("Content-Encoding") == "" {
		body = pairs.JSON(body)
	}
	path, query, hasQuery := strings.Cut(target, "?")
	u := r.client.Base()
	// Opaque keeps the path byte for byte.
	u.Opaque, u.RawQuery, u.ForceQuery = strings.TrimSuffix(u.EscapedPath(), "/")+path, query, hasQuery && query == ""
	u.Path, u.RawPath = "", ""
	req := &http.Request{
		Method: q.GetMethod(), URL: u, Host: u.Host, Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(body)),
	}
	if r.cfg.PreserveHost && q.GetAuthority() != "" {
		req.Host = q.GetAuthority()
	}
	if len(body) > 0 {
		// No GetBody: the transport must not send a request twice.
		req.Body = io.NopCloser(bytes.NewReader(body))
	} else if slices.Contains([]string{"POST", "PUT", "PATCH"}, q.GetMethod()) {
		req.Body = http.NoBody
	}
	return req
}

func (r *Replayer) header(e *understudyv1.Exchange) http.Header {
	redacted := map[string]bool{}
	for _, x := range e.GetRedactions() {
		if x.GetPlace() == understudyv1.Redaction_PLACE_REQUEST_HEADER {
			redacted[http.CanonicalHeaderKey(x.GetName())] = true
		}
	}
	h := http.Header{}
	for _, f := range e.GetRequest().GetHeaders() {
		name := http.CanonicalHeaderKey(f.GetName())
		if redacted[name] || slices.Contains(hopByHop, name) || strings.HasPrefix(name, ":") {
			continue
		}
		h[name] = append(h[name], string(f.GetValue()))
	}
	if h.Get("User-Agent") == "" {
		h["User-Agent"] = nil // or net/http would add its own
	}
	if h.Get("Idempotency-Key") == "" {
		h.Set("Idempotency-Key", e.GetId())
	}
	h.Set("Understudy-Run", r.cfg.Run)
	for name, value := range r.cfg.Headers {
		h.Set(name, value)
	}
	return h
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	kind = strings.TrimSpace(kind)
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
