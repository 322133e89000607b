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

// New returns the books of an instance, with nothing counted.
func New(instance string, started time.Time) *Books {
	return &Books{instance: instance, started: started, dropped: map[string]uint64{}}
}

// Open issues the next sequence number. false says that the books are closed;
// the number is then already settled as dropped.
func (b *Books) Open() (uint64, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.served++
	if b.closed {
		b.dropped[ReasonShutdown]++
		return b.served, false
	}
	return b.served, true
}

// Record settles one number as recorded.
func (b *Books) Record() { b.settle("") }

// Drop settles one number as dropped for a reason.
func (b *Books) Drop(reason string) { b.settle(reason) }

func (b *Books) settle(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed: // Close has counted it as dropped for shutdown
	case reason == "":
		b.recorded++
	default:
		b.dropped[reason]++
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
	if pending := b.pendingLocked(); pending > 0 {
		b.dropped[ReasonShutdown] += pending
	}
}

func (b *Books) pendingLocked() uint64 {
	settled := b.recorded
	for _, n := range b.dropped {
		settled += n
	}
	return b.served - settled
}

// Tally returns the counts now.
func (b *Books) Tally() Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tallyLocked()
}

func (b *Books) tallyLocked() Tally {
	return Tally{
		Served: b.served, Recorded: b.recorded, Pending: b.pendingLocked(),
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
