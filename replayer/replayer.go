// Package replayer drives recorded exchanges against the candidate on the
// schedule of the recording, waits for how each ends, and writes the pair of
// both systems' behaviour as one replay.
//
// It is an open loop: what is due is sent, whatever the candidate does. Every
// exchange that was selected ends in exactly one replay, sent or skipped for a
// reason, and the run's books show it.
package replayer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/kill"
	"understudy.dev/exchange/target"
	"understudy.dev/replayer/rewrite"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Source gives the exchanges of a run in the order of their recorded start.
type Source interface {
	// Next waits for the next exchange; io.EOF after the last.
	Next(ctx context.Context) (*understudyv1.Exchange, error)
	// Unselected counts what was read and left out, by reason.
	Unselected() map[string]uint64
	// Late counts what it gave after something that began later, because it was
	// read too late for its place.
	Late() uint64
}

// Sink takes what a run produces.
type Sink interface {
	// Replay hands a replay over; it may wait while buffers are full. done is
	// called exactly once, nil when the record is safe.
	Replay(ctx context.Context, r *understudyv1.Replay, done func(error))
	// Run writes the state of the run.
	Run(ctx context.Context, r *understudyv1.Run) error
	// Flush waits until everything handed over is done.
	Flush(ctx context.Context) error
}

// Replayer runs one run.
type Replayer struct {
	cfg      Config
	spec     *understudyv1.RunSpec
	source   Source
	sink     Sink
	log      *slog.Logger
	metrics  metrics
	client   *target.Client
	to       recipient
	controls *controls // nil if there is no control sample
	order    *target.Order
	books    *books
	patience time.Duration // for an answer that a later request needs
	stop     chan struct{} // closed when nothing may be waited for any more
	skips    *skips
	failing  failing
	tokens   sync.Once // that requests with tokens are sent is said
	selector selector
	board    Board // nil if nobody else says anything of the run
	team     *team // nil if the run is replayed alone
	clock    *clock
	kill     *kill.Switch // nil if there is none
	baseline *baseline    // nil where replaying onto it is meant
	rules    rewrite.Rules

	host string // of the candidate
	// lap is the one that is registered, and memories are its clones'. They belong to
	// the reader, and so does registered, how many exchanges are selected so far.
	lap        uint32
	memories   map[uint32]*substitute.Memory
	registered uint64
	crowd      *crowd // nil in an open run
	running    sync.WaitGroup
	lanes      sync.Map // session → chan struct{}, closed when its last request is finished
}

// How a run can fail that came to its end, beside what the source and the sink
// say.
var (
	// ErrLag: it kept its schedule worse than its budget.
	ErrLag = errors.New("the schedule was not kept")
	// ErrNothing: it selected no exchange.
	ErrNothing = errors.New("nothing to replay")
)

// New prepares a run; spec is what its records say was asked for.
func New(cfg Config, spec *understudyv1.RunSpec, source Source, sink Sink, log *slog.Logger, reg prometheus.Registerer) (*Replayer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	host := ""
	if u, err := url.Parse(cfg.Candidate); err == nil {
		host = u.Hostname()
	}
	books := newBooks(spec, cfg.Run, time.Now(), cfg.Resume)
	books.isShared = cfg.Team != nil
	m, err := newMetrics(reg, books)
	if err != nil {
		return nil, err
	}
	r := &Replayer{
		cfg: cfg, spec: spec, kill: cfg.killSwitch(log), source: source, sink: sink, log: log, metrics: m,
		host: host, crowd: newCrowd(cfg.Load, cfg.InFlight), stop: make(chan struct{}),
		books: books, patience: cfg.patience(), board: cfg.Board,
	}
	if cfg.Team != nil {
		r.team = newTeam(r, cfg.Team, cfg.Worker)
	}
	if r.selector, err = newSelector(cfg.Select, cfg.Chosen); err != nil {
		return nil, err
	}
	if r.client, err = target.New(cfg.client(), r.orphan, log, reg); err != nil {
		return nil, err
	}
	r.order = target.NewOrder(cfg.OrderTolerance, r.client)
	books.took = r.client.Took
	r.to = recipient{run: cfg.Run, base: r.client.Base, headers: cfg.Headers, recordedHost: cfg.PreserveHost, mark: cfg.mark()}
	if r.rules, err = rewrite.New(cfg.Rewrite); err != nil {
		return nil, err
	}
	if !cfg.OntoBaseline {
		r.baseline = newBaseline(cfg.Candidate, nil)
	}
	if r.controls, err = newControls(cfg, books, log, reg); err != nil {
		return nil, err
	}
	return r, nil
}

