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
	f("1772532000", "2026-03-03T10:00:00Z 0 0 false")
	f("1772532000.25", "2026-03-03T10:00:00.25Z 3 0 false")
	f("1772532000123", "2026-03-03T10:00:00.123Z 3 0 false")
	f("1772532000123456", "2026-03-03T10:00:00.123456Z 6 0 false")
	f("1772532000123456789", "2026-03-03T10:00:00.123456789Z 9 0 false")
	for _, s := range []string{"", "pending", "0000000000", "9999999999", "12345678901", "4f1c2d3e-1111-4222-8333-444455556666", "2026-13-03", "2026-03-03T10:00", "1772532000.1x", "Tue Mar  3 10:00:00 EST 2026", "Tue, 03 Mar 2026 10:00:00 PST"} {
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
