package target

import (
	"slices"
	"sync"
	"time"
)

// Order watches in which order the asynchronous requests of each session
// complete. Only what is proved counts: that an earlier request was still
// unfinished after a later one was seen complete. What had not been acknowledged
// when the later one was sent cannot be overtaken: the candidate may not have
// known of it.
type Order struct {
	tolerance time.Duration
	// delay is how much later than it happened something may have been noticed
	// between two moments; nil is not at all.
	delay    func(a, b time.Time) time.Duration
	mu       sync.Mutex
	sessions map[string][]*Turn
}

// NewOrder makes a watch. tolerance is the least time by which an earlier
// callback must come after a later one to count, beside the time by which the
// process of c may have noticed it late. c may be nil.
func NewOrder(tolerance time.Duration, c *Client) *Order {
	o := &Order{tolerance: tolerance, sessions: map[string][]*Turn{}}
	if c != nil {
		o.delay = c.stalls.delay
	}
	return o
}

// Turn is one request of a session.
type Turn struct {
	order   *Order
	session string
	id      string
	ended   int64 // in the recording, nanoseconds
	decided chan struct{}
	once    sync.Once

	// Under order.mu.
	prior       []*Turn // unsettled when this one was sent, finished before it in the recording
	isAcked     bool
	completed   time.Time
	place       place // of what completed it
	lastPending time.Time
	polled      bool
}

// Begin enters a request that is about to be sent. began and ended are when
// the baseline got and had answered it, nanoseconds.
func (o *Order) Begin(session, id string, began, ended int64) *Turn {
	t := &Turn{order: o, session: session, id: id, ended: ended, decided: make(chan struct{})}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.sessions[session] {
		if len(t.prior) == maxPrior {
			break
		}
		if e.ended <= began && e.isAcked && !e.settled() {
			t.prior = append(t.prior, e)
		}
	}
	o.sessions[session] = append(o.sessions[session], t)
	return t
}

// pendingAt notes that a poll sent at that moment answered "not yet".
func (t *Turn) pendingAt(at time.Time) {
	if t == nil {
		return
	}
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	t.lastPending, t.polled = at, true
}

// acknowledged notes that the candidate has answered: from now on it knows of
// the request.
func (t *Turn) acknowledged() {
	if t == nil {
		return
	}
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	t.isAcked = true
}

func (t *Turn) end(completed bool) { t.endAt(time.Now(), place{}, completed) }

// endAt settles the operation: completed at that moment, by what stands at that
// place of a topic, if any, or never.
func (t *Turn) endAt(at time.Time, by place, completed bool) {
	if t == nil {
		return
	}
	t.once.Do(func() {
		t.order.mu.Lock()
		if completed {
			t.completed, t.place = at, by
		}
		t.order.mu.Unlock()
		close(t.decided)
	})
}

// maxOvertook bounds the evidence that is kept, maxPrior the requests that it
// is looked for in.
const (
	maxOvertook = 8
	maxPrior    = 64
)

// Overtook waits until every earlier request of the session that the baseline
// had finished before this one began is settled, and returns the ids of those
// that were proved unfinished when this one completed. cancel ends the wait
// without a result.
func (t *Turn) Overtook(cancel <-chan struct{}) []string {
	t.order.mu.Lock()
	prior, completed := t.prior, !t.completed.IsZero()
	t.order.mu.Unlock()
	if !completed {
		return nil
	}
	var out []string
	for _, earlier := range prior {
		select {
		case <-earlier.decided:
		case <-cancel:
			return nil
		}
		if len(out) < maxOvertook && t.overtook(earlier) {
			out = append(out, earlier.id)
		}
	}
	return out
}

func (t *Turn) overtook(earlier *Turn) bool {
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	switch {
	case earlier.completed.IsZero(): // lost, refused: that is its own verdict
		return false
	case earlier.polled:
		return earlier.lastPending.After(t.completed)
	case t.place.topic != "" && t.place.topic == earlier.place.topic && t.place.partition == earlier.place.partition:
		return earlier.place.offset > t.place.offset
	}
	need := t.order.tolerance
	if t.order.delay != nil {
		need += t.order.delay(t.completed, earlier.completed)
	}
	return earlier.completed.Sub(t.completed) > need
}

// Forget ends the watch over a request whose record is closed.
func (t *Turn) Forget() {
	t.end(false)
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	t.prior = nil
	ops := slices.DeleteFunc(t.order.sessions[t.session], func(o *Turn) bool { return o == t })
	if len(ops) == 0 {
		delete(t.order.sessions, t.session)
	} else {
		t.order.sessions[t.session] = ops
	}
}

func (t *Turn) settled() bool {
	select {
	case <-t.decided:
		return true
	default:
		return false
	}
}
