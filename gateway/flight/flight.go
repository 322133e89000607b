// Package flight is the ledger of what the candidate has accepted and not
// completed: what it holds in memory is the truth of one gateway, and a journal
// gets a copy from which the next life of that gateway, and people, know it.
//
// Every entry ends in exactly one way. At a rollback the ledger asks whoever
// awaits an entry to do what the route's policy says, once.
package flight

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// What is done at a rollback with a request that the candidate has accepted.
const (
	// Finish awaits it and gives the client the candidate's answer.
	Finish = "finish"
	// HandBack has the candidate cancel it, and gives it to the baseline if the
	// candidate says that it did; otherwise it is finished.
	HandBack = "hand_back"
	// Hold leaves it to a person.
	Hold = "hold"
)

// Policies are the three.
func Policies() []string { return []string{Finish, HandBack, Hold} }

// How an entry ends.
type How int

// The ways.
const (
	// Completed: the candidate has done it.
	Completed How = iota
	// Failed: the candidate has said that it did not.
	Failed
	// HandedBack: the baseline has answered it instead.
	HandedBack
	// Resolved: a person has said how it ended.
	Resolved
	// Passed: it is left to the next life of the gateway.
	Passed
	ways
)

// Keeper is whoever awaits an entry. Its methods do not block.
type Keeper interface {
	// Rollback says that the route was rolled back, with its policy. It is called
	// at most once.
	Rollback(policy string)
	// Resolved says that a person has said how it ended: nothing more is to be
	// done.
	Resolved()
}

// Journal keeps a copy of the ledger where it outlives the process. Its methods
// do not block; done is called with what became of it, from any goroutine.
type Journal interface {
	Put(e *understudyv1.InFlight, done func(error))
	// Delete is about an entry that has ended.
	Delete(migration, id string, done func(error))
	Tally(t *understudyv1.InFlightTally, done func(error))
}

// Ledger is that of one life of one gateway. It is safe for concurrent use.
type Ledger struct {
	migration, gateway string
	start              time.Time
	journal            Journal
	metrics            *metrics

	// order is held while the journal is told something, so that what is said of an
	// entry is said in the order in which it happened. It is taken before mu.
	order sync.Mutex

	mu       sync.Mutex
	open     map[string]*Work
	ended    map[string]bool // of which the journal does not know yet
	accepted uint64
	adopted  uint64
	counts   [ways]uint64
	closed   bool
}

// Start is when its life began: what was accepted earlier is another's.
func (l *Ledger) Start() time.Time { return l.start }

// Work is one entry.
type Work struct {
	l      *Ledger
	entry  *understudyv1.InFlight
	keeper Keeper
	told   bool // about the rollback
	dirty  bool // the journal has not got it as it is
	over   bool
}

// Accept begins an entry, of which id, session, route, method, location, policy
// and keyed are given.
func (l *Ledger) Accept(e *understudyv1.InFlight, k Keeper) *Work {
	e.Migration, e.Gateway, e.State = l.migration, l.gateway, understudyv1.InFlight_STATE_ACCEPTED
	e.AcceptedUnixNano = time.Now().UnixNano()
	l.mu.Lock()
	l.accepted++
	w := l.addLocked(e, k)
	l.mu.Unlock()
	l.write(w)
	return w
}

// Adopt takes up an entry that an earlier life has left; nil if it is there
// already.
func (l *Ledger) Adopt(e *understudyv1.InFlight, k Keeper) *Work {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[e.GetId()] != nil || l.ended[e.GetId()] {
		return nil
	}
	l.adopted++
	return l.addLocked(proto.Clone(e).(*understudyv1.InFlight), k)
}

func (l *Ledger) addLocked(e *understudyv1.InFlight, k Keeper) *Work {
	w := &Work{l: l, entry: e, keeper: k}
	l.open[e.GetId()] = w
	return w
}

// End ends an entry; false if it has ended before.
func (w *Work) End(how How) bool {
	l := w.l
	l.order.Lock()
	defer l.order.Unlock()
	l.mu.Lock()
	if w.over {
		l.mu.Unlock()
		return false
	}
	w.over = true
	delete(l.open, w.entry.GetId())
	l.counts[how]++
	if how == Passed { // the record stays
		l.mu.Unlock()
		return true
	}
	l.ended[w.entry.GetId()] = true
	l.mu.Unlock()
	l.metrics.ended[how].Inc()
	l.deleteOrdered(w.entry.GetId())
	return true
}

// Hold leaves an entry to a person, who is told why; false if it has ended.
func (w *Work) Hold(reason string) bool {
	l := w.l
	l.mu.Lock()
	if w.over {
		l.mu.Unlock()
		return false
	}
	w.entry.State, w.entry.Reason = understudyv1.InFlight_STATE_HELD, reason
	l.mu.Unlock()
	l.write(w)
	return true
}

