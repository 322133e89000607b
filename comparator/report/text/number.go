package text

import (
	"strconv"

	"understudy.dev/comparator/report"
)

// millis writes milliseconds with three digits that mean something.
func millis(m report.Millis) string {
	ms := float64(m)
	switch {
	case m == report.Never:
		return "never"
	case ms <= 0:
		return "-"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 2, 64)
	case ms < 100:
		return strconv.FormatFloat(ms, 'f', 1, 64)
	}
	return strconv.FormatFloat(ms, 'f', 0, 64)
}

// shorten cuts text to a number of runes with a mark.
func shorten(s string, runes int) string {
	r := []rune(s)
	if len(r) <= runes {
		return s
	}
	return string(r[:runes-1]) + "…"
}
