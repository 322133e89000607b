package comparator

import (
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// fields are those of an answer by lower-case name, repeated ones joined as RFC
// 9110, 5.3, allows; each cookie and each relation of a link by its own name.
func fields(lines []*understudyv1.Header, at time.Time) map[string]field {
	out := make(map[string]field, len(lines))
	cookies := map[string]int{}
	for _, h := range lines {
		name, value := strings.ToLower(h.GetName()), strings.TrimSpace(string(h.GetValue()))
		switch name {
		case "set-cookie":
			c := parseCookie(value, at)
			key := name + ":" + c.name
			if cookies[key]++; cookies[key] > 1 {
				key += "#" + strconv.Itoa(cookies[key])
			}
			out[key] = field{value: c.text(), cookie: &c}
		case "link":
			for _, l := range splitList(value) {
				target, relation := link(l)
				join(out, name+":"+relation, target)
			}
		default:
			join(out, name, value)
		}
	}
	for name, f := range out {
		if f.cookie == nil {
			f.meaning = meaning(name, f.value)
			out[name] = f
		}
	}
	return out
}

func join(fs map[string]field, name, value string) {
	if old, ok := fs[name]; ok {
		value = old.value + ", " + value
	}
	fs[name] = field{value: value}
}

// sets are the fields whose values are sets (RFC 9110, RFC 9111, Fetch): true
// where case does not matter to the members.
var sets = map[string]bool{
	"allow": false, "vary": true, "cache-control": true, "content-language": true,
	"accept-patch": true, "accept-post": true, "accept-ranges": true, "accept-ch": true,
	"access-control-allow-methods": false, "access-control-allow-headers": true, "access-control-expose-headers": true,
}

// meaning spells a field's value so that what means the same is the same text.
func meaning(name, value string) string {
	if fold, ok := sets[name]; ok {
		members := splitList(value)
		for i, m := range members {
			if fold {
				// The argument of a directive may be quoted (RFC 9111, 5.2).
				key, argument, found := strings.Cut(m, "=")
				m = strings.ToLower(strings.TrimSpace(key))
				if found {
					m += "=" + unquote(strings.TrimSpace(argument))
				}
			}
			members[i] = m
		}
		slices.Sort(members)
		return strings.Join(slices.Compact(members), ", ")
	}
	switch name {
	case "content-type":
		return spelled(value)
	case "content-encoding":
		// In the order of application; gzip has two names (RFC 9110, 8.4.1.3).
		return strings.ReplaceAll(strings.ToLower(strings.Join(splitList(value), ", ")), "x-gzip", "gzip")
	}
	return value
}

// spelled writes a Content-Type in lower case and its parameters in order.
func spelled(value string) string {
	kind, params, err := mime.ParseMediaType(value)
	if err != nil {
		return value
	}
	if c, ok := params["charset"]; ok {
		params["charset"] = strings.ToLower(c)
	}
	if text := mime.FormatMediaType(kind, params); text != "" {
		return text
	}
	return value
}

// withoutParameter is a spelled Content-Type without one parameter.
func withoutParameter(value, parameter string) string {
	kind, params, err := mime.ParseMediaType(spelled(value))
	if err != nil {
		return value
	}
	delete(params, parameter)
	return mime.FormatMediaType(kind, params)
}

// splitList takes a list (RFC 9110, 5.6.1) apart, at commas that stand neither
// in quotes nor within < and >; empty members are none.
func splitList(s string) []string {
	var out []string
	start, quoted, angle := 0, false, false
	add := func(end int) {
		if m := strings.Trim(s[start:end], " \t"); m != "" {
			out = append(out, m)
		}
		start = end + 1
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !angle:
			quoted = !quoted
		case !quoted && (c == '<' || c == '>'):
			angle = c == '<'
		case c == ',' && !quoted && !angle:
			add(i)
		}
	}
	add(len(s))
	return out
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// link takes one link (RFC 8288, 3) apart into where it leads and how it is
// related, with its other attributes in their order by name.
func link(s string) (target, relation string) {
	rest, ok := strings.CutPrefix(s, "<")
	target, attributes, closed := strings.Cut(rest, ">")
	if !ok || !closed {
		return s, ""
	}
	var others []string
	for _, part := range strings.Split(attributes, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), unquote(strings.TrimSpace(value))
		switch {
		case name == "rel" && relation == "":
			words := strings.Fields(strings.ToLower(value))
			slices.Sort(words)
			relation = strings.Join(words, " ")
		case name != "":
			others = append(others, name+"="+value)
		}
	}
	slices.Sort(others)
	if len(others) > 0 {
		target += "; " + strings.Join(others, "; ")
	}
	return target, relation
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// tokens of redaction, as package redact makes them.
var tokens = regexp.MustCompile(`rdx_[A-Za-z0-9_-]{22}`)

// hidden stands for a value that must not be shown.
const hidden = "(redacted)"

// redactedFields are the fields of the recorded answer that hold a token.
func (a answers) redactedFields() map[string]bool {
	out := map[string]bool{}
	for _, h := range a.baseline.GetHeaders() {
		if tokens.Match(h.GetValue()) {
			out[strings.ToLower(h.GetName())] = true
		}
	}
	return out
}

// masked takes what is secret out of a difference of which one side was
// redacted: the token of the one, and the value of the other that stands in
// its place. What then is the same differs in nothing that can be known.
func masked(rs rules, d Difference) Difference {
	inB, inF := tokens.MatchString(d.Baseline), tokens.MatchString(d.Candidate)
	if !inB && !inF {
		return d
	}
	if d.Kind != Value {
		d.Baseline, d.Candidate = tokens.ReplaceAllString(d.Baseline, hidden), tokens.ReplaceAllString(d.Candidate, hidden)
		return d
	}
	same := tokens.ReplaceAllString(d.Baseline, hidden) == tokens.ReplaceAllString(d.Candidate, hidden)
	switch {
	case inB && inF:
	case inB:
		d.Candidate, same = veil(d.Baseline, d.Candidate)
	default:
		d.Baseline, same = veil(d.Candidate, d.Baseline)
	}
	d.Baseline, d.Candidate = tokens.ReplaceAllString(d.Baseline, hidden), tokens.ReplaceAllString(d.Candidate, hidden)
	if same {
		d.Noise = rs.defaults.class(redacted)
	}
	return d
}

// veil hides in plain what stands where the other value has its first token,
// up to the end; same says whether what stands before is alike.
func veil(redacted, plain string) (shown string, same bool) {
	before := redacted[:tokens.FindStringIndex(redacted)[0]]
	if strings.HasPrefix(plain, before) {
		return before + hidden, true
	}
	if i := strings.IndexByte(plain, '?'); i >= 0 {
		return plain[:i+1] + hidden, false
	}
	return hidden, false
}
