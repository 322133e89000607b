// Command understudy rehearses an asynchronous system on the production
// traffic of the synchronous one that it is to replace: it records, replays,
// compares, and shows where the two differ.
//
// It is the only place that wires the parts together: one file per
// subcommand.
package main

import (
	"context"
	"io"
	"os"
)

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
