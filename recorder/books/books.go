// Package books counts what a recorder served and what became of it:
//
//	served = recorded + Σ dropped{reason} + pending
//
// Every request consumes a sequence number, and every number is settled once,
// as recorded or as dropped for one reason. So a hole in the numbers of a
// recording is provable, and a tally explains it.
package books

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Books are the counts of one recorder instance. They are safe for concurrent
// use.
type Books struct {
	instance string
	started  time.Time

	mu         sync.Mutex
	served     uint64
	recorded   uint64
	pending    uint64
	dropped    map[string]uint64
	statements uint64
	closed     bool

	// bytes in flight are held from capture until the sink is done.
	bytes atomic.Int64
}

// Tally is a copy of the counts at one moment.
type Tally struct {
	Served, Recorded, Pending uint64
	// Dropped by reason; reasons that never occurred are absent.
	Dropped map[string]uint64
	// Bytes of captured heads and bodies that are held now.
	Bytes int64
}

// Excess is how many outcomes there are beyond the requests served, negative if
// some are missing. Each count is taken where it happens, none as the rest of
// the others, so anything but 0 is a fault of this program.
func (t Tally) Excess() int64 {
	sum := t.Recorded + t.Pending
	for _, n := range t.Dropped {
		sum += n
	}
	return int64(sum) - int64(t.Served)
}

// New returns the books of an instance, with nothing counted.
func New(instance string, started time.Time) *Books {
	return &Books{instance: instance, started: started, dropped: map[string]uint64{}}
}

// Entry is one request in the books, from Open until it is settled.
type Entry struct {
	// Sequence is its number, from 1.
	Sequence uint64
	books    *Books
	left     bool
}

// Open issues the next sequence number. false says that the books are closed;
// the number is then already settled as dropped.
func (b *Books) Open() (*Entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.served++
	e := &Entry{Sequence: b.served, books: b, left: b.closed}
	if b.closed {
		b.dropped[ReasonShutdown]++
		return e, false
	}
	b.pending++
	return e, true
}

// Record settles the entry as recorded.
func (e *Entry) Record() { e.settle("") }

// Drop settles the entry as dropped for a reason.
func (e *Entry) Drop(reason string) { e.settle(reason) }

// settle counts the outcome each time, but the leaving once: a second outcome
// of one request is a fault, and the books must not hide it.
func (e *Entry) settle(reason string) {
	b := e.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return // Close has counted it as dropped for shutdown
	}
	if reason == "" {
		b.recorded++
	} else {
		b.dropped[reason]++
	}
	if !e.left {
		e.left = true
		b.pending--
	}
}

// Close settles everything that is still pending as dropped for shutdown.
func (b *Books) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	if b.pending > 0 {
		b.dropped[ReasonShutdown] += b.pending
		b.pending = 0
	}
}

// Tally returns the counts now.
func (b *Books) Tally() Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tallyLocked()
}

func (b *Books) tallyLocked() Tally {
	return Tally{
		Served: b.served, Recorded: b.recorded, Pending: b.pending,
		Dropped: maps.Clone(b.dropped), Bytes: b.bytes.Load(),
	}
}

// Statement is the next tally to publish. They are numbered from 1; none
// comes after the final one.
func (b *Books) Statement(now time.Time, final bool) *understudyv1.Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statements++
	t := b.tallyLocked()
	return &understudyv1.Tally{
		Recorder: b.instance, Number: b.statements, StartUnixNano: b.started.UnixNano(), TimeUnixNano: now.UnixNano(),
		Served: t.Served, Recorded: t.Recorded, Pending: t.Pending, Dropped: t.Dropped, Final: final,
	}
}

// Reserve takes n bytes of memory, or none when they do not fit under the
// limit.
func (b *Books) Reserve(n, limit int64) bool {
	if b.bytes.Add(n) <= limit {
		return true
	}
	b.bytes.Add(-n)
	return false
}

// Release gives reserved bytes back.
func (b *Books) Release(n int64) { b.bytes.Add(-n) }
