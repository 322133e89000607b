package message

import "strings"

// OriginForm is a request target in origin form (RFC 9112, 3.2.1), byte for
// byte: of the absolute form it is what follows the authority. false says that
// the target is in neither form; it comes back as it is.
func OriginForm(target string) (string, bool) {
	if strings.HasPrefix(target, "/") {
		return target, true
	}
	scheme, rest, found := strings.Cut(target, "://")
	if !found || scheme == "" || strings.ContainsAny(scheme, "/?#") {
		return target, false
	}
	i := strings.IndexAny(rest, "/?#")
	switch {
	case i < 0:
		return "/", true
	case rest[i] != '/':
		return "/" + rest[i:], true
	}
	return rest[i:], true
}

// DefaultPort is the port of http and https, "" of any other scheme.
func DefaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}
