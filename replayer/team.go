package replayer

import (
	"context"
	"errors"
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
