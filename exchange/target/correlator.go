package target

import (
	"slices"
	"sync"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// correlator hands what is delivered, by callback or on a topic, to the request
// that waits for it, and knows for which request it was when nobody waits any
// more. A key is what a delivery is known by: a path, or an identifier within
// its topic.
type correlator struct {
	// orphan is called for each delivery that no request takes, and dropped for
	// one that a request takes no more of.
	orphan func(call)

	mu      sync.Mutex
	waiting map[string]expected
	// unkeyed are the requests that have been sent and whose key their
	// acknowledgement will tell; early is what came meanwhile with an unknown
	// key, in the order in which it came.
	unkeyed    map[*waiter]bool
	early      []earlyCall
	earlyBytes int64
	begun      uint64
	// past are the keys of waits that have ended, the latest maxPast.
	past  map[string]ending
	order []string
}

// expected is for whom a key stands and what a delivery with it is.
type expected struct {
	*waiter
	kind kind
}

// kind says what a delivery is by where it came.
type kind int

const (
	anyKind kind = iota
	isSuccess
	isFailure
	isProgress
)

// waiter is a request that waits for deliveries.
type waiter struct {
	// id is that of its exchange.
	id    string
	keys  []string
	begun uint64
	calls chan call
	// signed is what its callbacks are signed with; nil is nothing.
	signed *signature
}

// call is one delivery.
type call struct {
	answer *understudyv1.Response
	at     time.Time
	kind   kind
	// place is where it stands in a topic, which proves what came before what.
	place  place
	orphan *understudyv1.Orphan // what it is if nobody takes it
}

// place is a record's in its topic; without a topic there is none.
type place struct {
	topic     string
	partition int32
	offset    int64
}

type earlyCall struct {
	key    string
	before uint64 // it may be for a request that had begun before
	call
}

// ending is whose wait has ended, and how.
type ending struct{ id, after string }

const (
	// maxCalls bounds the deliveries to one request that wait to be looked at.
	maxCalls = 64
	// maxEarly and maxEarlyBytes bound those that wait for their request's key.
	maxEarly      = 4096
	maxEarlyBytes = 64 << 20
	// maxPast bounds the ended waits that a late delivery is told from.
	maxPast = 1 << 16
)

// What became of a delivery.
type fate int

const (
	taken fate = iota
	tooMany
	nobodys
)

func newCorrelator(orphan func(call)) *correlator {
	return &correlator{orphan: orphan, waiting: map[string]expected{}, unkeyed: map[*waiter]bool{}, past: map[string]ending{}}
}

// expect begins a wait. Its keys follow by name: before the request is sent, or
// after its acknowledgement if unkeyed is set.
func (c *correlator) expect(id string, unkeyed bool) *waiter {
	w := &waiter{id: id, calls: make(chan call, maxCalls)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun++
	w.begun = c.begun
	if unkeyed {
		c.unkeyed[w] = true
	}
	return w
}

// name gives a wait a key, and what has come with it already.
func (c *correlator) name(w *waiter, key string, k kind) {
	c.mu.Lock()
	w.keys = append(w.keys, key)
	c.waiting[key] = expected{w, k}
	delete(c.unkeyed, w)
	c.early = slices.DeleteFunc(c.early, func(e earlyCall) bool {
		if e.key != key || e.before <= w.begun || !w.take(e.call, k) {
			return false
		}
		c.earlyBytes -= size(e.call)
		return true
	})
	orphans := c.nobodys()
	c.mu.Unlock()
	c.orphans(orphans)
}

// take puts a delivery where the request will look, if there is room.
func (w *waiter) take(x call, k kind) bool {
	if k != anyKind {
		x.kind = k
	}
	select {
	case w.calls <- x:
		return true
	default:
		return false
	}
}

// deliver hands a delivery to the request that waits for the key, keeps it while
// one may still turn out to, and else makes an orphan of it.
func (c *correlator) deliver(key string, x call) fate {
	c.mu.Lock()
	if e, ok := c.waiting[key]; ok {
		done := e.take(x, e.kind)
		c.mu.Unlock()
		if !done {
			return tooMany
		}
		return taken
	}
	if past, known := c.past[key]; known {
		x.orphan.ExchangeId, x.orphan.LateAfter = past.id, past.after
	} else if len(c.unkeyed) > 0 && len(c.early) < maxEarly && c.earlyBytes+size(x) <= maxEarlyBytes {
		c.early = append(c.early, earlyCall{key, c.begun + 1, x})
		c.earlyBytes += size(x)
		c.mu.Unlock()
		return taken
	}
	c.mu.Unlock()
	c.orphan(x)
	return nobodys
}

// signedWith is what a delivery with that key must be signed with; known is false
// if nobody waits for it.
func (c *correlator) signedWith(key string) (s *signature, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, known := c.waiting[key]
	if !known {
		return nil, false
	}
	return e.signed, true
}

func size(x call) int64 { return int64(len(x.answer.GetBody().GetContent())) }

// forget ends a wait, after what; deliveries that came and were not looked at
// are orphans that are known to be its.
func (c *correlator) forget(w *waiter, after string) {
	c.mu.Lock()
	for _, key := range w.keys {
		delete(c.waiting, key)
		if _, again := c.past[key]; !again {
			if len(c.order) == maxPast {
				delete(c.past, c.order[0])
				c.order = c.order[1:]
			}
			c.order = append(c.order, key)
		}
		c.past[key] = ending{w.id, after}
	}
	delete(c.unkeyed, w)
	orphans := c.nobodys()
	c.mu.Unlock()
	for {
		select {
		case x := <-w.calls:
			x.orphan.ExchangeId, x.orphan.LateAfter = w.id, after
			orphans = append(orphans, x)
			continue
		default:
		}
		break
	}
	c.orphans(orphans)
}

// nobodys takes out the early deliveries for which no request can turn up any
// more.
func (c *correlator) nobodys() (out []call) {
	if len(c.early) == 0 {
		return nil
	}
	oldest := c.begun + 1
	for w := range c.unkeyed {
		oldest = min(oldest, w.begun)
	}
	c.early = slices.DeleteFunc(c.early, func(e earlyCall) bool {
		if e.before > oldest {
			return false
		}
		c.earlyBytes -= size(e.call)
		out = append(out, e.call)
		return true
	})
	return out
}

func (c *correlator) orphans(list []call) {
	for _, x := range list {
		c.orphan(x)
	}
}
