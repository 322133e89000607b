package substitute

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// line are those who wait for the answer of one exchange, in the order of the
// schedule. They leave in that order: a user who had to wait does not change the
// order of what is done next.
type line struct {
	mu      sync.Mutex
	waiting []*waiter
	latest  *waiter // who left last
}

// waiter is one of them.
type waiter struct {
	sequence uint64
	due      time.Time
	makers   []*origin
	// intended is when it was to be sent, zero if it was not; it may be read once
	// left is closed, which says that it is gone.
	intended time.Time
	left     chan struct{}
	once     sync.Once
}

// isReady says whether all answers are there that it waits for.
func (w *waiter) isReady() bool {
	for _, o := range w.makers {
		select {
		case <-o.done:
		default:
			return false
		}
	}
	return true
}

func (l *line) join(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, has := slices.BinarySearchFunc(l.waiting, w, func(a, b *waiter) int { return cmp.Compare(a.sequence, b.sequence) })
	if !has {
		l.waiting = slices.Insert(l.waiting, at, w)
	}
}

func (l *line) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, w); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	if !w.intended.IsZero() && (l.latest == nil || w.sequence > l.latest.sequence) {
		l.latest = w
	}
}

// ahead is who must leave before w: the nearest before it that waits for nothing
// else, or who left last.
func (l *line) ahead(w *waiter) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.waiting) - 1; i >= 0; i-- {
		if other := l.waiting[i]; other.sequence < w.sequence && other.isReady() {
			return other
		}
	}
	if l.latest != nil && l.latest.sequence < w.sequence {
		return l.latest
	}
	return nil
}

// join takes the exchange's place in the lines of those that it waits for.
func (x *Exchange) join(due time.Time) {
	var all []*origin
	for _, n := range x.needs {
		for _, e := range n.made {
			all = append(all, e.by)
		}
	}
	for _, v := range x.tags {
		all = append(all, v.by)
	}
	if len(all) == 0 {
		return
	}
	x.waiter = &waiter{sequence: x.origin.sequence, due: due, makers: all, left: make(chan struct{})}
	for _, o := range all {
		o.line.join(x.waiter)
	}
}

// turn waits until those ahead have left, and says when the request is to be
// sent: not before the answer that it waited for, nor before them. Between those
// who were held up the time is that between them in the schedule.
func (x *Exchange) turn(ctx context.Context, limit time.Duration, answered time.Time) (intended time.Time) {
	w := x.waiter
	if w == nil {
		return answered
	}
	intended = w.due
	if answered.After(intended) {
		intended = answered
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for _, o := range w.makers {
		before := o.line.ahead(w)
		if before == nil {
			continue
		}
		select {
		case <-before.left:
		case <-timer.C:
			return intended
		case <-ctx.Done():
			return intended
		}
		if before.intended.IsZero() {
			continue // it was not sent
		}
		earliest := before.intended
		if !w.due.After(answered) {
			earliest = earliest.Add(max(0, w.due.Sub(before.due)))
		}
		if earliest.After(intended) {
			intended = earliest
		}
	}
	w.intended = intended
	return intended
}

// Leave says that the request was sent, or that it will not be: those behind it
// may go on. One that is answered or settled has left.
func (x *Exchange) Leave() {
	if x == nil || x.waiter == nil {
		return
	}
	w := x.waiter
	w.once.Do(func() {
		for _, o := range w.makers {
			o.line.leave(w)
		}
		w.makers = nil
		close(w.left)
	})
}
