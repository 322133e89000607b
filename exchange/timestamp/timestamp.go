// Package timestamp reads the times that stand in messages, and how they are
// written: layout, precision and offset are part of what a client sees.
package timestamp

import (
	"strconv"
	"strings"
	"time"
)

// Time is a moment as it was written.
type Time struct {
	time.Time
	// Style is how it is written: two times of one style differ in nothing but
	// the moment.
	Style Style
}

// Style is a way to write times.
type Style struct {
	// Layout is that of package time, or "s", "ms", "µs", "ns" since 1970.
	Layout string
	// Digits of the fraction of a second: 0, 3, 6 or 9, whichever holds those
	// that are written, since some systems leave out zeros at the end.
	Digits int
	// Offset from UTC in seconds, and whether it is written as Z.
	Offset int
	Zulu   bool
	// Text: it stands in a text, not in a number.
	Text bool
}

// IsDay says whether only days are told apart.
func (s Style) IsDay() bool { return dayLayouts[s.Layout] }

var dayLayouts = map[string]bool{
	time.DateOnly: true, slashes[0]: true, dots[0]: true, compactDay: true, weekDay: true, mails[2]: true, mails[3]: true, months[0]: true, months[1]: true,
}

// isMinute says whether only minutes are told apart.
func (s Style) isMinute() bool {
	return strings.HasSuffix(strings.TrimRight(s.Layout, "Z07: MST-"), "15:04")
}

// Precision is the least time that the style tells apart.
func (s Style) Precision() time.Duration {
	switch {
	case s.IsDay():
		return 24 * time.Hour
	case s.Digits == 0 && s.isMinute():
		return time.Minute
	case s.Digits == 0:
		return time.Second
	case s.Digits == 3:
		return time.Millisecond
	case s.Digits == 6:
		return time.Microsecond
	}
	return time.Nanosecond
}

// Parse reads a text: the usual spellings, and digits as Number reads them.
func Parse(s string) (Time, bool) {
	if len(s) < len(compactDay) || len(s) > 40 || strings.IndexByte("0123456789MTWFSJADNO/", s[0]) < 0 {
		return Time{}, false
	}
	if t, ok := Number(s); ok {
		t.Style.Text = true
		return t, true
	}
	switch {
	case s[0] == '/':
		return script(s)
	case strings.Trim(s, "0123456789") == "":
		t, ok := compact(s)
		t.Style.Text = true
		return t, ok
	case len(s) < len(time.DateOnly):
		return Time{}, false
	case s[4:6] == "-W":
		return week(s)
	}
	spelled := s
	if isDigit(s[0]) && len(s) > len(time.DateOnly) && (s[len(s)-1] == 'z' || s[8] == 't' || s[10] == 't') {
		spelled = strings.ToUpper(s) // RFC 3339, 5.6
	}
	for _, layout := range layoutsOf(s) {
		t, err := time.ParseInLocation(layout, spelled, time.UTC)
		if err != nil {
			continue
		}
		if strings.HasSuffix(layout, "MST") || strings.Contains(layout, "MST ") {
			var known bool
			if t, known = inZone(t); !known {
				continue // the abbreviation says nothing by itself
			}
		}
		_, offset := t.Zone()
		style := Style{Layout: layout, Digits: fraction(s), Offset: offset, Zulu: strings.HasSuffix(s, "Z") || strings.HasSuffix(s, "GMT"), Text: true}
		if spelled != s {
			style.Layout = strings.ToLower(layout)
		}
		return Time{t, style}, true
	}
	return Time{}, false
}

// Read reads a value: a text as Parse does, a number as Number does.
func Read(text string, number bool) (Time, bool) {
	if number {
		return Number(text)
	}
	return Parse(text)
}

// fraction is the digits of a fraction of a second that are written, rounded up
// to a unit.
func fraction(s string) int {
	colon := strings.LastIndexByte(s, ':')
	if plus := strings.LastIndexAny(s, "+-"); plus > 0 && colon > plus {
		colon = strings.LastIndexByte(s[:plus], ':') // the offset has one, too
	}
	dot := strings.IndexAny(s[max(colon, 0):], ".,")
	if dot < 0 {
		return 0
	}
	n := 0
	for i := max(colon, 0) + dot + 1; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n++
	}
	return (n + 2) / 3 * 3
}

// earliest and latest bound the moments that a number is read as: from 2001 to
// 2100. Seconds then have ten digits.
var (
	earliest = time.Unix(1_000_000_000, 0)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Number reads the digits of a number as seconds, with or without a fraction,
// milli-, micro- or nanoseconds since 1970, whichever its length says.
func Number(s string) (Time, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(whole) < 10 || len(whole) > 19 {
		return Time{}, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || whole[0] < '1' {
		return Time{}, false
	}
	var t time.Time
	var style Style
	switch len(whole) {
	case 10:
		t, style = time.Unix(n, 0), Style{Layout: "s", Digits: min((len(frac)+2)/3*3, 9)}
		if frac != "" {
			nanos, err := strconv.ParseUint((frac + "000000000")[:9], 10, 32)
			if err != nil {
				return Time{}, false
			}
			t = t.Add(time.Duration(nanos))
		}
	case 13:
		t, style = time.UnixMilli(n), Style{Layout: "ms", Digits: 3}
	case 16:
		t, style = time.UnixMicro(n), Style{Layout: "µs", Digits: 6}
	case 19:
		t, style = time.Unix(0, n), Style{Layout: "ns", Digits: 9}
	default:
		return Time{}, false
	}
	if len(whole) > 10 && frac != "" && strings.Trim(frac, "0123456789") != "" || t.Before(earliest) || t.After(latest) {
		return Time{}, false
	}
	return Time{t.UTC(), style}, true
}
