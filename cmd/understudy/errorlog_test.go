package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLibraryLog: one message of a kind at a time, with a count of the others,
// and no word of the other side's.
func TestLibraryLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := slog.NewLogLogger(newLibraryLog(slog.New(slog.NewTextHandler(&out, nil))), slog.LevelWarn)
		said := func() (lines []string) {
			for _, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
				if _, after, ok := strings.Cut(line, "msg="); ok {
					lines = append(lines, after)
				}
			}
			out.Reset()
			return lines
		}
		for i := range 5 {
			l.Printf("http: panic serving 192.0.2.1:%d: boom\nstack", i)
			l.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=nil", "secret")
		}
		if got := said(); len(got) != 2 || !strings.Contains(got[0], `1:0: boom\nstack" alike_since_the_last=0`) || strings.Contains(got[1], "secret") {
			t.Errorf("said %q", got)
		}
		time.Sleep(libraryLogEvery)
		l.Printf("http: panic serving 192.0.2.1:9: boom\nstack")
		if got := said(); len(got) != 1 || !strings.Contains(got[0], "alike_since_the_last=4") {
			t.Errorf("said %q", got)
		}
		for i := range 1000 {
			l.Printf("a%d b c d", i)
		}
		if got := said(); len(got) > maxLibraryKinds {
			t.Errorf("%d kinds", len(got))
		}
	})
}
