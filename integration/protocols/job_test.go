package protocols

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// fate is what is to become of a request.
type fate string

const (
	fine       fate = "fine"
	differs    fate = "differs"   // completes with another answer
	refused    fate = "refused"   // the operation fails
	lost       fate = "lost"      // never completes
	tardy      fate = "tardy"     // completes after the deadline
	expired    fate = "expired"   // completes after the timeout
	repeated   fate = "repeated"  // completes twice with the same answer
	contrary   fate = "contrary"  // completes twice with two answers
	early      fate = "early"     // completes before its acknowledgement
	overtaken  fate = "overtaken" // completes long after the next of its session
	overtaking fate = "overtaking"
)

// pace are the times of a candidate. What must not happen by accident is caused,
// not timed: a request of a session completes after the one before it was seen
// complete, unless it is to overtake it.
type pace struct {
	works     time.Duration
	behind    time.Duration // of an overtaken one, after the other
	tardiness time.Duration // of a tardy one
	deadline  time.Duration
	timeout   time.Duration
	overdue   time.Duration // of an expired one
	linger    time.Duration
}

// paces are those on a quiet machine, and where others have the processors.
var paces = map[bool]pace{
	false: {
		works: 40 * time.Millisecond, behind: time.Second, tardiness: 2500 * time.Millisecond, deadline: time.Second,
		timeout: 6 * time.Second, overdue: 8 * time.Second, linger: 3 * time.Second,
	},
	true: {
		works: 40 * time.Millisecond, behind: 3 * time.Second, tardiness: 6 * time.Second, deadline: time.Second,
		timeout: 14 * time.Second, overdue: 17 * time.Second, linger: 3 * time.Second,
	},
}

// job is one request as the candidate sees it.
type job struct {
	pace
	n    int
	fate fate
	prev *job // of its session; nil for the first
	next *job

	mu       sync.Mutex
	received time.Time
	served   time.Time     // when its end was told first
	told     int           // how often it was
	asked    int           // polls since the next one's end was told
	finished chan struct{} // closed when its end was told
}

func newJob(p pace, n int, f fate) *job {
	return &job{pace: p, n: n, fate: f, finished: make(chan struct{})}
}

func (j *job) receive() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.received.IsZero() {
		j.received = time.Now()
	}
}

// tell notes that the end was told, and says whether it is not the first time.
func (j *job) tell() (again bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.told++; j.told == 1 {
		j.served = time.Now()
		close(j.finished)
	}
	return j.told > 1
}

func (j *job) toldAt() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.served
}

func since(t time.Time) time.Duration {
	if t.IsZero() {
		return -1
	}
	return time.Since(t)
}

// isDone says whether a poll is told the end.
func (j *job) isDone() bool {
	j.mu.Lock()
	received := j.received
	j.mu.Unlock()
	switch j.fate {
	case lost, expired:
		return false
	case tardy:
		return since(received) >= j.tardiness
	case overtaken:
		if since(j.next.toldAt()) < j.behind {
			return false
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		j.asked++
		return j.asked > 3
	case overtaking:
		return since(received) >= j.works
	}
	return since(received) >= j.works && (j.prev == nil || !j.prev.toldAt().IsZero() || j.prev.fate == lost || j.prev.fate == expired)
}

// wait waits until the end is to be told of its own accord; false if it never
// is.
func (j *job) wait(over <-chan struct{}) bool {
	pause := func(d time.Duration) bool {
		select {
		case <-time.After(d):
			return true
		case <-over:
			return false
		}
	}
	after := func(done <-chan struct{}) bool {
		select {
		case <-done:
			return true
		case <-over:
			return false
		}
	}
	switch j.fate {
	case lost:
		return false
	case early:
		return true
	case tardy:
		return pause(j.tardiness)
	case expired:
		return pause(j.overdue)
	case overtaken:
		return after(j.next.finished) && pause(j.behind)
	case overtaking:
		return pause(j.works)
	}
	if j.prev != nil && !after(j.prev.finished) {
		return false
	}
	return pause(3 * j.works)
}

// status and body are the answer, the second time perhaps another one.
func (j *job) answer(again bool) (status int, body string) {
	state := "paid"
	if j.fate == differs || j.fate == contrary && again {
		state = "refused"
	}
	if j.fate == refused {
		return http.StatusUnprocessableEntity, `{"error":"no stock"}`
	}
	return http.StatusCreated, fmt.Sprintf(`{"n":%d,"state":%q}`, j.n, state)
}
