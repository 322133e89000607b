package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"understudy.dev/exchange/message"
)

// targetOf returns the URL that makes the Transport send the request target
// byte for byte, false if it must not be sent on.
//
// URL.Opaque is written as it is. net/http checks HTTP/1.1 targets for blanks
// and control bytes; HTTP/2 lets a blank through, which would end the target
// in an HTTP/1.1 request line, so it is refused here.
func targetOf(in *http.Request, upstream *url.URL) (url.URL, bool) {
	u := url.URL{Scheme: upstream.Scheme, Host: upstream.Host}
	target := in.RequestURI
	switch {
	case in.Method == http.MethodConnect || target == "":
		return u, false
	case !printable(target):
		return u, false
	case target[0] != '/' && target != "*":
		// Absolute form: a server's answer does not depend on it (RFC 9112,
		// 3.2.2), but some servers take it for a proxy request.
		origin, ok := message.OriginForm(target)
		if !ok {
			return u, false
		}
		target = origin
	}
	if strings.HasPrefix(target, "//") {
		// The Transport would take the beginning of such an opaque part for an
		// authority.
		u.Path, u.RawPath = in.URL.Path, in.URL.RawPath
		u.RawQuery, u.ForceQuery = in.URL.RawQuery, in.URL.ForceQuery
		return u, true
	}
	u.Opaque = target
	return u, true
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
