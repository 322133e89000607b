package volume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/program"
	"understudy.dev/schemas/topic"
)

// binary is built for this test, so that it is never a stale one.
var binary string

func TestMain(m *testing.M) { os.Exit(program.Main(&binary, m.Run)) }

// number is a variable of the environment, or what it is without it.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number from 1", name, text)
	}
	return n
}

// place is a prefix of topics with a database of its own.
type place struct {
	at             embedded.Addresses
	prefix, target string
	conn           driver.Conn
}

func newPlace(t *testing.T, name string) place {
	t.Helper()
	at := embeddedtest.Start(t)
	p := place{at: at, prefix: name, target: "clickhouse://" + at.Native + "/" + name}
	cfg := clickhouse.Config{Address: p.target}
	if _, err := clickhouse.Migrate(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p.conn = conn
	return p
}

func (p place) names() topic.Names { return topic.NamesFor(p.prefix) }

// count is the one number that a query answers.
func (p place) count(t *testing.T, query string, args ...any) uint64 {
	t.Helper()
	var n uint64
	if err := p.conn.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	// peak is the most memory that it held, in bytes; 0 is unknown.
	peak int64
	out  string
}

func (c cost) String() string {
	return fmt.Sprintf("%s, %s of CPU, %d MiB at most", c.wall.Round(time.Millisecond), c.cpu.Round(time.Millisecond), c.peak>>20)
}

// understudy runs a command here. The rusage of a child would count the memory
// of this process, from which it was forked: the kernel's own mark of the child
// is read instead.
func (p place) understudy(t *testing.T, args ...string) (cost, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), "UNDERSTUDY_KAFKA="+p.at.Kafka, "UNDERSTUDY_PREFIX="+p.prefix, "UNDERSTUDY_CLICKHOUSE="+p.target)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var c cost
	for {
		select {
		case err := <-ended:
			c.wall, c.cpu, c.out = time.Since(began), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), out.String()
			if err != nil {
				err = fmt.Errorf("%v: %w\n%s", args, err, c.out)
			}
			return c, err
		case <-time.After(20 * time.Millisecond):
			c.peak = max(c.peak, peakOf(cmd.Process.Pid))
		}
	}
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peakOf is the most memory that a process has held, in bytes; 0 is unknown.
func peakOf(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	m := highWater.FindSubmatch(status)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return n << 10
}
