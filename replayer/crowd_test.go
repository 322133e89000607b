package replayer

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestBackoff falls by its share when answers fail or take twice as long, rises by
// one when all are busy, and stays within its bounds.
func TestBackoff(t *testing.T) {
	b := &backoff{limit: 10, most: 12}
	now := time.Unix(0, 0)
	window := func(failed int, latency time.Duration, full bool) float64 {
		b.full = full
		for i := 0; i == 0 || b.ended != 0; i++ {
			now = now.Add(60 * time.Millisecond)
			b.end(now, i < failed, latency)
		}
		return b.limit
	}
	const ms = time.Millisecond
	for i, x := range []struct {
		failed  int
		latency time.Duration
		full    bool
		want    float64
	}{
		{0, 10 * ms, true, 11}, {0, 10 * ms, false, 11}, {0, 20 * ms, true, 12}, {0, 10 * ms, true, 12},
		{0, 21 * ms, true, 12 * 0.7}, {2, 10 * ms, true, 12 * 0.7 * 0.7}, {0, 10 * ms, true, 12*0.7*0.7 + 1},
	} {
		if got := window(x.failed, x.latency, x.full); got < x.want-1e-9 || got > x.want+1e-9 {
			t.Errorf("after window %d the limit is %g, want %g", i, got, x.want)
		}
	}
	if b.backoffs != 2 {
		t.Errorf("%d backoffs", b.backoffs)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		now = now.Add(time.Duration(random.Int64N(int64(200 * ms))))
		b.full = random.IntN(2) == 0
		if b.end(now, random.IntN(15) == 0, time.Duration(random.Int64N(int64(100*ms)))); b.limit < 1 || b.limit > 12 {
			t.Fatalf("the limit is %g", b.limit)
		}
	}
}

// TestACandidateThatSuffersIsSpared, exactly, in virtual time: none fails with up to
// 5 requests under way, all of those beyond.
func TestACandidateThatSuffersIsSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLoad()
		l.Mode, l.Users = ModeAdaptive, 20
		c := newCrowd(l, 100)
		e := &understudyv1.Exchange{Response: &understudyv1.Response{Status: 200}}
		var mu sync.Mutex // of busy
		busy, most := 0, 0
		var trail []int
		begin := time.Now()
		for time.Since(begin) < time.Minute {
			if _, ok := c.take(t.Context()); !ok {
				t.Fatal("no place")
			}
			mu.Lock()
			busy++
			status := uint32(200)
			if busy > 5 {
				status = 503
			}
			if time.Since(begin) > 30*time.Second {
				most = max(most, busy)
			}
			mu.Unlock()
			go func() {
				time.Sleep(100 * time.Millisecond)
				mu.Lock()
				busy--
				mu.Unlock()
				c.saw(time.Now(), &understudyv1.Observation{Ack: &understudyv1.Response{Status: status}, AckServiceNano: int64(100 * time.Millisecond)}, e)
				c.give()
			}()
			users, _ := c.state()
			if len(trail) == 0 || trail[len(trail)-1] != int(users) {
				trail = append(trail, int(users))
			}
		}
		time.Sleep(time.Second)
		if users, n := c.state(); users > 6 || n < 4 || most > 6 || most < 5 {
			t.Errorf("%d users after %d backoffs (%v), %d at once", users, n, trail, most)
		}
	})
}

// TestAClosedCrowd is never larger than said, and comes back.
func TestAClosedCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLoad()
		l.Mode, l.Users = ModeClosed, 3
		c := newCrowd(l, 100)
		begin := time.Now()
		for i := range 10 {
			if _, ok := c.take(t.Context()); !ok {
				t.Fatal("no place")
			}
			if want := time.Duration(i/3) * time.Second; time.Since(begin) != want {
				t.Errorf("request %d leaves after %s, want %s", i, time.Since(begin), want)
			}
			go func() { time.Sleep(time.Second); c.give() }()
		}
		time.Sleep(2 * time.Second)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.busy != 0 {
			t.Errorf("%d are busy", c.busy)
		}
	})
}