// Entry is a copy of the entry.
func (w *Work) Entry() *understudyv1.InFlight {
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	return proto.Clone(w.entry).(*understudyv1.InFlight)
}

// Len is how many entries are open.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// Resolve ends the entry of which a person has said how it ended; it may be
// another gateway's.
func (l *Ledger) Resolve(e *understudyv1.InFlight) {
	l.mu.Lock()
	w := l.open[e.GetId()]
	l.mu.Unlock()
	if w != nil && w.End(Resolved) {
		w.keeper.Resolved()
	}
}

// write gives the journal an entry as it is now.
func (l *Ledger) write(w *Work) {
	l.order.Lock()
	defer l.order.Unlock()
	l.mu.Lock()
	if w.over {
		l.mu.Unlock()
		return
	}
	w.entry.TimeUnixNano = time.Now().UnixNano()
	e := proto.Clone(w.entry).(*understudyv1.InFlight)
	w.dirty = false
	l.mu.Unlock()
	l.journal.Put(e, func(err error) {
		if err != nil {
			l.metrics.unwritten.Inc()
			l.mu.Lock()
			w.dirty = true
			l.mu.Unlock()
		}
	})
}

func (l *Ledger) deleteOrdered(id string) {
	l.journal.Delete(l.migration, id, func(err error) {
		if err != nil {
			l.metrics.unwritten.Inc()
			return // until then it is in ended, and Run tries again
		}
		l.mu.Lock()
		delete(l.ended, id)
		l.mu.Unlock()
	})
}

const (
	// look is how often the ledger looks whether something was rolled back.
	look = 50 * time.Millisecond
	// again is how often the journal is told what it has not taken, and the tally.
	again = time.Second
)

// Run looks for rollbacks, of which rolledBack knows, and repeats what the journal
// has not taken, until ctx ends; then it writes the last tally.
func (l *Ledger) Run(ctx context.Context, rolledBack func(route string) bool) {
	looks, repeats := time.NewTicker(look), time.NewTicker(again)
	defer looks.Stop()
	defer repeats.Stop()
	for {
		select {
		case <-looks.C:
			l.look(rolledBack)
		case <-repeats.C:
			l.repeat()
			l.tally(false)
		case <-ctx.Done():
			l.close()
			return
		}
	}
}

// look tells the keepers of what was rolled back.
func (l *Ledger) look(rolledBack func(route string) bool) {
	known := map[string]bool{}
	var tell []*Work
	l.mu.Lock()
	for _, w := range l.open {
		if w.told || w.entry.GetState() != understudyv1.InFlight_STATE_ACCEPTED {
			continue
		}
		is, asked := known[w.entry.GetRoute()]
		if !asked {
			is = rolledBack(w.entry.GetRoute())
			known[w.entry.GetRoute()] = is
		}
		if is {
			w.told = true
			tell = append(tell, w)
		}
	}
	l.mu.Unlock()
	for _, w := range tell {
		w.keeper.Rollback(w.entry.GetPolicy())
	}
}

func (l *Ledger) repeat() {
	l.mu.Lock()
	var dirty []*Work
	for _, w := range l.open {
		if w.dirty {
			dirty = append(dirty, w)
		}
	}
	ended := slices.Collect(maps.Keys(l.ended))
	l.mu.Unlock()
	for _, w := range dirty {
		l.write(w)
	}
	l.order.Lock()
	defer l.order.Unlock()
	for _, id := range ended {
		l.deleteOrdered(id)
	}
}

// close leaves what is open to the next life.
func (l *Ledger) close() {
	l.mu.Lock()
	open := slices.Collect(maps.Values(l.open))
	l.closed = true
	l.mu.Unlock()
	for _, w := range open {
		w.End(Passed)
	}
	l.repeat()
	l.tally(true)
}

// Tally is what the ledger has counted so far.
func (l *Ledger) Tally() *understudyv1.InFlightTally {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &understudyv1.InFlightTally{
		Migration: l.migration, Gateway: l.gateway, StartUnixNano: l.start.UnixNano(), TimeUnixNano: time.Now().UnixNano(),
		Accepted: l.accepted, Adopted: l.adopted, Completed: l.counts[Completed], Failed: l.counts[Failed],
		HandedBack: l.counts[HandedBack], Resolved: l.counts[Resolved], Passed: l.counts[Passed], Final: l.closed,
	}
	for _, w := range l.open {
		if w.entry.GetState() == understudyv1.InFlight_STATE_HELD {
			t.Held++
		} else {
			t.Pending++
		}
	}
	return t
}

func (l *Ledger) tally(final bool) {
	t := l.Tally()
	if !final && t.Accepted+t.Adopted == 0 {
		return
	}
	l.journal.Tally(t, func(err error) {
		if err != nil {
			l.metrics.unwritten.Inc()
		}
	})
}
