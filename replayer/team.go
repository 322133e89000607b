package replayer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Team is what the workers of one run share. Each reads the whole recording, so
// that it knows who made which name, and sends the requests of the parts of the
// sessions that it holds; of the others it learns from their replays.
type Team interface {
	// Part is the part to which a session belongs. Who holds part 0 keeps the
	// books of the run.
	Part(session string) int32
	// Join takes part until leave is called. gained and lost say which parts this
	// worker holds, one call at a time; isTaken says that somebody else may hold
	// them already. A part that is let go goes to another worker when lost returns.
	Join(ctx context.Context, gained func(parts []int32), lost func(parts []int32, isTaken bool)) (leave func(), err error)
	// Follow hands over the replays of the run that other workers have written, and
	// those that belong to no exchange, from the run's begin on, until ctx ends.
	Follow(ctx context.Context, take func(*understudyv1.Replay)) error
	// CaughtUp waits until Follow has handed over all that is written now.
	CaughtUp(ctx context.Context) error
	// Share writes what this worker counts.
	Share(ctx context.Context, s *understudyv1.RunShare) error
}

const (
	// catchUpSpeed is how many times as fast as the schedule a worker sends what
	// was due while nobody held its part.
	catchUpSpeed = 2
	// silentAfter is when a worker that writes its share every 2 s counts as gone.
	silentAfter = 5 * time.Second
	// sayIn is how long before it is so the begin of the run, and the begin and the
	// end of a pause, are said: so that all workers know it in time.
	sayIn = 500 * time.Millisecond
	// maxBacklog bounds about how much memory the exchanges take that other
	// workers hold and have not finished; beyond it the schedule waits.
	maxBacklog = 256 << 20
)

// Ways in which a run ends for one process.
var (
	errStopped = errors.New("stopped on request")
	errEnded   = errors.New("the run has ended")
	// ErrTakenOver: another process goes on with the run, so this one writes
	// nothing more.
	ErrTakenOver = errors.New("another process has taken the run over")
)

// team is a worker's part in a run.
type team struct {
	Team
	r      *Replayer
	ledger *ledger
	name   string
	inner  context.Context // of requests
	// sending ends when nothing more is to be sent from here.
	sending context.Context

	mu     sync.Mutex
	parts  map[int32]*part
	worker sync.WaitGroup // goroutines of the parts
	first  int64          // start of the first exchange; 0 is unknown
	poke   chan struct{}  // wakes who keeps the books
	// atHand is closed when this worker can send what is due: it has gone through
	// what was due before.
	atHand chan struct{}
	arrive func()
	// silence is since when nobody had been at work when this worker came, and stale
	// the version of the run's last record then; zero if somebody was. Until it is
	// said when the run goes on nothing is sent.
	silence time.Time
	stale   uint64
	version uint64 // of shares
	isDone  bool   // this worker has nothing more to send
	writes  bool   // what was interrupted is written as such
}

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

func newTeam(r *Replayer, t Team, worker string) *team {
	out := &team{Team: t, r: r, ledger: newLedger(), name: worker, parts: map[int32]*part{}, poke: make(chan struct{}, 1), atHand: make(chan struct{})}
	out.arrive = sync.OnceFunc(func() { close(out.atHand) })
	return out
}

// known is the epoch of the run as far as it is said: that of its record, or the
// one that is begun now, whose first exchange began at start. nil if ctx ends
// before.
func (t *team) known(ctx context.Context, start time.Time) *understudyv1.Epoch {
	if run, _, _, _ := t.r.board.Look(); run.GetEpoch() != nil {
		return run.GetEpoch()
	}
	t.mu.Lock()
	t.first = start.UnixNano()
	t.mu.Unlock()
	t.arrive()
	t.wake()
	return t.r.clock.begin(ctx)
}

