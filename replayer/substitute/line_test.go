package substitute_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/substitute"
)

// TestThoseWhoWaitedLeaveInTheirOrder, with the time between them that the
// schedule had; what waits for another answer holds nobody up.
func TestThoseWhoWaitedLeaveInTheirOrder(t *testing.T) {
	m := substitute.NewMemory("")
	order := m.Register(exchange(`s POST /orders {}`, `201 {"id":1700}`))
	never := m.Register(exchange(`s POST /carts {}`, `201 {"id":5200}`))
	due := time.Now().Add(-time.Second)
	const apart = 7 * time.Millisecond
	var mu sync.Mutex
	var left []int
	intended := make([]time.Time, 6)
	var wg sync.WaitGroup
	send := func(i int, x *substitute.Exchange) {
		wg.Go(func() {
			defer x.Settle()
			defer x.Leave()
			at, u := x.Wait(t.Context(), 10*time.Second, due.Add(time.Duration(i)*apart))
			if u != nil {
				t.Error(u)
				return
			}
			mu.Lock()
			left, intended[i] = append(left, i), at
			mu.Unlock()
		})
	}
	var requests []*substitute.Exchange
	for i := range 6 {
		request := fmt.Sprintf(`s PUT /orders/1700 {"v":%d}`, i)
		if i == 2 {
			request = `s PUT /orders/1700 {"cart_id":5200}`
		}
		requests = append(requests, m.Register(exchange(request, `200 {}`)))
	}
	for i, x := range requests[:5] {
		x.Join(due.Add(time.Duration(i) * apart))
	}
	for _, i := range []int{4, 0, 2, 3, 1} {
		send(i, requests[i])
	}
	before := time.Now()
	order.Learn(nil, response(`201 {"id":9100}`), timestamp.Frame{})
	for done := false; !done; time.Sleep(time.Millisecond) {
		mu.Lock()
		done = len(left) == 4
		mu.Unlock()
	}
	if want := []int{0, 1, 3, 4}; !slices.Equal(left, want) {
		t.Errorf("they left as %v, not as %v", left, want)
	}
	if intended[0].Before(before) {
		t.Error("the first is to be sent before the answer that it waited for")
	}
	for _, p := range [][2]int{{0, 1}, {1, 3}, {3, 4}} {
		if got, want := intended[p[1]].Sub(intended[p[0]]), time.Duration(p[1]-p[0])*apart; got != want {
			t.Errorf("%d is to be sent %v after %d, not %v", p[1], got, p[0], want)
		}
	}
	// One that comes later, when nothing is missing, is not sent before them.
	late := due.Add(5 * apart)
	if at, u := requests[5].Wait(t.Context(), time.Second, late); u != nil || at.Before(intended[4]) {
		t.Errorf("%v, %v before the one before it", u, intended[4].Sub(at))
	}
	never.Learn(nil, response(`201 {"id":7300}`), timestamp.Frame{})
	wg.Wait()
}

// TestAfterAStallASessionLeavesInItsOrder: what is overdue follows those of its
// session that are about to leave, for a while; others do not wait for it.
func TestAfterAStallASessionLeavesInItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := substitute.NewMemory("")
		due := time.Now()
		var requests []*substitute.Exchange
		for _, request := range []string{`s PUT /a {}`, `s PUT /b {}`, `s PUT /c {}`, `other PUT /d {}`} {
			x := m.Register(exchange(request, `200 {}`))
			x.Join(due)
			requests = append(requests, x)
		}
		time.Sleep(time.Second) // the replayer was held up
		var sent atomic.Int32
		for i := 3; i > 0; i-- {
			go func() {
				if at, u := requests[i].Wait(t.Context(), time.Minute, due); u != nil || !at.Equal(due) {
					t.Errorf("%v at %v: the lag is ours", u, at)
				}
				sent.Add(1 << i)
				requests[i].Leave()
			}()
		}
		for _, want := range []int32{1 << 3, 1<<3 | 1<<1 | 1<<2} { // before and after the first has left
			if synctest.Wait(); sent.Load() != want {
				t.Errorf("%b were sent, not %b", sent.Load(), want)
			}
			requests[0].Leave()
		}
	})
}
