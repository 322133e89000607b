package proxy

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/trace"
)

func (u *Upstream) outgoing(c *call, target url.URL) *http.Request {
	in := c.in
	c.trace.Got1xxResponse, c.trace.GotConn = c.informational, c.whenQuiet
	out := in.WithContext(httptrace.WithClientTrace(c.ctx, &c.trace))
	out.URL = &target
	out.RequestURI = ""
	// On a connection that stays open the Transport sends a body that the
	// upstream has just refused, and so makes the client send it.
	out.Close = message.HasToken(in.Header["Expect"], "100-continue")
	out.TransferEncoding = nil
	out.Header, out.Host = u.outHeader(in), u.hostOf(in)
	goOn(out.Header, c.leg)
	if in.ContentLength == 0 || in.Body == nil || in.Body == http.NoBody {
		out.Body = nil
		keepZeroLength(in, out)
		return out
	}
	c.body = &requestBody{call: c, from: in.Body, in: in}
	if in.ProtoMajor == 1 && in.ContentLength < 0 {
		// Trailers that were not announced are known only after the last chunk.
		out.Trailer = make(http.Header, len(in.Trailer))
		for k := range in.Trailer {
			out.Trailer[k] = nil
		}
		c.body.trailer = out.Trailer
	}
	out.Body, out.GetBody = c.body, c.again
	return out
}

// goOn lets whoever is asked go on with the trace; without a span its fields stay
// as they came.
func goOn(h http.Header, leg *trace.Span) {
	if leg == nil {
		return
	}
	h["Traceparent"] = []string{leg.Parent()}
	if leg.NewTrace {
		delete(h, "Tracestate")
	}
}

// Head is what the upstream would be sent of a request's head, for who sends it
// by other means, without Expect, and with leg as the span from which the upstream
// goes on; false if it must not be sent on.
func (u *Upstream) Head(in *http.Request, leg *trace.Span) (*http.Request, bool) {
	target, ok := targetOf(in, u.url)
	if !ok {
		return nil, false
	}
	h := u.outHeader(in)
	delete(h, "Expect")
	goOn(h, leg)
	return &http.Request{Method: in.Method, URL: &target, Header: h, Host: u.hostOf(in)}, true
}

// hostOf is the host by which the upstream is asked.
func (u *Upstream) hostOf(in *http.Request) string {
	switch u.cfg.Host {
	case "":
		return in.Host
	case HostUpstream:
		return u.url.Host
	}
	return u.cfg.Host
}

// keepZeroLength keeps an explicit Content-Length: 0, which the Transport
// writes for POST, PUT and PATCH only. This spelling passes its filter.
func keepZeroLength(in, out *http.Request) {
	switch in.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return
	}
	if len(in.Header["Content-Length"]) > 0 {
		delete(out.Header, "Content-Length")
		out.Header["content-length"] = []string{"0"}
	}
}

func (u *Upstream) outHeader(in *http.Request) http.Header {
	h := make(http.Header, len(in.Header)+2)
	copyEndToEnd(h, in.Header)
	if message.HasToken(in.Header["Te"], "trailers") {
		h["Te"] = []string{"trailers"}
	}
	if protocols := upgradeOf(in); len(protocols) > 0 {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, protocols
	}
	delete(h, "Http2-Settings")
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // else net/http would name itself
	}
	if !message.IsSafe(in.Method) {
		message.SendOnce(h)
	}
	if u.cfg.Forwarded == ForwardedAppend {
		appendForwarded(h, in)
	}
	return h
}

// upgradeOf returns the protocols that a client wants to switch to, as sent on:
// all but HTTP/2 (RFC 7540, 3.2; withdrawn by RFC 9113), which would concern one
// connection only and needs a header that does too.
func upgradeOf(in *http.Request) []string {
	lists := in.Header["Upgrade"]
	if len(lists) == 0 || in.ProtoMajor != 1 || !message.HasToken(in.Header["Connection"], "upgrade") {
		return nil
	}
	return withoutHTTP2(lists)
}

func appendForwarded(h http.Header, in *http.Request) {
	client, _, err := net.SplitHostPort(in.RemoteAddr)
	if err == nil {
		if before := h["X-Forwarded-For"]; len(before) > 0 {
			client = strings.Join(before, ", ") + ", " + client
		}
		h["X-Forwarded-For"] = []string{client}
	}
	if _, ok := h["X-Forwarded-Host"]; !ok {
		h["X-Forwarded-Host"] = []string{in.Host}
	}
	if _, ok := h["X-Forwarded-Proto"]; !ok {
		h["X-Forwarded-Proto"] = []string{"http"}
		if in.TLS != nil {
			h["X-Forwarded-Proto"] = []string{"https"}
		}
	}
}
