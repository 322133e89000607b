package accuracy

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// inWorlds runs f for worlds of n pairs together, so many at once, each in a time
// of its own that takes no longer than the work in it: however busy the machine
// is, nothing comes late that was not meant to.
func inWorlds(t *testing.T, n, perWorld, atOnce int, each time.Duration, f func(t *testing.T, w *world)) {
	t.Helper()
	var running sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for seed := *seed; n > 0; seed++ {
		room <- struct{}{}
		size := make(chan int, 1)
		running.Go(func() {
			defer func() { <-room }()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(today))
				speed := []float64{5, 1, 20, 60}[seed%4]
				w := newWorld(seed, min(n, perWorld), speed, each, time.Now().Add(-asideBy).Truncate(time.Millisecond))
				size <- len(w.pairs)
				f(t, w)
			})
		})
		n -= <-size
	}
	running.Wait()
}

// today is when worlds begin: virtual time begins before most systems that make
// names out of it.
var today = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