// reach says that an exchange that is not done was due: from one on that is due
// later than now, or while nobody is at work, this worker takes parts. It waits
// until it is said when the run goes on; false if ctx ends before.
func (t *team) reach(ctx context.Context, due time.Time) bool {
	epoch, _, _, _ := t.r.clock.now()
	if epoch == nil || due.After(time.Now()) {
		t.arrive()
	}
	return epoch != nil || t.r.clock.begin(ctx) != nil && ctx.Err() == nil
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

// gained takes parts: once all is known that others had written of them, what
// they left is sent.
func (t *team) gained(numbers []int32) {
	for _, n := range numbers {
		t.mu.Lock()
		p := t.part(n)
		p.ctx, p.cancel = context.WithCancel(t.inner)
		p.isCatching = false
		ctx := p.ctx
		t.mu.Unlock()
		t.worker.Go(func() {
			if err := t.CaughtUp(ctx); err != nil {
				if ctx.Err() == nil {
					t.r.failing.stop(fmt.Errorf("what is done of the run cannot be read: %w", err))
				}
				return
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			if ctx.Err() != nil {
				return
			}
			p.held, p.since = true, time.Now()
			t.r.log.Info("a part of the sessions is sent from here", "part", n, "waiting", len(p.queue))
			t.catchUp(p)
			t.wake()
		})
	}
}

// lost lets parts go. What is under way is waited for, at most Drain, unless
// somebody else may send the same already.
func (t *team) lost(numbers []int32, isTaken bool) {
	var let []*part
	t.mu.Lock()
	for _, n := range numbers {
		if p := t.part(n); p.ctx != nil {
			p.held = false
			let = append(let, p)
			if isTaken || t.isDone {
				p.cancel()
			}
		}
	}
	t.mu.Unlock()
	deadline := time.Now().Add(t.r.cfg.Drain)
	for _, p := range let {
		done := make(chan struct{})
		go func() { p.running.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Until(deadline)):
		}
		p.cancel()
		<-done
	}
	if !isTaken {
		if err := t.r.sink.Flush(context.WithoutCancel(t.inner)); err != nil {
			t.r.log.Warn("replays of parts that are let go could not be written", "error", err)
		}
	}
}

// wake wakes who keeps the books.
func (t *team) wake() {
	select {
	case t.poke <- struct{}{}:
	default:
	}
}

// hear takes a replay that another worker has written.
func (r *Replayer) hear(x *understudyv1.Replay) {
	if x.GetExchange() == nil {
		r.books.orphan()
		r.books.written(nil)
		return
	}
	e, isNew := r.team.ledger.hear(x)
	if !isNew {
		r.log.Warn("an exchange has two replays, because a worker that was held for dead went on", "ordinal", x.GetOrdinal(), "exchange", x.GetExchange().GetId())
		return
	}
	r.books.told(x)
	if e.Exchange != nil {
		recall(e, x, r.cfg.Redactor != nil)
	}
}

// holding are the parts that this worker holds.
func (t *team) holding() (out []int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n, p := range t.parts {
		if p.held {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// share writes this worker's share.
func (t *team) share(ctx context.Context) {
	t.mu.Lock()
	t.version++
	s := &understudyv1.RunShare{Run: t.r.cfg.Run, Worker: t.name, Version: t.version, TimeUnixNano: time.Now().UnixNano(), Ended: t.isDone}
	t.mu.Unlock()
	s.Parts = t.holding()
	s.Sent, s.Redacted, s.Routes = t.r.books.own()
	if err := t.Share(ctx, s); err != nil && ctx.Err() == nil {
		t.r.log.Warn("the share of this worker could not be written", "error", err)
	}
}

// others says whether a worker besides this one is at work, and the latest word of any.
func (t *team) others() (isBusy bool, latest time.Time) {
	run, _, shares, _ := t.r.board.Look()
	latest = time.Unix(0, run.GetTimeUnixNano())
	for _, s := range shares {
		at := time.Unix(0, s.GetTimeUnixNano())
		if at.After(latest) {
			latest = at
		}
		isBusy = isBusy || s.GetWorker() != t.name && !s.GetEnded() && time.Since(at) < silentAfter
	}
	return isBusy, latest
}

// keepBooks writes this worker's share and, while it holds part 0, the state of
// the run, every 2 s and when there is something new, until ctx ends.
func (t *team) keepBooks(ctx context.Context) {
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	for {
		_, _, _, changed := t.r.board.Look()
		t.r.look()
		t.begin()
		if t.holds(0) {
			t.r.obey()
			if t.isDue() {
				t.r.write(ctx)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-t.poke:
		case <-tick.C:
			t.share(ctx)
			if t.holds(0) {
				t.r.write(ctx)
			}
		}
	}
}

// isDue says whether the epoch has changed since the last record.
func (t *team) isDue() bool {
	run, _, _, _ := t.r.board.Look()
	epoch, _, _, _ := t.r.clock.now()
	return epoch != nil && !same(run.GetEpoch(), epoch)
}

// begin says when the run begins, or goes on if nobody had been at work.
func (t *team) begin() {
	epoch, _, _, _ := t.r.clock.now()
	if epoch != nil || !t.holds(0) {
		return
	}
	run, _, _, _ := t.r.board.Look()
	t.mu.Lock()
	first := t.first
	t.mu.Unlock()
	now := time.Now().Add(sayIn)
	switch epoch = run.GetEpoch(); {
	case epoch == nil && first == 0: // not known yet
	case epoch == nil:
		t.r.clock.set(&understudyv1.Epoch{RecordedUnixNano: first, StartUnixNano: now.UnixNano()})
	case t.silence.IsZero() || isPaused(epoch):
		t.r.clock.set(epoch)
	default:
		epoch = paused(epoch, t.silence)
		epoch.Pauses[len(epoch.Pauses)-1].Dead = true
		t.r.clock.set(resumed(epoch, now))
		t.r.log.Info("the run goes on where nobody had been at work", "since", t.silence.UTC())
	}
}
