package comparator

import (
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"understudy.dev/comparator/noise"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// fields are those of an answer by lower-case name, repeated ones joined as RFC
// 9110, 5.3, allows, each relation of a link by its own name; and the cookies.
func fields(lines []*understudyv1.Header, at time.Time) (map[string]field, []cookie) {
	values := make(map[string][]string, len(lines))
	var cookies []cookie
	for _, h := range lines {
		name, value := strings.ToLower(h.GetName()), strings.TrimSpace(string(h.GetValue()))
		switch name {
		case "set-cookie":
			cookies = append(cookies, parseCookie(value, at))
		case "link":
			for _, l := range splitList(value) {
				target, relation, attributes := link(l)
				key := name + ":" + relation
				values[key] = append(values[key], target)
				if attributes != "" {
					values[key+";attributes"] = append(values[key+";attributes"], attributes)
				}
			}
		default:
			values[name] = append(values[name], value)
		}
	}
	out := make(map[string]field, len(values)+len(cookies))
	for name, v := range values {
		value := strings.Join(v, ", ")
		out[name] = field{value: value, meaning: meaning(name, value)}
	}
	return out, cookies
}

// bothFields are the fields of two answers. Cookies are told apart by their
// name and, where a side has several of one, by where they hold.
func bothFields(baseline, final []*understudyv1.Header, a answers) (bs, fs map[string]field) {
	bs, bc := fields(baseline, a.baselineTime)
	fs, fc := fields(final, a.finalTime)
	several := map[string]bool{}
	for _, cookies := range [...][]cookie{bc, fc} {
		seen := map[string]bool{}
		for _, c := range cookies {
			several[c.name] = several[c.name] || seen[c.name]
			seen[c.name] = true
		}
	}
	add := func(out map[string]field, cookies []cookie) {
		for i, c := range cookies {
			key := "set-cookie:" + c.name
			if several[c.name] {
				key += ";" + c.scope()
			}
			out[key] = field{value: c.text(), cookie: &cookies[i]} // the last one holds (RFC 6265, 5.3)
		}
	}
	add(bs, bc)
	add(fs, fc)
	return bs, fs
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

// link takes one link (RFC 8288, 3) apart: where it leads, how it is related,
// and its other attributes in their order by name.
func link(s string) (target, relation, attributes string) {
	rest, ok := strings.CutPrefix(s, "<")
	target, parameters, closed := strings.Cut(rest, ">")
	if !ok || !closed {
		return s, "", ""
	}
	var others []string
	for _, part := range strings.Split(parameters, ";") {
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
	return target, relation, strings.Join(others, "; ")
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// tokens of redaction, as package redact makes them.
var tokens = regexp.MustCompile(`rdx_[A-Za-z0-9_-]{22}`)

// hidden stands for a value that must not be shown.
const hidden = "(redacted)"

// mail is a token that stands for an e-mail address.
var mail = regexp.MustCompile(tokens.String() + `@redacted\.invalid`)

// areCompared says whether tokens stand for what both systems should have alike:
// the digest of a body, e-mail addresses. Others stand for what each makes for
// itself.
func areCompared(name string, d Difference) bool {
	plain := func(s string) string { return mail.ReplaceAllString(s, "") }
	return digestFields[name] || !tokens.MatchString(plain(d.Baseline)) && !tokens.MatchString(plain(d.Candidate))
}

var digestFields = map[string]bool{"content-md5": true, "digest": true, "content-digest": true, "repr-digest": true}

// redacted is the class of two values that differ, as their tokens show, in
// nobody can see what.
const redacted = "redacted"

// masked takes what is secret out of a difference of which a side was redacted:
// the token of the one, and the value of the other that stands in its place. class
// is that of what then is the same: two tokens of one key show that the values
// differ, any others show nothing.
func masked(rs rules, d Difference) (shown Difference, class string) {
	inB, inF := tokens.MatchString(d.Baseline), tokens.MatchString(d.Candidate)
	if !inB && !inF {
		return d, ""
	}
	if d.Kind != Value {
		d.Baseline, d.Candidate = tokens.ReplaceAllString(d.Baseline, hidden), tokens.ReplaceAllString(d.Candidate, hidden)
		return d, ""
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
		class = rs.ofTokens(inB && inF)
	}
	return d, class
}

// ofTokens is the class of two values that were redacted, or one of them.
func (rs rules) ofTokens(both bool) string {
	if both && rs.oneKey {
		return noise.Presumed(redacted)
	}
	return Incomparable
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
