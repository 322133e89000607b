package sender

import (
	"context"
	"slices"
	"sync"
	"time"

	"understudy.dev/exchange/pace"
)

// clock does things at their moments, on a thread of its own. A request is made
// ready before it is due; what then remains to be done at its moment is one
// write, which waits for nobody: not for a goroutine to be scheduled behind those
// that look at earlier answers.
//
// The thread is there as long as anything waits.
type clock struct {
	mu        sync.Mutex
	waiting   []*moment // by their time
	runs      bool
	isVirtual bool // no thread is needed
}

// task is something to do at a moment.
type task interface{ do() }

// nothing is the task of who only waits.
type nothing struct{}

func (nothing) do() {}

// moment is one thing to do.
type moment struct {
	task
	at   time.Time
	done chan struct{}
}

// at does something at a time, at once if that is past, and returns after it.
func (c *clock) at(at time.Time, t task) {
	if !time.Now().Before(at) {
		t.do()
		return
	}
	m := &moment{t, at, make(chan struct{})}
	c.mu.Lock()
	if len(c.waiting) > 0 && at.Before(c.waiting[0].at) { // the thread sleeps until then
		c.mu.Unlock()
		time.Sleep(time.Until(at))
		t.do()
		return
	}
	i := len(c.waiting)
	for i > 0 && at.Before(c.waiting[i-1].at) {
		i--
	}
	c.waiting = slices.Insert(c.waiting, i, m)
	starts := !c.runs
	c.runs = true
	c.mu.Unlock()
	if starts {
		go c.run()
	}
	<-m.done
}

// run does what waits until nothing does.
func (c *clock) run() {
	pacer := new(pace.Pacer)
	if !c.isVirtual { // only whoever runs looks at it
		precise, stop := pace.Start()
		defer stop()
		pacer = precise
	}
	for {
		c.mu.Lock()
		if len(c.waiting) == 0 {
			c.waiting, c.runs, c.isVirtual = nil, false, c.isVirtual || pacer.IsVirtual()
			c.mu.Unlock()
			return
		}
		next := c.waiting[0]
		c.mu.Unlock()
		_ = pacer.Until(context.Background(), next.at)
		next.do()
		c.mu.Lock()
		c.waiting[0] = nil
		c.waiting = c.waiting[1:]
		c.mu.Unlock()
		close(next.done)
	}
}
