package replayer

import (
	"context"
	"sync"
	"time"

	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// ledger knows which exchanges of a run are done: those whose replay is written,
// by whichever worker. The replays topic is the ledger; this is what was read of
// it. A replay is written once, and so is found and not repeated whoever goes on.
type ledger struct {
	mu    sync.Mutex
	done  []uint64 // a bit for each ordinal
	count uint64   // of them
	// early are replays of exchanges that are not registered yet, without what
	// nobody learns from.
	early map[uint64]*understudyv1.Replay
	// open are registered and not done.
	open map[uint64]recorded
	// all is how many exchanges there are, once all are registered.
	all    uint64
	isAll  bool
	caught bool // what was written before this worker came is known
	turned *sync.Cond
}

func newLedger() *ledger {
	l := &ledger{early: map[uint64]*understudyv1.Replay{}, open: map[uint64]recorded{}}
	l.turned = sync.NewCond(&l.mu)
	return l
}

func (l *ledger) has(ordinal uint64) bool {
	word := ordinal / 64
	return word < uint64(len(l.done)) && l.done[word]&(1<<(ordinal%64)) != 0
}

// settle says that an exchange is done; false if it was before. l.mu is held.
func (l *ledger) settle(ordinal uint64) bool {
	if l.has(ordinal) {
		return false
	}
	for uint64(len(l.done)) <= ordinal/64 {
		l.done = append(l.done, 0)
	}
	l.done[ordinal/64] |= 1 << (ordinal % 64)
	l.count++
	l.turned.Broadcast()
	return true
}

func (l *ledger) isDone(ordinal uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.has(ordinal)
}

// own says that this worker is about to write the replay of an exchange; false
// if it is there already.
func (l *ledger) own(ordinal uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, ordinal)
	return l.settle(ordinal)
}

// enter registers an exchange and returns what is known of its replay, if that
// was written before. Until what was there when this worker came is read, only
// those are entered.
func (l *ledger) enter(ctx context.Context, e recorded) (before *understudyv1.Replay) {
	defer context.AfterFunc(ctx, l.turned.Broadcast)()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.caught && !l.has(e.ordinal) && ctx.Err() == nil {
		l.turned.Wait()
	}
	if l.has(e.ordinal) {
		before = l.early[e.ordinal]
		delete(l.early, e.ordinal)
		return before
	}
	l.open[e.ordinal] = e
	return nil
}

// hear takes a replay that another worker has written. isNew is false for one of
// an exchange that was done before; e is the exchange if it is registered.
func (l *ledger) hear(r *understudyv1.Replay) (e recorded, isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.settle(r.GetOrdinal()) {
		return e, false
	}
	e, registered := l.open[r.GetOrdinal()]
	delete(l.open, r.GetOrdinal())
	if !registered {
		l.early[r.GetOrdinal()] = &understudyv1.Replay{
			Candidate: r.GetCandidate(), Control: r.GetControl(), SentUnixNano: r.GetSentUnixNano(), ControlSentUnixNano: r.GetControlSentUnixNano(),
			Moments: r.GetMoments(), Speed: r.GetSpeed(), Skipped: r.GetSkipped(),
		}
	}
	return e, true
}

// catchUp says that all is known that was written before this worker came.
func (l *ledger) catchUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caught = true
	l.turned.Broadcast()
}

// close says how many exchanges there are.
func (l *ledger) close(all uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all, l.isAll = all, true
	l.turned.Broadcast()
}

// wait waits until all exchanges are done.
func (l *ledger) wait(ctx context.Context) error {
	defer context.AfterFunc(ctx, l.turned.Broadcast)()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !(l.isAll && l.count >= l.all) && ctx.Err() == nil {
		l.turned.Wait()
	}
	return ctx.Err()
}

// recall teaches the memories of names what a replay says that another process
// wrote: what is secret in it stands there as tokens, unless nothing is redacted.
func recall(e recorded, r *understudyv1.Replay, isRedacted bool) {
	learn := func(x *substitute.Exchange, o *understudyv1.Observation, sent int64) {
		defer x.Settle()
		promise, answer, service := answersOf(o)
		if answer == nil {
			return
		}
		frame := timestamp.FrameOf(&understudyv1.Replay{Exchange: e.Exchange, SentUnixNano: sent, Moments: r.GetMoments(), Speed: r.GetSpeed()}, service)
		if isRedacted {
			x.Recall(promise, answer, frame)
		} else {
			x.Learn(promise, answer, frame)
		}
	}
	if r.GetSkipped() != "" {
		r = nil
	}
	learn(e.known, r.GetCandidate(), r.GetSentUnixNano())
	learn(e.control, r.GetControl(), r.GetControlSentUnixNano())
}

// answersOf are the promise and the final answer in an observation, and how long
// that took from the send; nil is none.
func answersOf(o *understudyv1.Observation) (promise, answer *understudyv1.Response, service time.Duration) {
	d := o.GetCompletion()
	switch {
	case d == nil || d.GetChannel() == understudyv1.Channel_CHANNEL_IMMEDIATE:
		return nil, o.GetAck(), time.Duration(o.GetAckServiceNano())
	case d.GetSeen() > 0:
		return o.GetAck(), d.GetPayload(), time.Duration(d.GetServiceNano())
	}
	return nil, nil, 0
}
