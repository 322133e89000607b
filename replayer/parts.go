package replayer

import (
	"context"
	"slices"
	"sync"
	"time"
)

// part of the sessions.
type part struct {
	number int32
	held   bool // and all is known that was written before
	since  time.Time
	// ctx is that of its requests; it ends when the part is lost.
	ctx    context.Context
	cancel context.CancelFunc
	// queue are exchanges that were due while the part was not held, or that are
	// behind such, oldest first; isCatching says that they are being sent. Some may
	// be done. bytes is about what they hold, and sweep at which length it is
	// looked what is done.
	queue      []*one
	bytes      int64
	sweep      int
	isCatching bool
	running    sync.WaitGroup
}

// part must be called with t.mu held.
func (t *team) part(number int32) *part {
	p := t.parts[number]
	if p == nil {
		p = &part{number: number}
		t.parts[number] = p
	}
	return p
}

func (t *team) holds(number int32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.part(number).held
}

// place decides about an exchange that is due: it is to be sent now, or waits
// for its turn or for the replay of another worker.
func (t *team) place(x *one) (p *part, now bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p = t.part(t.Part(x.GetExchange().GetSession()))
	x.part = p
	if p.held && !p.isCatching && !x.due.Before(p.since) {
		p.running.Add(1)
		return p, true
	}
	p.queue = append(p.queue, x)
	p.bytes += weight(x.GetExchange())
	if len(p.queue) >= p.sweep {
		t.clean(p)
	}
	t.catchUp(p)
	return p, false
}

// clean takes what is done out of a queue. t.mu is held.
func (t *team) clean(p *part) {
	p.bytes = 0
	p.queue = slices.DeleteFunc(p.queue, func(x *one) bool {
		if t.ledger.isDone(x.GetOrdinal()) {
			return true
		}
		p.bytes += weight(x.GetExchange())
		return false
	})
	p.sweep = 2*len(p.queue) + 1024
}

// makeRoom waits while what waits takes more memory than it may: the schedule is
// late then, which shows as lag.
func (t *team) makeRoom(ctx context.Context) {
	for ctx.Err() == nil {
		t.mu.Lock()
		held := func() (n int64) {
			for _, p := range t.parts {
				n += p.bytes
			}
			return n
		}
		if held() > maxBacklog {
			for _, p := range t.parts {
				t.clean(p)
			}
		}
		isEnough := held() <= maxBacklog
		t.mu.Unlock()
		if isEnough {
			return
		}
		sleepUntil(ctx, time.Now().Add(20*time.Millisecond))
	}
}

// catchUp sends what waits in a part that is held. t.mu is held.
func (t *team) catchUp(p *part) {
	if !p.held || p.isCatching || len(p.queue) == 0 {
		return
	}
	p.isCatching = true
	ctx := p.ctx
	t.worker.Go(func() {
		defer t.ceased(ctx, p)
		begin, first := time.Now(), time.Time{}
		for {
			x := t.next(ctx, p)
			if x == nil {
				return
			}
			if first.IsZero() {
				first = x.due
			}
			at := begin.Add(x.due.Sub(first) / catchUpSpeed)
			if at.Before(x.due) {
				at = x.due
			}
			if !t.r.clock.pass(ctx) || !t.wait(ctx, at) {
				t.back(p, x)
				p.running.Done()
				return
			}
			if x.due.Before(p.since) {
				x.Attempt = 2 // who held the part may have sent it before
			}
			x.holdUntil(at)
			t.r.launch(ctx, x, p.running.Done)
		}
	})
}

// wait waits for a moment; false if the part is lost or nothing more is to be sent
// before.
func (t *team) wait(ctx context.Context, at time.Time) bool {
	if left := time.Until(at); left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-t.sending.Done():
		}
	}
	return ctx.Err() == nil && t.sending.Err() == nil
}

// next takes the next exchange of a part that is not done; nil when there is
// none, or the part is lost. p.running counts it.
func (t *team) next(ctx context.Context, p *part) *one {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(p.queue) > 0 && ctx.Err() == nil && t.sending.Err() == nil {
		x := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.bytes -= weight(x.GetExchange())
		if t.ledger.isDone(x.GetOrdinal()) {
			continue
		}
		p.running.Add(1)
		return x
	}
	if p.ctx == ctx {
		p.isCatching = false // what comes now need not wait
	}
	return nil
}

// ceased says that nothing of a queue is sent any more.
func (t *team) ceased(ctx context.Context, p *part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.ctx == ctx && t.sending.Err() != nil {
		p.isCatching = false
	}
}

// back puts an exchange back that was not sent, or whose end nobody saw.
func (t *team) back(p *part, x *one) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, _ := slices.BinarySearchFunc(p.queue, x.GetOrdinal(), func(o *one, n uint64) int { return int(o.GetOrdinal()) - int(n) })
	p.queue = slices.Insert(p.queue, at, t.r.again(x))
	p.bytes += weight(x.GetExchange())
}
