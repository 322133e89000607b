package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSecondSignal: what comes within a second of the first signal is the same
// wish again; what comes later is a new one.
func TestSecondSignal(t *testing.T) {
	f := func(gap time.Duration, second syscall.Signal, wantExit int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			signals, code := make(chan os.Signal, 2), -1
			var out bytes.Buffer
			ctx, stop := stopAtSignal(t.Context(), signals, &out, func(c int) { code = c })
			defer stop()
			if synctest.Wait(); ctx.Err() != nil {
				t.Fatal("stopped without a signal")
			}
			signals <- syscall.SIGTERM
			if synctest.Wait(); ctx.Err() != context.Canceled {
				t.Error("the first signal does not stop the command")
			}
			time.Sleep(gap)
			signals <- second
			if synctest.Wait(); code != wantExit {
				t.Errorf("%s after %s: exit %d, want %d", second, gap, code, wantExit)
			}
			want := "second " + second.String()
			if wantExit < 0 {
				want = second.String() + " within 1s of the first signal is not counted; the next one after that exits at once\n"
				signals <- second // once is enough
				synctest.Wait()
			}
			if strings.Count(out.String(), want) != 1 || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("said %q, want %q", out.String(), want)
			}
		})
	}
	f(0, syscall.SIGTERM, -1)
	f(999*time.Millisecond, syscall.SIGINT, -1)
	f(time.Second, syscall.SIGTERM, 143)
	f(time.Minute, syscall.SIGINT, 130)
	f(time.Minute, syscall.SIGHUP, 129)
}

// TestHangUpIsAStop sends this process what a closed terminal sends.
func TestHangUpIsAStop(t *testing.T) {
	ctx, stop := withSignals(t.Context(), &bytes.Buffer{})
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Error("SIGHUP does not stop the command")
	}
}

func TestSayWhenStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errOut bytes.Buffer
		a := newApp(nil, nil, &errOut)
		defer a.logs.close()
		ctx, cancel := context.WithCancel(t.Context())
		a.sayWhenStopped(ctx, "nothing any more")()
		defer a.sayWhenStopped(ctx, "the requests under way")()
		done, end := context.WithCancelCause(t.Context())
		defer a.sayWhenStopped(done, "what nobody stopped")()
		end(errNothingLeft)
		cancel()
		synctest.Wait()
		if got, want := errOut.String(), "understudy: stopping; waiting for the requests under way (signal again to leave at once)\n"; got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	})
}
