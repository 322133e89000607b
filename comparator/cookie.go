package comparator

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
)

// cookie is one Set-Cookie (RFC 6265, 4.1). Its value is compared and never
// shown: it is a secret or a token.
type cookie struct {
	name, value string
	// cleared: the client is told to forget it.
	cleared bool
	// attributes are in order and lower case, without Expires.
	attributes string
	// expires is in the form of HTTP if it is a time; "" where Max-Age goes before
	// it, or where there is none.
	expires string
}

// parseCookie reads a Set-Cookie of an answer to a request of that time.
func parseCookie(line string, at time.Time) cookie {
	pair, rest, _ := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	c := cookie{name: strings.TrimSpace(name), value: unquote(strings.TrimSpace(value))}
	c.cleared = c.value == ""
	var kept []string
	lasting := false
	for _, part := range strings.Split(rest, ";") {
		part = strings.TrimSpace(part)
		key, argument, found := strings.Cut(part, "=")
		switch key = strings.ToLower(strings.TrimSpace(key)); key {
		case "":
		case "expires":
			c.expires = httpTime(strings.TrimSpace(argument))
		case "max-age":
			seconds, err := strconv.ParseInt(strings.TrimSpace(argument), 10, 64)
			lasting = true
			c.cleared = c.cleared || err == nil && seconds <= 0
			kept = append(kept, "max-age="+strings.TrimSpace(argument))
		case "domain", "samesite":
			kept = append(kept, key+"="+strings.ToLower(strings.TrimPrefix(strings.TrimSpace(argument), ".")))
		default:
			if found {
				key += "=" + strings.TrimSpace(argument)
			}
			kept = append(kept, key)
		}
	}
	slices.Sort(kept)
	c.attributes = strings.Join(kept, "; ")
	switch {
	case lasting:
		c.expires = ""
	case c.expires != "":
		if end, ok := parseHTTPTime(c.expires); ok && !end.After(at) {
			c.cleared = true
		}
	}
	return c
}

// text shows a cookie without its value.
func (c cookie) text() string {
	state := "set"
	if c.cleared {
		state = "cleared"
	}
	if c.attributes != "" {
		state += "; " + c.attributes
	}
	return state
}

// compareCookie compares whether a cookie is set or cleared, its attributes,
// when it expires, and whether its value is the same.
func compareCookie(emit emitter, rs rules, a answers, name string, d Difference, b, f cookie) bool {
	say := func(part, baseline, candidate, class string) bool {
		d := d
		d.Path += part
		d.Location, d.Baseline, d.Candidate = d.Path, baseline, candidate
		switch {
		case baseline == "":
			d.Kind = Extra
		case candidate == "":
			d.Kind = Missing
		}
		if d.Noise = rs.explain(a, name, d); d.Noise == "" {
			d.Noise = class
		}
		return emit(d, noise.Value{Text: baseline}, noise.Value{Text: candidate}, strings.TrimPrefix(part, ";"))
	}
	switch {
	case b.cleared != f.cleared:
		return say("", b.text(), f.text(), "")
	case b.cleared: // when and with what value no longer matters
		return b.scope() == f.scope() || say("", b.text(), f.text(), "")
	case b.attributes != f.attributes && !say("", b.text(), f.text(), ""):
		return false
	case b.expires != f.expires && !say(";expires", b.expires, f.expires, ""):
		return false
	case b.value == f.value:
		return true
	}
	d.Path += ";value"
	d.Location, d.Baseline, d.Candidate = d.Path, hidden, hidden
	d.Noise = rs.explain(a, name, d)
	inB, inF := tokens.MatchString(b.value), tokens.MatchString(f.value)
	switch {
	case d.Noise != "":
	case inB || inF:
		d.Noise = rs.ofTokens(inB && inF)
	case isSigned(b.value, f.value):
		d.Noise = noise.Presumed(noise.Random)
	}
	return emit(d, noise.Value{Text: b.value}, noise.Value{Text: f.value}, b.name)
}

// isSigned says whether two values are tokens of several parts, each made by a
// machine for nobody to read, as of a session that is signed: what differs of them
// is random, or counts seconds beside what is.
func isSigned(b, f string) bool {
	parts := func(s string) []string {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		return strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(":.|$~", c) })
	}
	bs, fs := parts(b), parts(f)
	if len(bs) != len(fs) || len(bs) < 2 {
		return false
	}
	random := false
	for i := range bs {
		switch {
		case bs[i] == fs[i]:
		case isOpened(bs[i]) || isOpened(fs[i]): // somebody reads it
			return false
		case names.AreRandom(bs[i], fs[i]):
			random = true
		case len(bs[i]) == len(fs[i]) && names.IsGenerated(bs[i]) && names.IsGenerated(fs[i]):
		default:
			return false
		}
	}
	return random
}

// isOpened says whether a text is base64 of something to read.
func isOpened(text string) bool {
	_, ok := names.Decode(text)
	return ok
}

// scope is the attributes that say which cookie is meant: all that counts of
// one that is cleared.
func (c cookie) scope() string {
	var kept []string
	for _, a := range strings.Split(c.attributes, "; ") {
		if strings.HasPrefix(a, "domain=") || strings.HasPrefix(a, "path=") {
			kept = append(kept, a)
		}
	}
	return strings.Join(kept, "; ")
}
