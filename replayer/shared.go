package replayer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// runShared is Run of one worker of a team.
func (r *Replayer) runShared(ctx context.Context) (*understudyv1.Run, error) {
	t, keep := r.team, context.WithoutCancel(ctx)
	stopClient, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(keep)
	defer cancel()
	t.inner = inner
	r.skips = startSkips(inner, func(ctx context.Context, x *one) { r.close(ctx, x) })
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.failing.stop = stop
	t.sending = sending
	r.clock = newClock(sending, nil)
	if _, latest := t.others(); time.Since(latest) > silentAfter {
		run, _, _, _ := r.board.Look()
		t.silence, t.stale = latest, run.GetVersion()
	}
	defer r.watchKill(ctx, cancel)()
	following, stopFollowing := context.WithCancel(keep)
	var background sync.WaitGroup
	background.Go(func() {
		if err := t.Follow(following, r.hear); err != nil {
			stop(err)
		}
	})
	background.Go(func() {
		if err := t.CaughtUp(sending); err != nil && sending.Err() == nil {
			stop(err)
		}
		t.ledger.catchUp()
	})
	background.Go(func() { t.keepBooks(following) })
	t.share(keep)
	leave, joined := func() {}, make(chan struct{})
	go func() {
		defer close(joined)
		select {
		case <-sending.Done():
		case <-t.atHand:
			if out, err := t.Join(sending, t.gained, t.lost); err != nil {
				stop(err)
			} else {
				leave = out
			}
		}
	}()
	err = r.send(sending, inner)
	if err == nil {
		err = t.ledger.wait(sending)
	} else {
		stop(err)
	}
	<-joined
	err = r.parting(ctx, sending, err, stopClient, cancel)
	run, err := r.settleShared(keep, ctx, err)
	leave()
	stopFollowing()
	cancel()
	background.Wait()
	t.worker.Wait()
	return run, err
}

// parting ends what this worker does and returns why: nil if all is done.
func (r *Replayer) parting(ctx, sending context.Context, err error, stopClient func(), cancel context.CancelFunc) error {
	t := r.team
	if cause := context.Cause(sending); sending.Err() != nil && cause != nil {
		err = cause
	}
	if errors.Is(err, errEnded) {
		err = nil
	}
	t.mu.Lock()
	t.isDone, t.writes = true, t.writes || errors.Is(err, errStopped)
	t.mu.Unlock()
	done := make(chan struct{})
	go func() { r.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(r.cfg.Drain):
		close(r.stop)
		cancel()
		<-done
	}
	r.skips.end()
	if r.controls != nil {
		r.controls.direct.Close()
	}
	stopClient()
	return errors.Join(err, r.sink.Flush(context.WithoutCancel(ctx)))
}

// settleShared waits until all workers are done, writes the last state of the
// run if this one keeps its books, and returns that state.
func (r *Replayer) settleShared(keep, ctx context.Context, err error) (*understudyv1.Run, error) {
	t := r.team
	t.share(keep)
	if n, last := r.books.failure(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d replay(s) could not be written: %w", n, last))
	}
	isOver := err == nil || errors.Is(err, errStopped) || errors.Is(err, errKilled)
	for isOver && ctx.Err() == nil {
		run, _, _, changed := r.board.Look()
		if run.GetState().Ended() {
			return run, nil
		}
		if isBusy, _ := t.others(); t.holds(0) && !isBusy {
			break
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(200 * time.Millisecond):
		}
	}
	failed := (*CandidateError)(nil)
	if !isOver && !(errors.As(err, &failed) && t.holds(0)) || ctx.Err() != nil {
		run, _, _, _ := r.board.Look()
		return run, errors.Join(err, ctx.Err()) // the others go on
	}
	if caught := t.CaughtUp(keep); caught != nil {
		return nil, caught
	}
	return r.finish(keep, err, nil)
}
