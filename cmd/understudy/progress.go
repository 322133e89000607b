package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"understudy.dev/comparator/report"
	"understudy.dev/replayer"
)

// statusLine shows one line that is rewritten in place while stop has not been
// called. It shows nothing unless w is a terminal: a pipe or a log file gets
// the summary only.
func statusLine(w io.Writer, line func() string) (stop func()) {
	width, ok := terminalWidth(w)
	if !ok {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			fmt.Fprint(w, "\r\x1b[K", clip(line(), width-1))
			select {
			case <-quit:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(quit); <-done }
}

// terminalWidth is the number of columns when w is a terminal.
func terminalWidth(w io.Writer) (int, bool) {
	fd := int(fdOf(w))
	if !term.IsTerminal(fd) {
		return 0, false
	}
	width, _, err := term.GetSize(fd)
	if err != nil || width < 20 {
		width = 80
	}
	return width, true
}

func onTerminal(w io.Writer) bool {
	_, ok := terminalWidth(w)
	return ok
}

// The routes that a page lists: each takes a line in two tables, and the rest of
// the page some more. Without a terminal nobody scrolls, but somebody reads.
const (
	fewRoutes  = 8
	pipeRoutes = 20
	manyRoutes = 100
)

// routesThatFit is how many routes a page lists on w.
func routesThatFit(w io.Writer) int {
	fd := int(fdOf(w))
	if !term.IsTerminal(fd) {
		return pipeRoutes
	}
	_, height, err := term.GetSize(fd)
	if err != nil || height <= 0 {
		height = 24
	}
	return min(max((height-8)/2, fewRoutes), manyRoutes)
}

func clip(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return strings.TrimRight(string(r[:width-1]), " ") + "…"
}

// headway is how far something is.
type headway struct {
	done, total uint64 // total is 0 while it is unknown
	most        bool   // total is a bound
	rate        float64
}

// left is how long the rest takes at the rate so far; 0 is unknown.
func (p headway) left() time.Duration {
	if p.rate <= 0 || p.total <= p.done {
		return 0
	}
	d := time.Duration(min(float64(p.total-p.done)/p.rate, 1e6) * float64(time.Second))
	return max(d.Round(time.Second), time.Second)
}

// String is "1,200/40,000 3.00 %  995/s  39s left".
func (p headway) String() string {
	s := report.Count(p.done)
	if p.total > 0 {
		bound := ""
		if p.most {
			bound = "≤"
		}
		s += fmt.Sprintf("/%s%s %s", bound, report.Count(p.total), report.Percent(min(p.done, p.total), p.total))
	}
	if p.rate > 0 {
		s += fmt.Sprintf("  %.0f/s", p.rate)
	}
	if left := p.left(); left > 0 {
		s += fmt.Sprintf("  %s left", short(left))
	}
	return s
}

// short leaves the seconds out of hours.
func short(d time.Duration) string {
	if d < time.Hour {
		return d.String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// every calls do at intervals until stop is called.
func every(interval time.Duration, do func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for pause(ctx, interval) {
			do()
		}
	})
	return func() { cancel(); running.Wait() }
}

// replaying is the status line of a replay. The name is cut, not the numbers:
// what matters fits into 80 columns.
func replaying(run string, p replayer.Progress, total uint64, most bool) string {
	at := headway{done: p.Sent + p.Skipped, total: total, most: most, rate: p.Achieved}
	rest := fmt.Sprintf("%s  err %s  lag %s", at, report.Percent(p.Failed, p.Sent), p.LagP99.Round(10*time.Microsecond))
	return clip(run, max(8, 77-len([]rune(rest)))) + "  " + rest
}
