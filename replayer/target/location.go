package target

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// maxLocation bounds the address of a status monitor, in bytes.
const maxLocation = 8 << 10

// errLocation is wrapped when the candidate points where we do not go.
var errLocation = errors.New("location refused")

func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q does not look like http://host:port or https://host:port, with at most a path", redactURL(s))
	}
	if u.User != nil {
		return nil, errors.New("credentials do not belong in the URL; use a header (--header \"Authorization: …\")")
	}
	return u, nil
}

// redactURL leaves out what may be a password.
func redactURL(s string) string {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		return "…" + s[at:]
	}
	return s
}

// resolve makes an address that the candidate named absolute, and refuses one
// that is not on the candidate or an allowed host: the rehearsal must not be
// led to call other systems.
func (c *Client) resolve(base *url.URL, location string) (*url.URL, error) {
	if len(location) > maxLocation {
		return nil, fmt.Errorf("%w: it has %d bytes", errLocation, len(location))
	}
	ref, err := url.Parse(strings.TrimSpace(location))
	if err != nil {
		return nil, fmt.Errorf("%w: it is no URL", errLocation)
	}
	u := base.ResolveReference(ref)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%w: scheme %q", errLocation, u.Scheme)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it has user information", errLocation)
	case hostPort(u) == hostPort(c.base) && u.Scheme == c.base.Scheme, slices.Contains(c.cfg.Locations, hostPort(u)):
		return u, nil
	}
	return nil, fmt.Errorf("%w: %s is not the candidate %s", errLocation, hostPort(u), hostPort(c.base))
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// requestURL is where relative references in an answer start; the request
// itself may carry its path as opaque bytes.
func requestURL(u *url.URL) *url.URL {
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if u.Opaque == "" {
		base.Path, base.RawPath = u.Path, u.RawPath
		return base
	}
	if ref, err := url.Parse(u.Opaque); err == nil && ref.Host == "" {
		return base.ResolveReference(ref)
	}
	return base
}

// monitor finds the address of the status monitor in an acknowledgement, and
// whether it is an operation document by convention.
func monitor(h http.Header, body []byte) (location string, operation bool) {
	for _, name := range []string{"Operation-Location", "Azure-Asyncoperation"} {
		if v := h.Get(name); v != "" {
			return v, true
		}
	}
	if v := h.Get("Location"); v != "" {
		return v, false
	}
	if v := linked(h.Values("Link")); v != "" {
		return v, false
	}
	for _, pointer := range []string{"/status_url", "/statusUrl", "/links/status", "/_links/status/href", "/links/monitor", "/_links/monitor/href"} {
		if v, ok := stringAt(body, pointer); ok && v != "" {
			return v, false
		}
	}
	return "", false
}

// linked finds a Link (RFC 8288) whose relation is that of a status monitor.
func linked(values []string) string {
	for _, rest := range values {
		for {
			_, after, found := strings.Cut(rest, "<")
			target, params, closed := strings.Cut(after, ">")
			if !found || !closed {
				break
			}
			// A comma ends the link's parameters and may be part of its address.
			rest = ""
			if next := strings.IndexByte(params, '<'); next >= 0 {
				params, rest = params[:next], params[next:]
			}
			if monitorRelation(params) {
				return target
			}
		}
	}
	return ""
}

func monitorRelation(params string) bool {
	for _, p := range strings.Split(params, ";") {
		name, rel, _ := strings.Cut(strings.Trim(p, " \t,"), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, r := range strings.Fields(strings.Trim(strings.TrimSpace(rel), `"`)) {
			if slices.Contains([]string{"status", "monitor", "operation"}, strings.ToLower(r)) {
				return true
			}
		}
	}
	return false
}

// routeMatches compares method and path template segment by segment.
func routeMatches(pattern, route string) bool {
	ps, rs := strings.Split(pattern, "/"), strings.Split(route, "/")
	if len(ps) != len(rs) {
		return false
	}
	for i := range ps {
		if ps[i] == rs[i] {
			continue
		}
		if ok, err := path.Match(ps[i], rs[i]); err != nil || !ok {
			return false
		}
	}
	return true
}