// Progress is a snapshot; it may be called while Run runs.
func (r *Replayer) Progress() Progress { return r.books.progress() }

// recordEvery is how often the run's state is written.
const recordEvery = 2 * time.Second

// Run replays until the source ends, then waits for what is in flight. When
// ctx ends it stops sending, waits at most Drain, and returns ctx's error. The
// final state of the run is returned in any case.
func (r *Replayer) Run(ctx context.Context) (*understudyv1.Run, error) {
	if r.team != nil {
		return r.runShared(ctx)
	}
	// What was sent must be written even when the run is interrupted.
	keep := context.WithoutCancel(ctx)
	stopClient, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	sending, tooMany := context.WithCancelCause(ctx)
	defer tooMany(nil)
	r.failing.stop = tooMany
	r.clock = newClock(sending, nil)
	if err := r.sink.Run(keep, r.record()); err != nil {
		stopClient()
		return nil, fmt.Errorf("write the state of the run: %w", err)
	}
	stopReporting := r.reportState(keep)
	inner, cancel := context.WithCancel(keep)
	defer cancel()
	defer r.watchKill(ctx, cancel)()
	r.skips = startSkips(inner, func(ctx context.Context, replay *one) { r.close(ctx, replay) })
	err = r.send(sending, inner)
	failed, refused := (*CandidateError)(nil), (*Refusal)(nil)
	switch cause := context.Cause(sending); {
	case errors.As(cause, &failed):
		err = failed
	case errors.As(cause, &refused), errors.Is(cause, errKilled), errors.Is(cause, errStopped), errors.Is(cause, errEnded), errors.Is(cause, ErrTakenOver):
		err = cause
	}
	r.drain(ctx, cancel)
	if n, all := r.books.errors(); failed != nil && n == all {
		err = r.unanswered() // with those that were under way, as the books have it
	}
	r.skips.end()
	if r.controls != nil {
		r.controls.direct.Close()
	}
	stopClient()
	flushErr := r.sink.Flush(keep)
	stopReporting()
	if errors.Is(err, ErrTakenOver) || errors.Is(err, errEnded) {
		run, _, _, _ := r.board.Look()
		return run, errors.Join(ErrTakenOver, flushErr)
	}
	return r.finish(keep, err, flushErr)
}

// reportState writes the run's state at intervals.
func (r *Replayer) reportState(ctx context.Context) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(recordEvery)
		defer tick.Stop()
		var changed <-chan struct{} // never, without a board
		for {
			_, _, _, current := r.clock.now()
			if r.board != nil {
				_, _, _, changed = r.board.Look()
				r.look()
				r.obey()
			}
			select {
			case <-quit:
				return
			case <-changed:
			case <-current.Done():
				if current.Err() != nil && r.clock.parent.Err() == nil {
					r.write(ctx) // another epoch
					continue
				}
				select {
				case <-quit:
					return
				case <-tick.C:
					r.write(ctx)
				}
			case <-tick.C:
				r.write(ctx)
			}
		}
	}()
	return func() { close(quit); <-done }
}

// deal sends an exchange that is due, or keeps it until its part comes to this
// worker or another has done it.
func (r *Replayer) deal(ctx context.Context, e recorded, due time.Time, moments []*understudyv1.Moment) {
	one := r.newOne(e, due, moments)
	epoch, _, _, _ := r.clock.now()
	for _, p := range epoch.GetPauses() {
		if since := due.UnixNano() - p.GetToUnixNano(); p.GetDead() && since >= 0 && since < int64(silentAfter) {
			one.Attempt = 2 // it was due when the last worker was killed
		}
	}
	if p, now := r.team.place(one); now {
		r.launch(p.ctx, one, p.running.Done)
		return
	}
	r.team.makeRoom(ctx)
}

