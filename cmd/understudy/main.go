// Command understudy rehearses an asynchronous system on the production
// traffic of the synchronous one that it is to replace: it records, replays,
// compares, and shows where the two differ.
//
// It is the only place that wires the parts together: one file per
// subcommand.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
)

func main() {
	ctx, stop := withSignals(context.Background(), os.Stderr)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code (see exit.go).
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	data := &dataWriter{w: out, stop: stop}
	a := newApp(in, data, errOut)
	defer a.logs.close()
	root := a.rootCommand(args)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if data.gone.Load() && (err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, context.Canceled)) {
		return exitPipe
	}
	return finish(err, a.logs)
}
