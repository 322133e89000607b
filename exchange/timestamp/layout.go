package timestamp

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The layouts of texts, by how a text begins: most texts begin as none does, and to
// try all on each is dear. The most usual come first. time.Parse accepts a fraction
// after the seconds though a layout has none.
var (
	iso = []string{
		"2006-01-02T15:04:05Z07:00", time.DateOnly, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05 MST",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04",
	}
	slashes = []string{"2006/01/02", "2006/01/02 15:04:05", "2006/01/02 15:04"}
	basic   = []string{"20060102T150405Z0700", "20060102T150405"} // ISO 8601, basic format
	dots    = []string{"02.01.2006", "02.01.2006 15:04:05", "02.01.2006 15:04"}
	logs    = []string{"02/Jan/2006:15:04:05 -0700"}
	mails   = []string{time.RFC822, time.RFC822Z, "2 Jan 2006", "2 January 2006", "2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST"}
	months  = []string{"January 2, 2006", "Jan 2, 2006"}
	// Of HTTP, of cookies, of mail, of the shell.
	weekdays = []string{
		http.TimeFormat, time.RFC1123, time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 02-Jan-2006 15:04:05 MST", time.RFC850, time.ANSIC, time.UnixDate, time.RubyDate,
	}
)

const (
	compactDay  = "20060102"
	compactTime = "20060102150405"
	weekDay     = "2006-W01-2" // ISO 8601; no layout of package time
)

// layoutsOf are the layouts that a text may have by how it begins.
func layoutsOf(s string) []string {
	switch {
	case s[0] > '9' && (s[3] == ',' || s[3] == ' ' && !isDigit(s[4]) || strings.Contains(s, "day,")):
		return weekdays
	case s[0] > '9':
		if strings.Contains(s, ", ") && isDigit(s[len(s)-1]) {
			return months
		}
	case s[4] == '-':
		return iso
	case s[4] == '/':
		return slashes
	case len(s) > len(compactDay) && s[8] == 'T':
		return basic
	case s[2] == '.' && s[5] == '.':
		return dots
	case s[2] == '/' && s[6] == '/':
		return logs
	case s[1] == ' ' || s[2] == ' ':
		return mails
	}
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// zones are the abbreviations of zones that name one offset only, in hours: those
// of mail (RFC 5322, 4.3), of Europe and of Japan. Others, as IST, name several.
var zones = map[string]int{
	"UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
	"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "JST": 9,
}

// inZone is a moment that was read with the abbreviation of a zone, which package
// time knows nothing of.
func inZone(t time.Time) (time.Time, bool) {
	name, offset := t.Zone()
	hours, known := zones[name]
	if offset != 0 { // as written
		return t, true
	}
	return t.Add(-time.Duration(hours) * time.Hour).In(time.FixedZone(name, hours*3600)), known
}

// compact reads what consists of digits only: 20261124100000.
func compact(s string) (Time, bool) {
	layout := compactDay
	if len(s) == len(compactTime) {
		layout = compactTime
	} else if len(s) != len(compactDay) {
		return Time{}, false
	}
	t, err := time.ParseInLocation(layout, s, time.UTC)
	if err != nil || t.Before(earliest) || t.After(latest) {
		return Time{}, false
	}
	return Time{t, Style{Layout: layout}}, true
}

// week reads a date by its week, with or without a time: 2026-W48-2.
func week(s string) (Time, bool) {
	if len(s) < len(weekDay) || s[4:6] != "-W" || s[8] != '-' {
		return Time{}, false
	}
	year, errYear := strconv.Atoi(s[:4])
	number, errWeek := strconv.Atoi(s[6:8])
	day := int(s[9] - '0')
	if errYear != nil || errWeek != nil || number < 1 || number > 53 || day < 1 || day > 7 {
		return Time{}, false
	}
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC) // which is in the first week
	date := fourth.AddDate(0, 0, 7*(number-1)+day-1-(int(fourth.Weekday())+6)%7)
	if len(s) == len(weekDay) {
		return Time{date, Style{Layout: weekDay, Text: true}}, true
	}
	t, ok := Parse(date.Format(time.DateOnly) + s[len(weekDay):])
	t.Style.Layout = weekDay + t.Style.Layout
	return t, ok
}

// script reads a date as some serializers of JSON write it: /Date(1795514400123)/,
// with an offset or without.
func script(s string) (Time, bool) {
	inner, isDate := strings.CutPrefix(s, "/Date(")
	inner, ends := strings.CutSuffix(inner, ")/")
	if !isDate || !ends {
		return Time{}, false
	}
	offset := ""
	if i := strings.IndexAny(inner, "+-"); i > 0 {
		inner, offset = inner[:i], inner[i:]
	}
	t, ok := Number(inner)
	t.Style.Layout, t.Style.Text = "/Date("+t.Style.Layout+offset+")/", true
	return t, ok
}
