package candidate

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"understudy.dev/demo/fault"
)

// workTime is what a job takes: 8 to 20 ms.
func workTime() time.Duration { return 8*time.Millisecond + rand.N(12*time.Millisecond) }

// Run does accepted work, one job at a time and in order within a session,
// until ctx ends; then it drops what is waiting and returns when the jobs that
// it had begun have ended.
func (c *Candidate) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	ready := make(chan string)
	queues := map[string][]*job{} // present while a job of the session runs

	start := func(j *job, inOrder bool) {
		running.Go(func() {
			c.process(ctx, j)
			c.waiting.Add(-1)
			if !inOrder {
				return
			}
			select {
			case ready <- j.session:
			case <-ctx.Done():
			}
		})
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case j := <-c.jobs:
			queue, busy := queues[j.session]
			switch {
			case j.aside < 0: // lost
				c.waiting.Add(-1)
			case j.aside > 0 || j.session == "":
				start(j, false)
			case busy:
				queues[j.session] = append(queue, j)
			default:
				queues[j.session] = nil
				start(j, true)
			}
		case session := <-ready:
			if queue := queues[session]; len(queue) > 0 {
				queues[session] = queue[1:]
				start(queue[0], true)
			} else {
				delete(queues, session)
			}
		}
	}
}

// pair tells which of two orders that follow each other ended first.
type pair struct {
	secondEnded string // its reference
}

// noteOrder plants the reordering in the book when it has happened: the held
// job ends and its later twin has ended before.
func (c *Candidate) noteOrder(j *job) {
	base, place := fault.Split(j.in.reference)
	if c.cfg.Faults == nil || place != "first" && place != "second" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch p := c.pairs[base]; {
	case place == "first" && p != nil:
		c.cfg.Faults.Plant(fault.Reordered, p.secondEnded)
		delete(c.pairs, base)
	case place == "second" && fault.Decide(j.in.Pattern, base+".first") == fault.Reordered && len(c.pairs) < maxWaiting:
		c.pairs[base] = &pair{secondEnded: j.in.reference}
	}
}
