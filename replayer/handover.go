package replayer

import (
	"context"
	"fmt"
	"time"
)

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
