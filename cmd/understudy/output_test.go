package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestMain makes the test binary the command itself for the tests that need a
// process of their own.
func TestMain(m *testing.M) {
	if os.Getenv("UNDERSTUDY_TEST_AS_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// command is a command line in a process of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), "UNDERSTUDY_TEST_AS_COMMAND=1")
	return c
}

// sluice is a writer that takes nothing until it is opened, or fails.
type sluice struct {
	mu   sync.Mutex
	open chan struct{}
	err  error
	got  bytes.Buffer
}

func (g *sluice) Write(p []byte) (int, error) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return 0, g.err
	}
	return g.got.Write(p)
}

func (g *sluice) fail(err error) { g.mu.Lock(); g.err = err; g.mu.Unlock() }

// TestLogNeverWaits: lines beyond the bound are dropped, counted, and told when
// the reader is back; the end does not wait for a reader that never comes back.
func TestLogNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &sluice{open: make(chan struct{})}
		told := uint64(0)
		w := newLogWriter(g, func(n uint64) { told += n })
		line := []byte(strings.Repeat("x", 1023) + "\n")
		_, _ = w.Write(line)
		synctest.Wait() // the writer hangs with this line
		for range 2 * logQueue / len(line) {
			_, _ = w.Write(line)
		}
		if got := w.dropped.Load(); got != uint64(logQueue/len(line)) {
			t.Errorf("%d lines dropped", got)
		}
		close(g.open)
		synctest.Wait()
		if told != w.dropped.Load() || g.got.Len() != logQueue+len(line) {
			t.Errorf("told of %d lines, %d bytes came", told, g.got.Len())
		}
		g.fail(syscall.EPIPE)
		_, _ = w.Write(line)
		synctest.Wait()
		g.fail(nil)
		_, _ = w.Write(line)
		synctest.Wait()
		if told != uint64(logQueue/len(line))+1 {
			t.Errorf("told of %d lines after a failed write", told)
		}
		w.close()
		if _, _ = w.Write(line); w.dropped.Load() != told+1 {
			t.Error("a line after the end is not counted")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := &sluice{open: make(chan struct{})}
		w := newLogWriter(g, func(uint64) {})
		_, _ = w.Write([]byte("x\n"))
		start := time.Now()
		if w.close(); time.Since(start) != logFlush {
			t.Errorf("closed after %s", time.Since(start))
		}
		close(g.open)
	})
}

// TestRecordOutlivesItsLog: neither a log that nobody reads nor one whose
// reader has died touches traffic or the end of the process.
func TestRecordOutlivesItsLog(t *testing.T) {
	kafka := broker(t)
	t.Setenv("UNDERSTUDY_KAFKA", kafka)
	if code, _, errOut := run1(t, "topics", "apply"); code != exitOK {
		t.Fatal(errOut)
	}
	f := func(spoil func(r, w *os.File)) {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		spoil(r, w)
		c := command(t, "record", "--listen", address, "--baseline", "http://127.0.0.1:1") // where nobody listens
		c.Stderr = w
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer c.Process.Kill()
		client := &http.Client{Timeout: 20 * time.Second}
		defer client.CloseIdleConnections()
		status := 0
		for until := time.Now().Add(20 * time.Second); status == 0 && time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
			if answer, err := client.Get("http://" + address + "/"); err == nil {
				status = answer.StatusCode
				answer.Body.Close()
			}
		}
		if status != http.StatusBadGateway {
			t.Fatalf("status %d", status)
		}
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Errorf("the end: %v", err)
		}
	}
	f(func(r, _ *os.File) { r.Close() })
	f(func(_, w *os.File) {
		_ = w.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := w.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	})
}

// TestGoneReaderOfDataEndsQuietly is understudy … | head.
func TestGoneReaderOfDataEndsQuietly(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var errOut bytes.Buffer
	c := command(t, "config", "reference")
	c.Stdout, c.Stderr = w, &errOut
	err = c.Run()
	if code := c.ProcessState.ExitCode(); code != exitPipe || errOut.Len() > 0 {
		t.Errorf("%v: %s", err, errOut.String())
	}
	// A failure that is not the reader's is told all the same.
	d := &dataWriter{w: failing{}, stop: func() { t.Error("stopped by another error") }}
	if _, err := fmt.Fprint(d, "x"); err == nil || d.gone.Load() {
		t.Errorf("%v, gone %t", err, d.gone.Load())
	}
}

type failing struct{ io.Writer }

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }
