package noise

import (
	"net/url"
	"strings"

	"understudy.dev/exchange/names"
)

// links compares references: absolute URLs, absolute paths, URNs and the like.
// All parts must be equal but for names and, if it is the baseline's own, the
// host.
func (e *Evidence) links(b, c string) string {
	if composed(b) && composed(c) {
		return e.parts(strings.Split(b, ":"), strings.Split(c, ":"), nil)
	}
	if strings.ContainsAny(c, ".:") && !strings.Contains(c, "/") && e.ownHost(b, c) {
		return Identifier
	}
	bu, okB := reference(b)
	cu, okC := reference(c)
	if !okB || !okC || bu.Fragment != cu.Fragment || bu.User.String() != cu.User.String() {
		return ""
	}
	class := e.origins(bu, cu)
	if class == "" {
		return ""
	}
	class = weaker(class, e.parts(strings.Split(bu.EscapedPath(), "/"), strings.Split(cu.EscapedPath(), "/"), names.Segments(b, nil)))
	if class = weaker(class, e.queries(bu.RawQuery, cu.RawQuery)); class == same {
		return "" // spelled otherwise
	}
	return class
}

func composed(s string) bool {
	return strings.HasPrefix(s, "urn:") || strings.HasPrefix(s, "arn:")
}

// reference parses an absolute URL or an absolute path.
func reference(s string) (*url.URL, bool) {
	if !names.IsLink(s) {
		return nil, false
	}
	u, err := url.Parse(s)
	return u, err == nil
}

// origins: the same scheme and host, or each side's own, or the baseline's own
// on one side and none on the other. A system may call itself otherwise than
// the client does: then nothing proves it.
func (e *Evidence) origins(b, c *url.URL) string {
	switch {
	case b.Host == c.Host && b.Scheme == c.Scheme:
		return same
	case e.BaselineHost == "":
		return ""
	case c.Host == "" && strings.EqualFold(b.Host, e.BaselineHost), b.Host == "" && e.alike(e.BaselineHost, c.Host):
		return Identifier
	case e.ownHost(b.Host, c.Host):
		return Identifier
	case b.Host != "" && c.Host != "" && b.Hostname() != c.Hostname() && e.alike(b.Host, c.Host):
		return Presumed(Identifier)
	}
	return ""
}

// ownHost: the name under which each side was asked.
func (e *Evidence) ownHost(b, c string) bool {
	return e.BaselineHost != "" && strings.EqualFold(b, e.BaselineHost) && !strings.ContainsAny(c, "/ ") && e.alike(e.BaselineHost, c)
}

// parts: each is equal or a name. segments may tell of what kind they are.
func (e *Evidence) parts(bs, cs []string, segments []names.Segment) string {
	if len(bs) != len(cs) {
		return ""
	}
	class := same
	n := 0
	for i, b := range bs {
		at := names.Place{Named: true}
		if b != "" && n < len(segments) {
			at = segments[n].Place
			n++
		}
		if b == cs[i] {
			continue
		}
		if class = weaker(class, e.part(at, b, cs[i])); class == "" {
			return ""
		}
	}
	return class
}

func (e *Evidence) part(at names.Place, b, c string) string {
	if class, certain := e.pair(at, b, c); certain {
		return class
	}
	alike := names.IsUnique(b) && names.IsUnique(c) || names.SameSeries(b, c)
	if alike && !names.SentAs(e.Sent, "", b) && e.alike(b, c) {
		return Presumed(Identifier)
	}
	return ""
}

// queries: the same parameters in the same order; their values are equal,
// names, or times.
func (e *Evidence) queries(b, c string) string {
	if b == c {
		return same
	}
	bs, cs := strings.Split(b, "&"), strings.Split(c, "&")
	if len(bs) != len(cs) {
		return ""
	}
	class := same
	for i := range bs {
		if bs[i] == cs[i] {
			continue
		}
		name, bv, _ := strings.Cut(bs[i], "=")
		other, cv, _ := strings.Cut(cs[i], "=")
		b, errB := url.QueryUnescape(bv)
		c, errC := url.QueryUnescape(cv)
		if name != other || errB != nil || errC != nil {
			return ""
		}
		if class = weaker(class, e.Class([]string{name}, Value{Text: b}, Value{Text: c})); class == "" {
			return ""
		}
	}
	return class
}
