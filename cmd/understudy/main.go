// Command understudy rehearses an asynchronous system on the production
// traffic of the synchronous one that it is to replace: it records, replays,
// compares, and shows where the two differ.
//
// It is the only place that wires the parts together: one file per
// subcommand.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := withSignals(context.Background(), os.Stderr)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code (see exit.go).
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := newApp(in, out, errOut)
	root := a.rootCommand(args)
	root.SetArgs(args)
	return finish(root.ExecuteContext(ctx), errOut)
}

// withSignals cancels the context at the first SIGINT or SIGTERM, so that work
// in flight is finished in order; the second one ends the process at once.
func withSignals(parent context.Context, errOut io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel()
		s, ok := <-signals
		if !ok {
			return
		}
		fmt.Fprintf(errOut, "understudy: second %s: leaving at once; what was in flight is not accounted for\n", s)
		os.Exit(128 + int(s.(syscall.Signal)))
	}()
	return ctx, func() { signal.Stop(signals); close(signals); cancel() }
}
