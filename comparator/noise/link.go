package noise

import (
	"cmp"
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
	if strings.EqualFold(b, e.BaselineHost) && e.BaselineHost != "" && strings.EqualFold(c, e.CandidateHost) {
		e.because("each is the host under which its side was asked")
		return Identifier // each its own
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

// origins: the same scheme and host, or each side's own, or one side's own and
// none on the other. Whether another host is the candidate's is presumed if the
// record does not say how it was asked, and if a system calls itself otherwise
// than its clients do; also whether a link that leads on by another scheme is its
// side's own, unless each side was asked by that of its link.
func (e *Evidence) origins(b, c *url.URL) string {
	web := func(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }
	switch {
	case b.Host == c.Host && b.Scheme == c.Scheme:
		return same
	case b.Host == c.Host, b.Host != "" && !web(b), c.Host != "" && !web(c):
		return ""
	}
	ownB := b.Host == "" || e.BaselineHost != "" && strings.EqualFold(b.Host, e.BaselineHost)
	ownC := c.Host == "" || e.CandidateHost != "" && strings.EqualFold(c.Host, e.CandidateHost)
	switch {
	case ownB && ownC && e.areOwnSchemes(b, c):
		e.because("each link leads to its own side")
		return Identifier
	case ownB && ownC:
		e.because("each link leads to its own side, but not by one scheme, nor each by that under which its side was asked")
		return Presumed(Identifier)
	case e.CandidateHost == "" && ownB, !ownB && b.Host != "" && c.Host != "" && ownC:
	case !ownB && !ownC && b.Hostname() != c.Hostname() && e.CandidateHost == "" && e.BaselineHost != "":
	default:
		return ""
	}
	if e.alike(b.Host+" ", c.Host+" ") {
		e.because("the hosts may be each side's own; the record does not show it")
		return Presumed(Identifier)
	}
	return ""
}

// areOwnSchemes says whether two links lead on alike: both by http or both by
// https, or each as its side was asked. One without a scheme keeps that of its side.
func (e *Evidence) areOwnSchemes(b, c *url.URL) bool {
	schemeB, schemeC := cmp.Or(b.Scheme, e.BaselineScheme), cmp.Or(c.Scheme, e.CandidateScheme)
	return schemeB == schemeC && schemeB != "" ||
		(b.Scheme == "" || b.Scheme == e.BaselineScheme) && (c.Scheme == "" || c.Scheme == e.CandidateScheme)
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
	alike := names.IsUnique(b) && names.IsUnique(c) || names.SameSeries(b, c) ||
		at.Kind != "" && otherwise(b, c)
	if alike && !names.SentAs(e.Sent, "", b) && e.alike(b, c) {
		e.because("a part of it looks like a name that a system makes; no pair ties the two")
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
		if class = weaker(class, e.list(name, b, c)); class == "" {
			return ""
		}
	}
	return class
}

// list compares the values of a parameter, which may have several.
func (e *Evidence) list(name, b, c string) string {
	bs, cs := strings.Split(b, ","), strings.Split(c, ",")
	if len(bs) == 1 || len(bs) != len(cs) {
		return e.Class([]string{name}, Value{Text: b}, Value{Text: c})
	}
	class := same
	for i := range bs {
		if bs[i] != cs[i] {
			class = weaker(class, e.Class([]string{name}, Value{Text: bs[i]}, Value{Text: cs[i]}))
		}
	}
	return class
}
