package embedded

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		// Full from the 10th to the 50th second.
		space := func(string) (uint64, error) {
			if s := time.Since(begin); s >= 10*time.Second && s < 50*time.Second {
				return 7, nil
			}
			return 1 << 30, nil
		}
		go watchDisk(ctx, "/data", space, slog.New(slog.NewTextHandler(&out, nil)))
		time.Sleep(9 * time.Second)
		if synctest.Wait(); out.Len() > 0 {
			t.Errorf("said too early: %s", out.String())
		}
		time.Sleep(5 * time.Second)
		if synctest.Wait(); strings.Count(out.String(), "the disk is full") != 1 || !strings.Contains(out.String(), "folder=/data free_bytes=7") {
			t.Errorf("said: %s", out.String())
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if got := out.String(); strings.Count(got, "the disk is full") != 2 || strings.Count(got, "space again") != 1 {
			t.Errorf("said: %s", got)
		}
		cancel()
	})
}
