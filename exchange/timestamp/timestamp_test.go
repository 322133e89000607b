package timestamp_test

import (
	"fmt"
	"testing"
	"time"

	"understudy.dev/exchange/timestamp"
)

func TestParse(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		got := "none"
		if x, ok := timestamp.Parse(s); ok {
			got = fmt.Sprintf("%s %d %d %v", x.UTC().Format(time.RFC3339Nano), x.Style.Digits, x.Style.Offset, x.Style.Zulu)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
	f("2026-03-03T10:00:00Z", "2026-03-03T10:00:00Z 0 0 true")
	f("2026-03-03T10:00:00+00:00", "2026-03-03T10:00:00Z 0 0 false")
	f("2026-03-03T12:00:00.12+02:00", "2026-03-03T10:00:00.12Z 3 7200 false")
	f("2026-03-03T10:00:00.123456Z", "2026-03-03T10:00:00.123456Z 6 0 true")
	f("2026-03-03 10:00:00", "2026-03-03T10:00:00Z 0 0 false")
	f("2026-03-03T10:00:00-0100", "2026-03-03T11:00:00Z 0 -3600 false")
	f("Tue, 03 Mar 2026 10:00:00 GMT", "2026-03-03T10:00:00Z 0 0 true")
	f("2026-03-03", "2026-03-03T00:00:00Z 0 0 false")
	// Of other systems, with zones by name, of a minute or a day only.
	const at = "2026-03-03T10:00:00Z 0 0 "
	for _, same := range []string{
		"2026-03-03T10:00", "2026-03-03 10:00", "2026/03/03 10:00:00", "20260303T100000", "20260303100000", "03.03.2026 10:00:00", "Tue Mar  3 10:00:00 2026",
		"Tue Mar  3 10:00:00 UTC 2026", "Tue Mar 03 10:00:00 +0000 2026", "03 Mar 26 10:00 +0000", "2026-03-03 10:00:00 UTC", "2026-03-03T10:00:00+00", "2026-W10-2T10:00:00", "2026-03-03t10:00:00z",
	} {
		f(same, at+"false")
	}
	for _, same := range []string{"Tuesday, 03-Mar-26 10:00:00 GMT", "Tue, 03-Mar-2026 10:00:00 GMT", "20260303T100000Z", "2026-03-03T10:00Z", "03 Mar 26 10:00 GMT", "2026-W10-2T10:00:00Z"} {
		f(same, at+"true")
	}
	f("20260303T100000.123Z", "2026-03-03T10:00:00.123Z 3 0 true")
	f("/Date(1772532000123)/", "2026-03-03T10:00:00.123Z 3 0 false")
	f("Tue Mar  3 10:00:00 EST 2026", "2026-03-03T15:00:00Z 0 -18000 false")
	f("Tue, 03 Mar 2026 10:00:00 PST", "2026-03-03T18:00:00Z 0 -28800 false")
	f("2026-07-03 10:00:00 CEST", "2026-07-03T08:00:00Z 0 7200 false")
	for _, day := range []string{"20260303", "2026/03/03", "2026-W10-2", "March 3, 2026", "Mar 3, 2026", "3 Mar 2026", "03 March 2026"} {
		f(day, "2026-03-03T00:00:00Z 0 0 false")
	}
	f("1772532000", "2026-03-03T10:00:00Z 0 0 false")
	f("1772532000.25", "2026-03-03T10:00:00.25Z 3 0 false")
	f("1772532000123", "2026-03-03T10:00:00.123Z 3 0 false")
	f("1772532000123456", "2026-03-03T10:00:00.123456Z 6 0 false")
	f("1772532000123456789", "2026-03-03T10:00:00.123456789Z 9 0 false")
	for _, s := range []string{"", "pending", "0000000000", "9999999999", "12345678901", "4f1c2d3e-1111-4222-8333-444455556666", "2026-13-03", "1772532000.1x",
		"Tue Mar  3 10:00:00 IST 2026", "2026-03-03 10:00:00 XYZ", "2026-001", "20261332", "12345678", "99991231", "03/04/2026", "2026-W54-1", "2026-W10-8", "/Date(17)/", "/Date(x)/", "10.11.12.13",
		"Monday", "Jan", "January", "Denmark, 2026", "Mon, ", "20260303T", "2026-W", "1 Jan", "a quick brown"} {
		f(s, "none")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2026-03-03T10:00:00.123+01:00")
	f.Add("1772532000.123456")
	f.Fuzz(func(t *testing.T, s string) {
		if x, ok := timestamp.Parse(s); ok && (x.Style.Precision() <= 0 || x.Style.Layout == "") {
			t.Errorf("%q: %v", s, x)
		}
	})
}

// TestWholeMinutes: what was chosen agrees by chance with a replay that is whole
// minutes later; what is reckoned from a request does not.
func TestWholeMinutes(t *testing.T) {
	f := func(request, baseline, candidate string, want timestamp.Tie) {
		t.Helper()
		at := func(s string) time.Time {
			moment, err := time.Parse(time.RFC3339Nano, s)
			if err != nil {
				t.Fatal(err)
			}
			return moment
		}
		then := at(request)
		now := then.Add(10 * time.Minute)
		frame := timestamp.Frame{Baseline: timestamp.Span{From: then, To: then}, Candidate: timestamp.Span{From: now, To: now}}
		b, okB := timestamp.Parse(baseline)
		c, okC := timestamp.Parse(candidate)
		if got := frame.Tie(b, c); !okB || !okC || got != want {
			t.Errorf("%s, %s and %s: got %d, want %d; %s", request, baseline, candidate, got, want, frame.Explain(b, c))
		}
	}
	f("2026-03-03T10:00:17.3Z", "2026-03-03T15:30:00Z", "2026-03-03T15:40:00Z", timestamp.Doubtful)
	f("2026-03-03T10:00:17.3Z", "2026-03-03T15:30:00.000Z", "2026-03-03T15:40:00.000Z", timestamp.Doubtful)
	f("2026-03-03T10:00:17.3Z", "2026-03-03T11:00:17Z", "2026-03-03T11:10:17Z", timestamp.Tied) // in an hour
	f("2026-03-03T10:00:00.3Z", "2026-03-03T11:00:00Z", "2026-03-03T11:10:00Z", timestamp.Tied) // in an hour, from a whole minute
	f("2026-03-03T10:00:17.3Z", "2026-03-03T15:30:05Z", "2026-03-03T15:40:05Z", timestamp.Tied)
	f("2026-03-03T10:00:17.3Z", "2026-03-03T15:30:00Z", "2026-03-03T15:41:00Z", timestamp.Loose)
	f("2026-03-03T10:00:00.3Z", "2026-03-03T10:00:00Z", "2026-03-03T10:10:00Z", timestamp.Tied) // now
}

// TestPrecision: what is written decides what is told apart.
func TestPrecision(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"2026-03-03": 24 * time.Hour, "03.03.2026": 24 * time.Hour, "20260303": 24 * time.Hour, "3 Mar 2026": 24 * time.Hour, "2026-W10-2": 24 * time.Hour,
		"2026-03-03 10:00": time.Minute, "03 Mar 26 10:00 GMT": time.Minute, "03 Mar 26 10:00 +0000": time.Minute, "2026-03-03T10:00+01:00": time.Minute,
		"2026-03-03 10:00:00": time.Second, "20260303100000": time.Second, "2026-03-03T10:00:00.1Z": time.Millisecond, "1772532000123456": time.Microsecond,
	} {
		if got, ok := timestamp.Parse(text); !ok || got.Style.Precision() != want {
			t.Errorf("%s: %v", text, got.Style.Precision())
		}
	}
}
