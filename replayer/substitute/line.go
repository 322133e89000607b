package substitute

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// line are those who wait for the answer of one exchange, or to be sent in one
// session, in the order of the schedule. They leave in that order: a user who had
// to wait does not change the order of what is done next.
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

// Join takes the exchange's place in the lines of its session and of those that
// it waits for, before others that come later do. due is when the request is due.
func (x *Exchange) Join(due time.Time) {
	if x == nil || x.waiter != nil {
		return
	}
	w := &waiter{sequence: x.origin.sequence, due: due, left: make(chan struct{})}
	for _, n := range x.needs {
		for _, e := range n.made {
			w.makers = append(w.makers, e.by)
		}
	}
	for _, v := range x.tags {
		w.makers = append(w.makers, v.by)
	}
	x.waiter = w
	for _, o := range w.makers {
		o.line.join(w)
	}
	if x.session.key != "" {
		x.session.line.join(w)
	}
}

const (
	// behind is how late a request is from when on others of its session may be
	// late too, and all would leave at once.
	behind = time.Millisecond
	// maxBehind bounds the wait for one that is about to leave.
	maxBehind = 100 * time.Millisecond
)

// turn waits until those ahead have left, and says when the request is to be
// sent: not before the answer that it waited for, nor before those who waited for
// it too. Between those the time is that between them in the schedule.
func (x *Exchange) turn(ctx context.Context, limit time.Duration, answered time.Time) (intended time.Time) {
	w := x.waiter
	intended = w.due
	if answered.After(intended) {
		intended = answered
	}
	wait := func(before *waiter, limit time.Duration) (left bool) {
		if before == nil {
			return false
		}
		select {
		case <-before.left:
			return true
		default:
		}
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-before.left:
			return true
		case <-timer.C:
		case <-ctx.Done():
		}
		return false
	}
	for _, o := range w.makers {
		before := o.line.ahead(w)
		if !wait(before, limit) || before.intended.IsZero() {
			continue
		}
		earliest := before.intended
		if !w.due.After(answered) {
			earliest = earliest.Add(max(0, w.due.Sub(before.due)))
		}
		if earliest.After(intended) {
			intended = earliest
		}
	}
	if time.Since(w.due) > behind && x.session.key != "" {
		wait(x.session.line.ahead(w), maxBehind)
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
		if x.session.key != "" {
			x.session.line.leave(w)
		}
		w.makers = nil
		close(w.left)
	})
}
