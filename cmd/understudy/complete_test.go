package main

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func completions(t *testing.T, args ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), append([]string{cobra.ShellCompRequestCmd}, args...), nil, &out, &bytes.Buffer{}); code != exitOK {
		t.Fatalf("%q: exit %d", args, code)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[:len(lines)-1] // the last one is the directive
}

func TestCompleteEnumerations(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if got := strings.Join(completions(t, args...), " "); got != want {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
	}
	f("debug info warn error", "record", "--log-level", "")
	f("snappy lz4 zstd none", "record", "--compression", "")
	f("auto response poll long_poll sse callback topic", "replay", "--completion", "")
	f("none acknowledged completed", "replay", "--order=")
	f("table json", "demo", "-o", "")
}

// TestEnumerationsAreCompleted: a flag whose help lists words to choose from
// completes them.
func TestEnumerationsAreCompleted(t *testing.T) {
	a := newApp(nil, &bytes.Buffer{}, &bytes.Buffer{})
	root := a.rootCommand(nil)
	var walk func(c *cobra.Command)
	seen := 0
	walk = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if slices.Contains([]string{"log-level", "log-format", "compression", "completion", "output"}, f.Name) {
				seen++
				if _, ok := c.GetFlagCompletionFunc(f.Name); !ok {
					t.Errorf("%s --%s is not completed", c.CommandPath(), f.Name)
				}
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	if seen < 7 {
		t.Errorf("saw only %d flags", seen)
	}
}

// TestCompletionOfABrokenConfiguration: what was read of a file with mistakes
// may name another ClickHouse than the user means.
func TestCompletionOfABrokenConfiguration(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	asked := make(chan struct{}, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked <- struct{}{}
			conn.Close()
		}
	}()
	f := func(want bool, args ...string) {
		t.Helper()
		completions(t, args...)
		got := len(asked) > 0
		for len(asked) > 0 {
			<-asked
		}
		if got != want {
			t.Errorf("%q: ClickHouse was asked: %v, want %v", args, got, want)
		}
	}
	address := "clickhouse:\n  address: " + listener.Addr().String() + "\n"
	good, bad := writeFile(t, address), writeFile(t, address+"  nonsense: x\n")
	f(true, "report", "--config", good, "")
	f(false, "report", "--config", bad, "")
	f(true, "record", "--config", good, "--route", "")
	f(false, "record", "--config", bad, "--route", "")
	f(false, "report", "--clickhouse", listener.Addr().String(), "--config", good+".missing", "")
	if got := completions(t, "report", "--config", bad, "--log-level", "de"); !slices.Contains(got, "debug") {
		t.Errorf("completed %q beside a broken configuration", got)
	}
	t.Setenv("UNDERSTUDY_SPEED", "x") // a flag of another command
	f(false, "report", "--config", good, "")
}

// TestCompletionWithoutClickHouse offers nothing and takes no longer than a
// person waits.
func TestCompletionWithoutClickHouse(t *testing.T) {
	if got := completions(t, "report", "--clickhouse", "127.0.0.1:1", ""); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
