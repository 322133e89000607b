package replayer

import (
	"context"
	"slices"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

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
