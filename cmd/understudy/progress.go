package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/term"
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

func clip(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return strings.TrimRight(string(r[:width-1]), " ") + "…"
}
