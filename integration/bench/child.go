package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is a process that a measurement runs beside itself.
type child struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
}

// startRole starts this program in a role, pinned to one core.
func startRole(ctx context.Context, core int, role string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, core, self, append([]string{"role", role}, args...)...)
}

// start runs a command pinned to a core (-1: not pinned); it dies with us.
func start(ctx context.Context, core int, path string, args ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startPinned(cmd, core); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &child{cmd: cmd, stdout: bufio.NewReader(out)}, nil
}

// startPinned sets the affinity of the calling thread around the fork, which
// the child inherits before its first instruction.
func startPinned(cmd *exec.Cmd, core int) error {
	if core < 0 {
		return cmd.Start()
	}
	done := make(chan error)
	go func() {
		// The thread is not unlocked, so it ends with this goroutine and its
		// affinity with it. Pdeathsig is the reason why it must not end
		// before the child does.
		lockThread()
		var set unix.CPUSet
		set.Set(core)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			done <- err
			return
		}
		done <- cmd.Start()
		select {}
	}()
	return <-done
}

// line reads one line of the child's standard output.
func (c *child) line() (string, error) {
	s, err := c.stdout.ReadString('\n')
	return strings.TrimSpace(s), err
}

// stop asks the child to end and waits for it.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, c.stdout)
	_ = c.cmd.Wait()
}

// cpu is the CPU time that the process has used, in seconds, from
// /proc/PID/stat (clock ticks of 10 ms).
func (c *child) cpu() (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The second field is the command in parentheses and may hold blanks.
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+2:]))
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("unreadable stat %q", raw)
	}
	return (user + system) / 100, nil
}

// freeAddress finds a loopback address nobody listens on.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// waitFor dials until something listens.
func waitFor(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nothing listens on %s: %w", address, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
