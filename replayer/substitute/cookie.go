package substitute

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// cookie is what the candidate set (RFC 6265, section 5.3). Secure is not
// looked at: a rehearsal often runs without the TLS that is in front of
// production.
type cookie struct {
	value, path string
	expires     time.Time // zero: with the session
	cleared     bool
}

// maxCookies bounds those that the candidate may set in a session, maxCookie the
// bytes of one.
const (
	maxCookies = 64
	maxCookie  = 4096
)

// cutCookie takes a Set-Cookie apart (RFC 6265, section 5.2).
func cutCookie(line string) (name, value, attributes string) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, _ = strings.Cut(pair, "=")
	return strings.TrimSpace(name), strings.TrimSpace(value), attributes
}

// parseCookie reads a Set-Cookie in the answer to a request for a path of a
// host; ok is false if a client of that host would not take it.
func parseCookie(line, path string, hosts []string, now time.Time) (name string, c *cookie, ok bool) {
	name, value, attributes := cutCookie(line)
	if name == "" || len(line) > maxCookie {
		return "", nil, false
	}
	c = &cookie{value: value, path: defaultPath(path), cleared: value == ""}
	aged := false
	for part := range strings.SplitSeq(attributes, ";") {
		key, argument, _ := strings.Cut(strings.TrimSpace(part), "=")
		argument = strings.TrimSpace(argument)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "path":
			if strings.HasPrefix(argument, "/") {
				c.path = argument
			}
		case "domain":
			if domain := strings.TrimPrefix(argument, "."); domain != "" && !within(hosts, domain) {
				return "", nil, false
			}
		case "max-age":
			if seconds, err := strconv.ParseInt(argument, 10, 32); err == nil {
				aged = true
				c.expires = now.Add(time.Duration(seconds) * time.Second)
			}
		case "expires":
			if at, err := http.ParseTime(strings.ReplaceAll(argument, "-", " ")); err == nil && !aged {
				c.expires = at
			}
		}
	}
	c.cleared = c.cleared || !c.expires.IsZero() && !c.expires.After(now)
	return name, c, true
}

// within says whether one of the hosts is a domain or under it.
func within(hosts []string, domain string) bool {
	for _, host := range hosts {
		if strings.EqualFold(host, domain) || len(host) > len(domain) && strings.EqualFold(host[len(host)-len(domain)-1:], "."+domain) {
			return true
		}
	}
	return false
}

// defaultPath is the path of a cookie that names none (section 5.1.4).
func defaultPath(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

// goesTo says whether a client would send the cookie with a request for a path
// (section 5.1.4).
func (c *cookie) goesTo(path string, now time.Time) bool {
	switch {
	case c == nil || c.cleared || !c.expires.IsZero() && !c.expires.After(now):
		return false
	case path == c.path, !strings.HasPrefix(path, c.path):
		return path == c.path
	}
	return strings.HasSuffix(c.path, "/") || path[len(c.path)] == '/'
}

// setCookies reads what an answer sets, by name and by name and path; of one
// name the last counts.
func setCookies(x *Exchange, answers ...*understudyv1.Response) map[string]*cookie {
	path := pathOf(string(x.recorded.GetRequest().GetTarget()))
	hosts := append([]string{hostOf(x.recorded.GetRequest().GetAuthority())}, x.memory.host)
	out := map[string]*cookie{}
	for _, a := range answers {
		for _, line := range message.Values(a.GetHeaders(), "Set-Cookie") {
			if name, c, ok := parseCookie(line, path, hosts, time.Now()); ok && (len(out) < 2*maxCookies || out[name] != nil) {
				out[name], out[nameAndPath(name, c.path)] = c, c
			}
		}
	}
	return out
}

func nameAndPath(name, path string) string { return name + ";" + path }

func hostOf(authority string) string {
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		authority = authority[:i]
	}
	return authority
}

// cookiesOf are the names and values in the Cookie fields of a request.
func cookiesOf(headers []*understudyv1.Header) (out [][2]string) {
	for _, line := range message.Values(headers, "Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && name != "" {
				out = append(out, [2]string{name, value})
			}
		}
	}
	return out
}

// inSetCookies looks for names in cookies that are called like identifiers and are no
// secrets: a script uses them by these names.
func inSetCookies(f *names.Finder, headers []*understudyv1.Header) {
	for _, line := range message.Values(headers, "Set-Cookie") {
		name, value, _ := cutCookie(line)
		if place, _ := names.KindOf(name); place.Named && place.Kind != "" && value != "" && !redact.HasToken(value) && !secretNames.Of(name) {
			f.Value(name, value)
		}
	}
}
