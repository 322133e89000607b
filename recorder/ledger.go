package recorder

import (
	"maps"
	"sync"
	"sync/atomic"
)

// ledger is the books of one instance. Each number issued is settled once.
type ledger struct {
	mu       sync.Mutex
	served   uint64
	recorded uint64
	dropped  map[string]uint64
	closed   bool
	// late are settlements that came after the books were closed; they had
	// been counted as dropped for shutdown by then.
	late uint64

	// bytes in flight are held from capture until the sink is done.
	bytes atomic.Int64
}

// Counts are the numbers of one instance at one moment.
type Counts struct {
	Served, Recorded, Pending uint64
	// Dropped by reason; reasons that never occurred are absent.
	Dropped map[string]uint64
	// Bytes of captured heads and bodies that are held now.
	Bytes int64
}

func newLedger() *ledger { return &ledger{dropped: map[string]uint64{}} }

// open issues the next sequence number; false when the books are closed: the
// number is then settled already.
func (l *ledger) open() (uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served++
	if l.closed {
		l.dropped[ReasonShutdown]++
		return l.served, false
	}
	return l.served, true
}

// settle ends one number: recorded when reason is empty.
func (l *ledger) settle(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		l.late++
	case reason == "":
		l.recorded++
	default:
		l.dropped[reason]++
	}
}

// close settles everything that is still pending as dropped for shutdown.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	if pending := l.pendingLocked(); pending > 0 {
		l.dropped[ReasonShutdown] += pending
	}
}

func (l *ledger) pendingLocked() uint64 {
	settled := l.recorded
	for _, n := range l.dropped {
		settled += n
	}
	return l.served - settled
}

func (l *ledger) counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Counts{
		Served: l.served, Recorded: l.recorded, Pending: l.pendingLocked(),
		Dropped: maps.Clone(l.dropped), Bytes: l.bytes.Load(),
	}
}

// reserve takes n bytes, or none when they do not fit under the limit.
func (l *ledger) reserve(n, limit int64) bool {
	if l.bytes.Add(n) <= limit {
		return true
	}
	l.bytes.Add(-n)
	return false
}

func (l *ledger) release(n int64) { l.bytes.Add(-n) }

// ticket settles one exchange that the sink has, once. It is all that waits
// for the sink: request and response are free by then.
type ticket struct {
	ledger *ledger
	bytes  int64
	used   atomic.Bool
}

func (t *ticket) done(err error) {
	if t.used.Swap(true) {
		return
	}
	t.ledger.release(t.bytes)
	if err != nil {
		t.ledger.settle(reasonOf(err))
		return
	}
	t.ledger.settle("")
}
