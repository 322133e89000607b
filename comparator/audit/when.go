package audit

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/timestamp"
)

// timeKinds are faults in times. A time that differs already is one of each
// side's own, and shifted all the same.
var timeKinds = []kind{
	scalarKind("time moved by a minute", moved(time.Minute)),
	scalarKind("time moved by an hour", moved(time.Hour)),
	scalarKind("time moved by a day", moved(24*time.Hour)),
	scalarKind("time in another zone", func(_ *subject, n *node) string {
		t, ok := timeOf(n)
		if !ok || !t.Style.Text || !strings.Contains(t.Style.Layout, "07:00") {
			return ""
		}
		return quoteChanged(n, written(t, t.In(time.FixedZone("", t.Style.Offset+2*3600)), n.text))
	}),
	scalarKind("time of another precision", func(_ *subject, n *node) string {
		t, ok := timeOf(n)
		if n.kind != '"' || !ok || t.Style.Digits == 0 {
			return ""
		}
		return quoteChanged(n, secondFraction.ReplaceAllString(n.text, "$1"))
	}),
	scalarKind("time in another unit", func(_ *subject, n *node) string {
		t, ok := timeOf(n)
		if n.kind != '0' || !ok {
			return ""
		}
		if t.Style.Layout == "s" {
			return strconv.FormatInt(t.UnixMilli(), 10)
		}
		return strconv.FormatInt(t.Unix(), 10)
	}),
}

// secondFraction is the fraction of the second of a time.
var secondFraction = regexp.MustCompile(`(:\d\d|\d{6})[.,]\d+`)

func moved(by time.Duration) func(*subject, *node) string {
	return func(_ *subject, n *node) string {
		t, ok := timeOf(n)
		if !ok || by < t.Style.Precision() {
			return ""
		}
		after := inUnits(n.text, t.Style.Layout, by)
		switch {
		case n.kind == '0':
			return after
		case after == "":
			after = written(t, t.Add(by), n.text)
		}
		return quoteChanged(n, after)
	}
}

// inUnits moves a time that is a count since 1970.
func inUnits(text, layout string, by time.Duration) string {
	unit := map[string]time.Duration{"s": time.Second, "ms": time.Millisecond, "µs": time.Microsecond, "ns": time.Nanosecond}[layout]
	whole, fraction, dotted := strings.Cut(text, ".")
	count, err := strconv.ParseInt(whole, 10, 64)
	if unit == 0 || err != nil {
		return ""
	}
	out := strconv.FormatInt(count+int64(by/unit), 10)
	if dotted {
		out += "." + fraction
	}
	return out
}

// written writes a moment as another was, with the same fraction; "" where it
// would be written otherwise.
func written(as timestamp.Time, at time.Time, text string) string {
	fraction := ""
	if m := secondFraction.FindStringSubmatchIndex(text); m != nil {
		fraction = text[m[3]:m[1]]
	}
	format := func(t time.Time) string {
		out := t.Format(as.Style.Layout)
		if fraction == "" {
			return out
		}
		seconds := secondPlace.FindStringIndex(out)
		if seconds == nil {
			return ""
		}
		return out[:seconds[1]] + fraction + out[seconds[1]:]
	}
	if format(as.Time) != text {
		return ""
	}
	return format(at)
}

// secondPlace ends with the seconds of a time without a fraction.
var secondPlace = regexp.MustCompile(`:\d\d:\d\d`)
