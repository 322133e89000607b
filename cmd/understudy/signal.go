package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// insist is how long after the first signal a second one counts as the same
// request: GNU timeout and some terminals send theirs twice, to the process and
// to its group.
const insist = time.Second

// withSignals cancels the context at the first SIGINT, SIGTERM or SIGHUP, so
// that work under way is finished in order; one that comes a second later or
// more ends the process at once, and one that comes sooner is reported as not
// counted. Under nohup SIGHUP stays ignored.
func withSignals(parent context.Context, errOut io.Writer) (context.Context, func()) {
	wanted := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		wanted = append(wanted, syscall.SIGHUP)
	}
	// Otherwise the first log line after the death of whoever reads standard
	// error (2>&1 | logger) ends the process. Nobody needs to receive it: the
	// write fails, which logWriter counts and dataWriter takes for the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, wanted...)
	ctx, stop := stopAtSignal(parent, signals, errOut, os.Exit)
	return ctx, func() { signal.Stop(signals); stop() }
}

// stopAtSignal is withSignals without the operating system.
func stopAtSignal(parent context.Context, signals <-chan os.Signal, errOut io.Writer, exit func(int)) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	quit := make(chan struct{})
	go func() {
		var first time.Time
		said := false
		for {
			select {
			case <-quit:
				return
			case s := <-signals:
				switch {
				case first.IsZero():
					first = time.Now()
					cancel()
				case time.Since(first) >= insist:
					sayWithin(insist, errOut, fmt.Sprintf("understudy: second %s: leaving at once; what was under way is not accounted for\n", s))
					exit(128 + int(s.(syscall.Signal)))
				case !said:
					said = true
					sayWithin(insist, errOut, fmt.Sprintf("understudy: %s within %s of the first signal is not counted; the next one after that exits at once\n", s, insist))
				}
			}
		}
	}()
	return ctx, func() { close(quit); cancel() }
}

// errNothingLeft is the cause of a context that ends because the work is done.
var errNothingLeft = errors.New("nothing is left to do")

// sayWithin gives up when whoever reads w does not take it in time.
func sayWithin(limit time.Duration, w io.Writer, text string) {
	said := make(chan struct{})
	go func() { defer close(said); _, _ = io.WriteString(w, text) }()
	select {
	case <-said:
	case <-time.After(limit):
	}
}

// sayWhenStopped prints what the command is still waiting for once it has been
// told to stop from outside. The function it returns is called when there is
// nothing left to wait for.
func (a *app) sayWhenStopped(ctx context.Context, waitsFor string) (done func()) {
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), errNothingLeft) {
			return
		}
		clear := ""
		if _, terminal := terminalWidth(a.errOut); terminal {
			clear = "\r\x1b[K" // a status line may stand there
		}
		fmt.Fprintf(a.logs, "%sunderstudy: stopping; waiting for %s (signal again to leave at once)\n", clear, waitsFor)
	})
	return func() { stop() }
}
