//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"understudy.dev/replayer"
)

func TestNoStatusLineInAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	statusLine(w, func() string { t.Error("a line is made for nobody"); return "x" })()
	(&downloadLine{w: w}).update(1, 2)
	w.Close()
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		t.Error("something was written")
	}
	var out strings.Builder
	statusLine(&out, func() string { return "x" })()
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}

// TestStatusLineOnATerminal: drawn, cut to the width, and taken away at the
// end.
func TestStatusLineOnATerminal(t *testing.T) {
	user, program := terminal(t, 30)
	stop := statusLine(program, func() string { return strings.Repeat("0123456789", 5) })
	first := make([]byte, 1024)
	n, err := user.Read(first)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	const line = "\r\x1b[K0123456789012345678901234567…"
	if got := string(first[:n]); !strings.HasPrefix(got, line) {
		t.Errorf("drew %q, want %q", got, line)
	}
	program.Close()
	rest := string(first[:n])
	for buf := make([]byte, 1024); ; {
		n, err := user.Read(buf)
		rest += string(buf[:n])
		if err != nil {
			break
		}
	}
	if !strings.HasSuffix(rest, "\r\x1b[K") {
		t.Errorf("it leaves %q", rest)
	}
}

func TestClip(t *testing.T) {
	f := func(s string, width int, want string) {
		t.Helper()
		if got := clip(s, width); got != want {
			t.Errorf("%q in %d: got %q, want %q", s, width, got, want)
		}
	}
	f("short", 5, "short")
	f("too long", 5, "too…")
	f("größer", 4, "grö…")
}

// terminal is a pseudo terminal of some columns: the user's end and the
// program's.
func terminal(t *testing.T, columns uint16) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { user.Close() })
	if err := user.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Logf("reads are not bounded: %v", err)
	}
	fd := int(user.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return user, program
}

func TestReplayingFitsTheTerminal(t *testing.T) {
	long := strings.Repeat("long-", 20)
	for _, p := range []replayer.Progress{
		{},
		{Sent: 12_345, Skipped: 5, Achieved: 995.4, LagP99: 1234 * time.Microsecond},
		{Sent: 123_456_789, Achieved: 12_345, LagP99: 1234 * time.Microsecond},
	} {
		for _, most := range []bool{false, true} {
			got := replaying(long, p, 9_000_000, most)
			if n := len([]rune(got)); n > 79 && p.Sent < 100_000_000 {
				t.Errorf("%d columns: %s", n, got)
			}
		}
	}
	f := func(total uint64, most bool, want string) {
		t.Helper()
		p := replayer.Progress{Sent: 11_990, Failed: 12, Skipped: 10, Achieved: 1000, LagP99: 1234 * time.Microsecond}
		if got := replaying("monday", p, total, most); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f(40_000, false, "monday  12,000/40,000 30.00 %  1000/s  28s left  err 0.10 %  lag 1.23ms")
	f(0, true, "monday  12,000  1000/s  err 0.10 %  lag 1.23ms")
	f(12_000, false, "monday  12,000/12,000 100 %  1000/s  err 0.10 %  lag 1.23ms")
}

func TestRoutesThatFit(t *testing.T) {
	var pipe strings.Builder
	if got := routesThatFit(&pipe); got != pipeRoutes {
		t.Errorf("%d in a pipe", got)
	}
	_, program := terminal(t, 80) // of 24 lines
	if got := routesThatFit(program); got != fewRoutes {
		t.Errorf("%d on a terminal", got)
	}
}
