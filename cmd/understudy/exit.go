package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"understudy.dev/setting/source"
)

// Exit codes, a contract with scripts.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitThreshold  = 3
	exitDependency = 4
	exitHold       = 5        // of gate --detailed-exit-code
	exitPipe       = 128 + 13 // nobody reads standard output any more, as a shell says SIGPIPE
)

// codedError carries the exit code that an error asks for.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// usagef is a mistake in what the person typed or configured.
func usagef(format string, args ...any) error {
	return &codedError{exitUsage, fmt.Errorf(format, args...)}
}

// usage is err as a mistake in what the person typed or configured.
func usage(err error) error { return coded(exitUsage, err) }

// threshold is a result that is worse than what was allowed.
func threshold(err error) error { return coded(exitThreshold, err) }

// dependency is a system we need and cannot use.
func dependency(err error) error { return coded(exitDependency, err) }

func coded(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code, err}
}

// finish prints err and returns the exit code.
func finish(err error, w io.Writer) int {
	if err == nil {
		return exitOK
	}
	var c *codedError
	code := exitFailed
	if errors.As(err, &c) {
		code = c.code
	}
	if errors.Is(err, context.Canceled) && (code == exitFailed || code == exitDependency) {
		fmt.Fprintln(w, "understudy: interrupted")
		return exitFailed
	}
	if mistakes := source.Of(err); mistakes != nil {
		tell(mistakes, w)
		return code
	}
	fmt.Fprintf(w, "understudy: %v\n", err)
	return code
}

// tell prints each mistake; those in a file begin with its place, as editors
// understand it.
func tell(mistakes source.Mistakes, w io.Writer) {
	for _, m := range mistakes {
		if m.From.Kind == source.File {
			fmt.Fprintln(w, m)
		} else {
			fmt.Fprintf(w, "understudy: %v\n", m)
		}
	}
}
