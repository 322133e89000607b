package stream

import (
	"context"
	"time"
)

// sleep waits for d; it returns early, with ctx's error, if ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
