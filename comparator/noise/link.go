package noise

import (
	"net/url"
	"strings"

	"understudy.dev/exchange/names"
)

// links compares references that contain identifiers: absolute URLs, absolute
// paths, URNs and the like. All parts must be equal but for consistently
// renamed identifiers and, if it is the baseline's own, the host.
func (e *Evidence) links(b, c string) bool {
	if strings.ContainsAny(c, ".:") && e.host(b, c) {
		return true
	}
	if composed(b) && composed(c) {
		return e.parts(strings.Split(b, ":"), strings.Split(c, ":"))
	}
	bu, okB := reference(b)
	cu, okC := reference(c)
	if !okB || !okC || !e.origins(bu, cu) || bu.Fragment != cu.Fragment {
		return false
	}
	return e.parts(strings.Split(bu.EscapedPath(), "/"), strings.Split(cu.EscapedPath(), "/")) &&
		e.queries(bu.RawQuery, cu.RawQuery)
}

func composed(s string) bool {
	return strings.HasPrefix(s, "urn:") || strings.HasPrefix(s, "arn:")
}

// reference parses an absolute URL or an absolute path.
func reference(s string) (*url.URL, bool) {
	if !strings.HasPrefix(s, "/") && !strings.Contains(s, "://") || strings.ContainsAny(s, " \t\n") {
		return nil, false
	}
	u, err := url.Parse(s)
	return u, err == nil
}

// origins: the same scheme and host, or each side's own, or the baseline's own
// on one side and none on the other.
func (e *Evidence) origins(b, c *url.URL) bool {
	switch {
	case b.Host == c.Host:
		return b.Scheme == c.Scheme
	case c.Host == "":
		return strings.EqualFold(b.Host, e.BaselineHost)
	case b.Host == "":
		return e.renamed.Admit(e.BaselineHost, c.Host)
	}
	return e.host(b.Host, c.Host)
}

// host: the name under which each side was asked.
func (e *Evidence) host(b, c string) bool {
	return e.BaselineHost != "" && strings.EqualFold(b, e.BaselineHost) && !strings.ContainsAny(c, "/ ") &&
		e.renamed.Admit(e.BaselineHost, c)
}

func (e *Evidence) parts(bs, cs []string) bool {
	if len(bs) != len(cs) {
		return false
	}
	for i, b := range bs {
		if b != cs[i] && !(names.IsSegment(b) && names.IsSegment(cs[i]) && e.renames("", b, cs[i])) {
			return false
		}
	}
	return true
}

// queries: the same parameters in the same order; those that are called
// identifiers may be renamed.
func (e *Evidence) queries(b, c string) bool {
	if b == c {
		return true
	}
	bs, cs := strings.Split(b, "&"), strings.Split(c, "&")
	if len(bs) != len(cs) {
		return false
	}
	for i := range bs {
		if bs[i] == cs[i] {
			continue
		}
		name, bv, _ := strings.Cut(bs[i], "=")
		other, cv, _ := strings.Cut(cs[i], "=")
		if name != other || !names.IsMinted(name) && !(names.IsUnique(bv) && names.IsUnique(cv)) || !e.renames(name, bv, cv) {
			return false
		}
	}
	return true
}

// renames: a pair that is known, or that may become one.
func (e *Evidence) renames(name, b, c string) bool {
	if known, ok := e.renamed.Candidate(b); ok {
		return known == c
	}
	return generated(b) && generated(c) && !names.SentAs(e.Sent, name, b) && e.renamed.Admit(b, c)
}
