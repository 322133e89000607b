// Package books counts what one life of a recorder served and what became of
// it:
//
//	served = recorded + Σ dropped{reason} + spooled + pending
//	pending = under way + queued + in the sink
//
// Every request consumes a sequence number, and every number is settled once,
// as recorded or as dropped for one reason. So a hole in the numbers of a
// recording is provable, and a tally explains it. Each term is counted where it
// happens, none as the rest of the others, so that a fault shows.
package books

import (
	"sync"
	"sync/atomic"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Books are the counts of one life. They are safe for concurrent use.
type Books struct {
	life understudyv1.Life

	mu     sync.Mutex
	page   page
	closed bool
	unmap  func() error // nil while the page is on the heap

	// bytes in flight are held from capture until the sink is done.
	bytes atomic.Int64
}

// Tally is a copy of the counts at one moment.
type Tally struct {
	Served, Recorded uint64
	// UnderWay have a handler, Queued wait for Run, InSink are with Kafka, and
	// Spooled are on disk.
	UnderWay, Queued, InSink, Spooled uint64
	// Dropped by reason; reasons that never occurred are absent.
	Dropped map[string]uint64
	// Bytes of captured heads and bodies that are held now.
	Bytes int64
}

// Pending is how many are neither settled nor on disk.
func (t Tally) Pending() uint64 { return t.UnderWay + t.Queued + t.InSink }

// Excess is how many outcomes there are beyond the requests served, negative if
// some are missing. Anything but 0 is a fault of this program.
func (t Tally) Excess() int64 {
	sum := t.Recorded + t.Spooled + t.Pending()
	for _, n := range t.Dropped {
		sum += n
	}
	return int64(sum) - int64(t.Served)
}

// New returns the books of a life, with nothing counted.
func New(recorder string, started time.Time) *Books {
	p := make(page, pageSize)
	p[magic], p[startedAt] = pageMagic, uint64(started.UnixNano())
	return &Books{life: understudyv1.Life{Recorder: recorder, StartUnixNano: started.UnixNano()}, page: p}
}

// Every says how often Statement is called; readers of the statements take
// silence of several intervals for the end.
func (b *Books) Every(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page[interval] = uint64(d)
}

// Life is whose books these are.
func (b *Books) Life() understudyv1.Life { return b.life }

// Entry is one request in the books, from Open until it is settled.
type Entry struct {
	// Sequence is its number, from 1.
	Sequence uint64
	books    *Books
	at       place // guarded by the books
}

// Open issues the next sequence number. false says that the books are closed;
// the number is then already settled as dropped.
func (b *Books) Open() (*Entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page[served]++
	e := &Entry{Sequence: b.page[served], books: b, at: underWay}
	if b.closed {
		e.at = nowhere
		b.page.drop(ReasonShutdown, 1)
		return e, false
	}
	b.page[underWay]++
	return e, true
}

// Queue says that the handler has ended and the exchange waits for Run.
func (e *Entry) Queue() { e.move(queued) }

// Hand says that the sink is given the exchange.
func (e *Entry) Hand() { e.move(inSink) }

// Spool says that the exchange is safe on disk: from here on it is no longer
// this entry's but one of many that Unspool settles.
func (e *Entry) Spool() { e.settle(spooled, "") }

// Record settles the entry as recorded.
func (e *Entry) Record() { e.settle(recorded, "") }

// Drop settles the entry as dropped for a reason.
func (e *Entry) Drop(reason string) { e.settle(nowhere, reason) }

// move counts the arrival each time, but the leaving only once: an entry that
// moves after it was settled is a fault, and the books must not hide it.
func (e *Entry) move(to place) {
	b := e.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return // Close has counted it as dropped for shutdown
	}
	b.leave(e)
	b.page[to]++
	e.at = to
}

func (e *Entry) settle(to place, reason string) {
	b := e.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.leave(e)
	if reason == "" {
		b.page[to]++
	} else {
		b.page.drop(reason, 1)
	}
}

func (b *Books) leave(e *Entry) {
	if e.at != nowhere {
		b.page[e.at]--
		e.at = nowhere
	}
}

// Close settles everything that is still pending as dropped for shutdown.
func (b *Books) Close() { b.closeFor(ReasonShutdown) }

func (b *Books) closeFor(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	for _, p := range []place{underWay, queued, inSink} {
		if n := b.page[p]; n > 0 {
			b.page.drop(reason, n)
			b.page[p] = 0
		}
	}
}

// Tally returns the counts now.
func (b *Books) Tally() Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tallyLocked()
}

func (b *Books) tallyLocked() Tally {
	p := b.page
	return Tally{
		Served: p[served], Recorded: p[recorded], UnderWay: p[underWay], Queued: p[queued], InSink: p[inSink], Spooled: p[spooled],
		Dropped: p.dropped(), Bytes: b.bytes.Load(),
	}
}

// Statement is the next tally to publish. They are numbered from 1; after the
// final one only the spool's exchanges change.
func (b *Books) Statement(now time.Time, final bool) *understudyv1.Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page[statements]++
	t := b.tallyLocked()
	if final {
		b.page[ended] = 1
	}
	return &understudyv1.Tally{
		Recorder: b.life.Recorder, Number: b.page[statements], StartUnixNano: b.life.StartUnixNano, TimeUnixNano: now.UnixNano(),
		Served: t.Served, Recorded: t.Recorded, Pending: t.Pending(), Spooled: t.Spooled, Dropped: t.Dropped,
		Final: b.page[ended] == 1 && b.page[killed] == 0, Closed: b.page[killed] == 1, Exact: b.page[killed] == 1,
		IntervalNano: int64(b.page[interval]),
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
