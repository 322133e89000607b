package target

import (
	"slices"
	"sync"
	"time"
)

// Order watches in which order the asynchronous requests of each session
// complete. Only what is proved counts: that an earlier request was still
// unfinished after a later one was seen complete.
type Order struct {
	tolerance time.Duration
	mu        sync.Mutex
	sessions  map[string][]*Operation
}

// NewOrder makes a watch. tolerance is the least time by which an earlier
// callback must come after a later one to count.
func NewOrder(tolerance time.Duration) *Order {
	return &Order{tolerance: tolerance, sessions: map[string][]*Operation{}}
}

// Operation is one request of a session.
type Operation struct {
	order   *Order
	session string
	id      string
	ended   int64 // in the recording, nanoseconds
	decided chan struct{}
	once    sync.Once

	// Under order.mu.
	prior       []*Operation // unsettled when this one was sent, finished before it in the recording
	completed   time.Time
	lastPending time.Time
	polled      bool
}

// Begin enters a request that is about to be sent. began and ended are when
// the baseline got and had answered it, nanoseconds.
func (o *Order) Begin(session, id string, began, ended int64) *Operation {
	op := &Operation{order: o, session: session, id: id, ended: ended, decided: make(chan struct{})}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.sessions[session] {
		if len(op.prior) == maxPrior {
			break
		}
		if e.ended <= began && !e.settled() {
			op.prior = append(op.prior, e)
		}
	}
	o.sessions[session] = append(o.sessions[session], op)
	return op
}

// pendingAt notes that a poll sent at t answered "not yet".
func (op *Operation) pendingAt(t time.Time) {
	if op == nil {
		return
	}
	op.order.mu.Lock()
	defer op.order.mu.Unlock()
	op.lastPending, op.polled = t, true
}

func (op *Operation) end(completed bool) { op.endAt(time.Now(), completed) }

// endAt settles the operation: completed at t, or never.
func (op *Operation) endAt(t time.Time, completed bool) {
	if op == nil {
		return
	}
	op.once.Do(func() {
		op.order.mu.Lock()
		if completed {
			op.completed = t
		}
		op.order.mu.Unlock()
		close(op.decided)
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
func (op *Operation) Overtook(cancel <-chan struct{}) []string {
	op.order.mu.Lock()
	prior, completed := op.prior, !op.completed.IsZero()
	op.order.mu.Unlock()
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
		if len(out) < maxOvertook && op.overtook(earlier) {
			out = append(out, earlier.id)
		}
	}
	return out
}

func (op *Operation) overtook(earlier *Operation) bool {
	op.order.mu.Lock()
	defer op.order.mu.Unlock()
	switch {
	case earlier.completed.IsZero(): // lost, refused: that is its own verdict
		return false
	case earlier.polled:
		return earlier.lastPending.After(op.completed)
	}
	return earlier.completed.After(op.completed.Add(op.order.tolerance))
}

// Forget ends the watch over a request whose record is closed.
func (op *Operation) Forget() {
	op.end(false)
	op.order.mu.Lock()
	defer op.order.mu.Unlock()
	op.prior = nil
	ops := slices.DeleteFunc(op.order.sessions[op.session], func(o *Operation) bool { return o == op })
	if len(ops) == 0 {
		delete(op.order.sessions, op.session)
	} else {
		op.order.sessions[op.session] = ops
	}
}

func (op *Operation) settled() bool {
	select {
	case <-op.decided:
		return true
	default:
		return false
	}
}
