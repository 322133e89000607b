package replayer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"understudy.dev/exchange/kill"
)

// errKilled ends a run whose kill switch was turned on.
var errKilled = errors.New("the kill switch is on")

// killSwitch is that of the configuration, nil if it has none.
func (cfg Config) killSwitch(log *slog.Logger) *kill.Switch {
	if cfg.KillFile == "" {
		return nil
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return kill.New(cfg.KillFile, "nothing is sent to a candidate", log)
}

// Kill is the kill switch of the run, nil if it has none.
func (r *Replayer) Kill() *kill.Switch { return r.kill }

// watchKill ends the run once its kill switch is on: cut ends what is under way,
// and nobody is told to cancel anything. It is watched until stop is called.
func (r *Replayer) watchKill(ctx context.Context, cut func()) (stop func()) {
	if r.kill == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var watching sync.WaitGroup
	watching.Go(func() { r.kill.Run(ctx) })
	watching.Go(func() {
		again := time.NewTicker(kill.Every)
		defer again.Stop()
		for !r.kill.On() {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
		}
		if r.team != nil {
			r.team.keepInterrupted()
		}
		r.client.Silence()
		r.failing.stop(errKilled)
		cut()
		if r.cfg.Stop == nil {
			return
		}
		if err := r.cfg.Stop(ctx); err != nil {
			r.log.Error("the other workers of the run could not be told to stop", "error", err)
		}
	})
	return func() { cancel(); watching.Wait() }
}

// keepInterrupted says that what is interrupted is written as such, and not left to
// another worker.
func (t *team) keepInterrupted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes = true
}

// isKilled says whether nothing may be sent any more.
func (r *Replayer) isKilled() bool { return r.kill != nil && r.kill.On() }
