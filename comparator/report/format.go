package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from a payload safe to show on a terminal: control
// characters (escape sequences begin with one), invisible and direction-
// changing characters and broken UTF-8 become visible escapes such as \x1b.
func Clean(s string) string {
	if strings.IndexFunc(s, Unsafe) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case !Unsafe(r):
			b.WriteString(s[i : i+size])
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// Unsafe says whether a terminal could act on a character, or a reader not see
// it.
func Unsafe(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Count writes a number with thousands apart: 12,345.
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Reasons writes a map as "reason 3, other 1", the names in order.
func Reasons(m map[string]uint64) string {
	var parts []string
	for name, n := range m {
		parts = append(parts, name+" "+Count(n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// Percent writes a share, 97.11 %; it never rounds up to 100 or down to 0. A
// share of nothing is "-".
func Percent(part, whole uint64) string {
	switch {
	case whole == 0:
		return "-"
	case part == whole:
		return "100 %"
	case part == 0:
		return "0 %"
	}
	p := float64(part) / float64(whole) * 100
	return strconv.FormatFloat(min(max(p, 0.01), 99.99), 'f', 2, 64) + " %"
}
