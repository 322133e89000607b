package proxy

import (
	"net"
	"net/http"
	"strings"
)

// hop reports the headers that speak about one connection only (RFC 9110,
// 7.6.1), by canonical name.
func hop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// nominated are the further names that Connection says to be hop by hop.
func nominated(h http.Header) []string {
	var names []string
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			if name != "" && name != "Close" && !hop(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// copyEndToEnd shares the value slices; it copies none.
func copyEndToEnd(to, from http.Header) {
	for name, values := range from {
		if !hop(name) {
			to[name] = values
		}
	}
	for _, name := range nominated(from) {
		delete(to, name)
	}
}

func (u *upstream) outHeader(in *http.Request) http.Header {
	h := make(http.Header, len(in.Header)+2)
	copyEndToEnd(h, in.Header)
	if hasToken(in.Header["Te"], "trailers") {
		h["Te"] = []string{"trailers"}
	}
	if protocol := in.Header["Upgrade"]; len(protocol) > 0 && in.ProtoMajor == 1 && hasToken(in.Header["Connection"], "upgrade") {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, protocol
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // else net/http would name itself
	}
	if !isSafe(in.Method) {
		// Under their canonical names the Transport takes these headers for a
		// leave to send the request twice.
		rename(h, "Idempotency-Key", "idempotency-key")
		rename(h, "X-Idempotency-Key", "x-idempotency-key")
	}
	if u.config.Forwarded == ForwardedAppend {
		appendForwarded(h, in)
	}
	return h
}

func isSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

func rename(h http.Header, from, to string) {
	if values, ok := h[from]; ok {
		delete(h, from)
		h[to] = values
	}
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

func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(t, " \t"), token) {
				return true
			}
		}
	}
	return false
}
