package secrets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"understudy.dev/integration/program"
)

// binary is built for this test, so that it is never a stale one.
var binary string

func TestMain(m *testing.M) { os.Exit(program.Main(&binary, m.Run)) }

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// shell runs commands and keeps what they say.
type shell struct {
	env []string
	mu  sync.Mutex
	out bytes.Buffer
}

func (s *shell) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *shell) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func (s *shell) command(args ...string) *exec.Cmd {
	c := exec.Command(binary, args...)
	c.Env = append(os.Environ(), s.env...)
	return c
}

// run runs a command to its end, which must have one of the exit codes.
func (s *shell) run(t *testing.T, codes string, args ...string) string {
	t.Helper()
	c := s.command(args...)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = io.MultiWriter(&out, s), io.MultiWriter(&errOut, s)
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || !strings.Contains(codes, fmt.Sprint(c.ProcessState.ExitCode())) {
		t.Fatalf("%v: %v\n%s\n%s", args, err, errOut.String(), out.String())
	}
	return out.String()
}

// start starts a command and waits until it says a word; stop ends it.
func (s *shell) start(t *testing.T, word string, args ...string) (stop func()) {
	t.Helper()
	c := s.command(args...)
	r, w := io.Pipe()
	c.Stdout, c.Stderr = w, w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan bool, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			fmt.Fprintln(s, lines.Text())
			if strings.Contains(lines.Text(), word) {
				select {
				case ready <- true:
				default:
				}
			}
		}
		close(ready)
	}()
	ended := make(chan error, 1)
	go func() { err := c.Wait(); w.Close(); ended <- err }()
	stop = sync.OnceFunc(func() {
		_ = c.Process.Signal(syscall.SIGINT)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = c.Process.Kill()
			<-ended
		}
		<-read
	})
	t.Cleanup(stop)
	select {
	case ok := <-ready:
		if !ok {
			if os.Getenv("CI") != "true" && strings.Contains(s.text(), "engine") && args[0] == "dev" {
				t.Skipf("SKIP: no embedded platform:\n%s", s.text())
			}
			t.Fatalf("%v ended before it was ready:\n%s", args, s.text())
		}
	case <-time.After(5 * time.Minute):
		t.Fatalf("%v: not ready:\n%s", args, s.text())
	}
	return stop
}
