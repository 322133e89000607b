package message

import (
	"iter"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Values returns the values of a field in their order. Case does not matter in
// a field's name.
func Values(headers []*understudyv1.Header, name string) []string {
	var out []string
	for _, h := range headers {
		if strings.EqualFold(h.GetName(), name) {
			out = append(out, string(h.GetValue()))
		}
	}
	return out
}

// First returns the first value of a field, "" if it is absent. Like any value
// it may contain bytes that are not UTF-8.
func First(headers []*understudyv1.Header, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.GetName(), name) {
			return string(h.GetValue())
		}
	}
	return ""
}

// Joined returns the values of a field joined by commas, which means the same
// (RFC 9110, 5.3), "" if it is absent.
func Joined(headers []*understudyv1.Header, name string) string {
	return strings.Join(Values(headers, name), ", ")
}

// HasToken reports whether one of the comma-separated lists, such as those in
// Connection or Expect, contains a token. Case does not matter.
func HasToken(lists []string, token string) bool {
	for t := range Elements(lists) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// Elements iterates over the elements of comma-separated lists (RFC 9110,
// 5.6.1), without blanks around them and leaving out empty ones.
func Elements(lists []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, list := range lists {
			for e := range strings.SplitSeq(list, ",") {
				if e = strings.Trim(e, " \t"); e != "" && !yield(e) {
					return
				}
			}
		}
	}
}

// IsToken reports whether s is a token (RFC 9110, 5.6.2), as methods and names
// of fields are.
func IsToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// IsField reports whether a field's name and value are as RFC 9110 section 5
// allows them.
func IsField[V string | []byte](name string, value V) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return IsToken(name)
}
