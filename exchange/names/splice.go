package names

import (
	"net/url"
	"strconv"
	"strings"
)

// splice puts a changed text into the place of the one that is spelled in raw,
// and keeps the spelling of what they begin and end with in common. next tells
// the first character of a spelling and what it stands for.
func splice(raw, text, with string, next func(string) (n int, is string), spell func(string) string) string {
	head, tail := 0, 0
	for head < len(text) && head < len(with) && text[head] == with[head] {
		head++
	}
	for tail < len(text)-head && tail < len(with)-head && text[len(text)-1-tail] == with[len(with)-1-tail] {
		tail++
	}
	from, fromText, to, toText := 0, 0, len(raw), len(text)
	for at, is := 0, 0; ; {
		if is <= head {
			from, fromText = at, is
		}
		if is >= len(text)-tail {
			to, toText = at, is
			break
		}
		if at >= len(raw) {
			break
		}
		n, s := next(raw[at:])
		at, is = at+n, is+len(s)
	}
	return raw[:from] + spell(with[fromText:len(with)-(len(text)-toText)]) + raw[to:]
}

// spelledAs escapes for a query what another value does not leave as it is.
func spelledAs(value string) func(string) string {
	return func(s string) string {
		s = url.QueryEscape(s)
		for _, c := range ",/:;@$" {
			if strings.ContainsRune(value, c) {
				s = strings.ReplaceAll(s, "%"+strings.ToUpper(strconv.FormatInt(int64(c), 16)), string(c))
			}
		}
		return s
	}
}

// unescapeOne reads one character of a query.
func unescapeOne(raw string) (n int, is string) {
	n = 1
	if raw[0] == '%' {
		n = min(3, len(raw))
	}
	is, err := url.QueryUnescape(raw[:n])
	if err != nil {
		return 1, raw[:1]
	}
	return n, is
}

// unquoteOne reads one character of a JSON string.
func unquoteOne(raw string) (n int, is string) {
	switch {
	case raw[0] != '\\' || len(raw) < 2:
		return 1, raw[:1]
	case raw[1] != 'u':
		return 2, unquoted(raw[:2])
	}
	n = min(6, len(raw))
	if len(raw) >= 12 && strings.HasPrefix(raw[6:], `\u`) {
		if pair := unquoted(raw[:12]); len(pair) == 4 {
			return 12, pair
		}
	}
	return n, unquoted(raw[:n])
}

// hostOf is the host of an absolute link, with its port.
func hostOf(link string) string {
	_, rest, ok := strings.Cut(link, "://")
	if !ok || strings.HasPrefix(link, "/") {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// outer are the names that enclose a parameter: order in order[id].
func outer(name string) (enclosing []string) {
	head, rest, nested := strings.Cut(name, "[")
	for nested && rest != "" {
		enclosing = append(enclosing, head)
		var ok bool
		if head, rest, ok = strings.Cut(rest, "]"); !ok || IsDigits(head) || head == "" {
			break
		}
		rest, nested = strings.CutPrefix(rest, "[")
	}
	return enclosing
}
