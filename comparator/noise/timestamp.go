package noise

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/names"
)

// horizon is how far from its request a number may lie to be read as a time.
const horizon = 10 * 365 * 24 * time.Hour

// timestamps says whether both values are times, and then whether they lie
// equally far from their own side's request, written in the same way. Whole
// days are compared as days.
func (e *Evidence) timestamps(baseline, candidate Value) (same, both bool) {
	if baseline.Number {
		return e.epochs(baseline.Text, candidate.Text)
	}
	b, layoutB := parseTime(baseline.Text)
	c, layoutC := parseTime(candidate.Text)
	switch {
	case layoutB == "" || layoutC == "":
		if names.IsDigits(baseline.Text) && names.IsDigits(candidate.Text) {
			return e.epochs(baseline.Text, candidate.Text)
		}
		return false, false
	case layoutB != layoutC: // another way to write times
		return false, true
	case layoutB == time.DateOnly || layoutB == daySlashes:
		return days(b, e.BaselineTime) == days(c, e.CandidateTime), true
	}
	return e.near(b, c), true
}

// near compares the distances.
func (e *Evidence) near(b, c time.Time) bool {
	skew := e.Skew
	if skew == 0 {
		skew = DefaultSkew
	}
	// A time made by this request keeps its distance; one made by an earlier
	// request of the run is nearer by the scale.
	base, cand := b.Sub(e.BaselineTime), c.Sub(e.CandidateTime)
	if (base - cand).Abs() <= skew+e.Slack {
		return true
	}
	return e.Speed > 0 && base < 0 && (time.Duration(float64(base)/e.Speed)-cand).Abs() <= skew+e.Slack
}

func days(t, from time.Time) int {
	return int(t.UTC().Truncate(24*time.Hour).Sub(from.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
}

// epochs reads numbers as seconds, milli-, micro- or nanoseconds since 1970.
// Only a number that lies near its own request can be a time; a large
// identifier is not.
func (e *Evidence) epochs(b, c string) (same, both bool) {
	tb, okB := epoch(b, e.BaselineTime)
	tc, okC := epoch(c, e.CandidateTime)
	if !okB || !okC {
		return false, false
	}
	wholeB, _, _ := strings.Cut(b, ".")
	wholeC, _, _ := strings.Cut(c, ".")
	return len(wholeB) == len(wholeC) && e.near(tb, tc), true
}

func epoch(s string, around time.Time) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	var t time.Time
	switch len(whole) {
	case 10:
		t = time.Unix(n, 0)
	case 13:
		t = time.UnixMilli(n)
	case 16:
		t = time.UnixMicro(n)
	case 19:
		t = time.Unix(0, n)
	default:
		return t, false
	}
	if fraction != "" && !names.IsDigits(fraction) {
		return t, false
	}
	return t, t.Sub(around).Abs() < horizon
}

const daySlashes = "2006/01/02"

var layouts = []string{
	time.DateOnly, daySlashes,
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700 MST", http.TimeFormat, time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC,
	"20060102T150405Z",
}

// parseTime reads the usual spellings and says which one it was, "" for none.
func parseTime(s string) (t time.Time, layout string) {
	if len(s) < 10 || len(s) > 40 || !strings.ContainsAny(s, "0123456789") {
		return t, ""
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, layout
		}
	}
	return t, ""
}
