package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Exit codes, a contract with scripts.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitThreshold  = 3
	exitDependency = 4
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

// finish prints err for a person and gives the exit code.
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
	fmt.Fprintf(w, "understudy: %v\n", err)
	return code
}
