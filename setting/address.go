package setting

import (
	"net"
	"strconv"
	"strings"
)

// Address is the address of a system as a message may show it: without what may
// be a secret in it, which is user information, query and fragment, and a path,
// of which there is said only that it is there.
func Address(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	} else {
		scheme += "://"
	}
	hidden := ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest, hidden = rest[i+1:], "…@"
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		if host = rest[:i]; rest[i:] != "/" {
			host += rest[i:i+1] + "…"
		}
	}
	return scheme + hidden + host
}

// Field is the name of a header field as a message may show it, with what stands
// behind it if that is no name: somebody has written "Name: value" or a value.
func Field(name string) string {
	if i := strings.IndexAny(name, ":= \t\r\n"); i >= 0 {
		return name[:i] + "…"
	}
	return name
}

// IsHostPort says whether a text is a host and the number of a port.
func IsHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	number, bad := strconv.ParseUint(port, 10, 16)
	return err == nil && bad == nil && number > 0 && host != "" && !strings.ContainsAny(host, "/ @")
}

// IsOwnName says whether the host of a request, with or without a port, is an
// address or localhost: no owner of a web page can point such a name here (DNS
// rebinding).
func IsOwnName(host string) bool {
	name := HostName(host)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || net.ParseIP(name) != nil
}

// HostName is the name in a host, without its port, in lower case.
func HostName(host string) string {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
}