// skipAt writes an exchange that is due as skipped, off the schedule.
func (r *Replayer) skipAt(one *one, reason string) {
	one.Skipped, one.ScheduledUnixNano = reason, 0
	r.skips.add(one)
}

// launch sends or skips an exchange that is due; ended, if not nil, is called
// when nothing of it is under way.
func (r *Replayer) launch(inner context.Context, one *one, ended func()) {
	if ended == nil {
		ended = func() {}
	}
	e := one.GetExchange()
	reason := r.sendable(e)
	if reason == "" {
		if copyIn(one.Replay).isFirst() {
			one.isControlled, one.unasked = r.controls.take(e)
		}
		if !one.isControlled || one.unasked != "" {
			one.control.Settle()
		}
		size := withControl(e, one.isControlled && one.unasked == "")
		reason = r.place(one, size)
	}
	if reason != "" {
		r.skipAt(one, reason)
		ended()
		return
	}
	lane := copyIn(one.Replay).name(e.GetSession())
	var before, after chan struct{}
	if r.cfg.Order != OrderNone {
		after = make(chan struct{})
		if last, ok := r.lanes.Swap(lane, after); ok {
			before = last.(chan struct{})
		}
	}
	if after != nil {
		one.free = sync.OnceFunc(func() {
			r.lanes.CompareAndDelete(lane, after)
			close(after)
		})
	}
	one.known.Join(one.due)
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		defer ended()
		defer one.goes()
		if one.free != nil {
			defer one.free()
		}
		if before != nil {
			select {
			case <-before:
				one.holdUntil(time.Now())
			case <-inner.Done():
			}
		}
		r.drive(inner, one)
	}()
}

// drain waits for what is in flight: for as long as it takes when the run ended
// by itself, at most Drain when it was interrupted.
func (r *Replayer) drain(ctx context.Context, cancel context.CancelFunc) {
	done := make(chan struct{})
	go func() { r.running.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(r.cfg.Drain):
		close(r.stop)
		cancel()
		<-done
	}
}

// finish settles the books and writes the last state. A run that could not
// write has failed even if it was interrupted.
func (r *Replayer) finish(ctx context.Context, err, writing error) (*understudyv1.Run, error) {
	if n, last := r.books.failure(); n > 0 {
		writing = errors.Join(writing, fmt.Errorf("%d replay(s) could not be written: %w", n, last))
	}
	if err == nil && writing == nil {
		err = r.result()
	}
	state, detail := understudyv1.Run_STATE_COMPLETED, ""
	switch {
	case errors.Is(err, errStopped) && writing == nil:
		state, detail, err = understudyv1.Run_STATE_CANCELED, errStopped.Error(), nil
	case errors.Is(err, errKilled) && writing == nil:
		state, detail = understudyv1.Run_STATE_CANCELED, fmt.Sprintf("%v (%s)", errKilled, r.cfg.KillFile)
		err = errors.New(detail)
	case errors.Is(err, context.Canceled) && writing == nil:
		state, detail = understudyv1.Run_STATE_CANCELED, "interrupted"
	case err != nil || writing != nil:
		err = errors.Join(err, writing)
		state, detail = understudyv1.Run_STATE_FAILED, err.Error()
	}
	r.books.end(state, detail, r.source.Unselected(), r.source.Late(), time.Now())
	last := r.record()
	if writeErr := r.sink.Run(ctx, last); writeErr != nil {
		err = errors.Join(err, fmt.Errorf("write the state of the run: %w", writeErr))
	}
	return last, err
}

// result says what a run that came to its end has not shown.
func (r *Replayer) result() error {
	failed, ended := r.books.errors()
	p := r.books.progress()
	switch {
	case r.cfg.Follow: // shadow mode ends when it is told to
	case p.Selected == 0:
		return ErrNothing
	case ended > 0 && failed == ended:
		return r.unanswered()
	case ended == 0 && r.books.unwritable() > 0:
		return fmt.Errorf("nothing was sent: a rule of rewrite failed on each of %d requests; understudy show says why", r.books.unwritable())
	}
	if r.cfg.LagBudget > 0 && p.LagP99 > r.cfg.LagBudget {
		return fmt.Errorf("%w: the 99th percentile of the lag is %s, the budget %s", ErrLag, p.LagP99, r.cfg.LagBudget)
	}
	return nil
}
