package comparator

import (
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

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
		// Of two directives of one name it matters which comes first (RFC 9111, 4.2.1).
		slices.SortStableFunc(members, func(a, b string) int {
			if name != "cache-control" {
				return strings.Compare(a, b)
			}
			a, _, _ = strings.Cut(a, "=")
			b, _, _ = strings.Cut(b, "=")
			return strings.Compare(a, b)
		})
		return strings.Join(slices.Compact(members), ", ")
	}
	switch name {
	case "content-type":
		return spelled(value)
	case "content-disposition":
		return parameters(value)
	case "x-frame-options": // RFC 7034, 2.1
		return strings.ToLower(value)
	case "content-security-policy", "content-security-policy-report-only":
		return policies(value)
	case "permissions-policy": // a dictionary (RFC 9651, 3.2)
		members := splitList(value)
		slices.Sort(members)
		return strings.Join(members, ", ")
	case "strict-transport-security":
		return directives(value)
	case "www-authenticate", "proxy-authenticate":
		return challenges(value)
	case "content-encoding":
		// In the order of application; gzip has two names (RFC 9110, 8.4.1.3).
		return strings.ReplaceAll(strings.ToLower(strings.Join(splitList(value), ", ")), "x-gzip", "gzip")
	}
	if times[name] {
		return httpTime(value)
	}
	return value
}

// times are the fields that hold a time of HTTP (RFC 9110, 5.6.7; RFC 8594).
var times = map[string]bool{"date": true, "expires": true, "last-modified": true, "sunset": true}

// httpTime writes a time of HTTP, in whichever of its forms, as servers of today
// do; anything else stays as it is.
func httpTime(value string) string {
	if at, ok := parseHTTPTime(value); ok {
		return at.UTC().Format(http.TimeFormat)
	}
	return value
}

// parseHTTPTime also reads the forms of cookies (RFC 6265, 5.1.1).
func parseHTTPTime(value string) (time.Time, bool) {
	at, err := http.ParseTime(value)
	if err != nil {
		at, err = http.ParseTime(strings.ReplaceAll(value, "-", " "))
	}
	return at, err == nil
}

// parameters writes a disposition (RFC 6266, 4.1) in one spelling: its type in
// lower case, and its parameters in order and decoded.
func parameters(value string) string {
	kind, params, err := mime.ParseMediaType(value)
	if err != nil {
		return value
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		kind += "; " + name + "=" + strconv.Quote(params[name])
	}
	return kind
}

// directives writes the directives of a policy (RFC 6797, 6.1) in one spelling.
func directives(value string) string {
	var out []string
	for _, d := range strings.Split(value, ";") {
		name, argument, found := strings.Cut(d, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); found {
			name += "=" + unquote(strings.TrimSpace(argument))
		}
		if name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// policies writes policies for content (CSP 3, 2.2) in one spelling: of each the
// directives in order, the first of a name, which are sets.
func policies(value string) string {
	var all []string
	for policy := range strings.SplitSeq(value, ",") {
		seen := map[string]bool{}
		var out []string
		for directive := range strings.SplitSeq(policy, ";") {
			words := strings.Fields(directive)
			if len(words) == 0 || seen[strings.ToLower(words[0])] {
				continue
			}
			words[0] = strings.ToLower(words[0])
			seen[words[0]] = true
			slices.Sort(words[1:])
			out = append(out, strings.Join(words, " "))
		}
		slices.Sort(out)
		all = append(all, strings.Join(out, "; "))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// challenges writes challenges (RFC 9110, 11.6.1) in one spelling: each with its
// scheme in lower case and its parameters in order.
func challenges(value string) string {
	type challenge struct {
		scheme string
		params []string
	}
	var all []challenge
	for _, member := range splitList(value) {
		head, rest, spaced := strings.Cut(member, " ")
		if isScheme := !strings.Contains(head, "=") && !strings.HasPrefix(strings.TrimSpace(rest), "="); isScheme {
			all = append(all, challenge{scheme: strings.ToLower(head)})
			member = strings.TrimSpace(rest)
			if !spaced || member == "" {
				continue
			}
		}
		if len(all) == 0 {
			return value
		}
		last := &all[len(all)-1]
		name, argument, found := strings.Cut(member, "=")
		if argument = strings.TrimSpace(argument); found && strings.Trim(argument, "=") != "" {
			member = strings.ToLower(strings.TrimSpace(name)) + "=" + strconv.Quote(unescaped(argument))
		} // else a token68, in which case counts
		last.params = append(last.params, member)
	}
	var out []string
	for _, c := range all {
		slices.Sort(c.params)
		out = append(out, strings.TrimSpace(c.scheme+" "+strings.Join(c.params, ", ")))
	}
	return strings.Join(out, "; ")
}

// unescaped is a quoted text without quotes and escapes (RFC 9110, 5.6.4).
func unescaped(s string) string {
	inner := unquote(s)
	if len(inner) == len(s) || !strings.Contains(inner, `\`) {
		return inner
	}
	var out strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		out.WriteByte(inner[i])
	}
	return out.String()
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
