package candidate

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"understudy.dev/demo/fault"
	"understudy.dev/demo/shop"
)

const (
	// maxOperations is how many operations can be polled; the oldest are
	// forgotten first.
	maxOperations = 100_000
	// maxWaiting bounds the jobs in all queues; a request beyond it is
	// answered 503.
	maxWaiting = 10_000

	// heldFor is how long the first of two reordered orders is held back;
	// lateBy is past the deadline in demo.yaml and before its timeout.
	heldFor = 600 * time.Millisecond
	lateBy  = 2 * time.Second
)

// job is one accepted request.
type job struct {
	session   string
	in        *request
	do        func() answer
	operation string // id, "" when a callback was asked for
	callback  string // URL, "" when it is polled
	aside     time.Duration
}

// operation is what a poll shows.
type operation struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Code   int    `json:"status_code,omitempty"`
	Result any    `json:"result,omitempty"`
}

// accept queues work and says where its end will be seen: the operation named
// in the given header, or the callback the client asked for.
func (c *Candidate) accept(in *request, header string, do func() answer) answer {
	if c.waiting.Add(1) > maxWaiting {
		c.waiting.Add(-1)
		return refuse(&shop.Error{Status: http.StatusServiceUnavailable, Code: "busy", Message: "too many requests are waiting"})
	}
	j := &job{session: shop.Session(in.Request), in: in, do: do, operation: newID()}
	a := answer{status: http.StatusAccepted, header: http.Header{}}
	if callback := in.Header.Get("Callback-Url"); callback != "" && in.Pattern == "POST /orders/{id}/payments" {
		if !onThisMachine(callback) {
			c.waiting.Add(-1)
			return refuse(&shop.Error{Status: http.StatusBadRequest, Code: "callback", Message: "Callback-Url must be an http URL on this machine"})
		}
		j.callback = callback
	} else {
		c.open(j.operation)
		a.header.Set(header, "/operations/"+j.operation)
	}
	a.body = operation{ID: j.operation, Status: "accepted"}
	c.misplace(j)
	select {
	case c.jobs <- j:
		return a
	case <-in.Context().Done():
		c.waiting.Add(-1)
		return refuse(in.Context().Err())
	}
}

// misplace plants the faults of time and order on a job.
func (c *Candidate) misplace(j *job) {
	switch {
	case j.in.fault == fault.Reordered:
		j.aside = heldFor
	case c.hit(j.in, fault.Late):
		j.aside = lateBy
	case c.hit(j.in, fault.Lost):
		j.aside = -1
	}
}

// onThisMachine keeps the demo from being used to reach other hosts.
func onThisMachine(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" {
		return false
	}
	switch u.Hostname() {
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}

func (c *Candidate) open(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) >= maxOperations {
		delete(c.operations, c.ids[0])
		c.ids = c.ids[1:]
	}
	c.ids = append(c.ids, id)
	c.operations[id] = &operation{ID: id, Status: "running"}
}

// operation answers a poll. It asks for no credential: who knows the id of an
// operation was given it.
func (c *Candidate) operation(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	op, ok := c.operations[r.PathValue("id")]
	var now operation
	if ok {
		now = *op
	}
	c.mu.Unlock()
	if !ok {
		refuse(&shop.Error{Status: http.StatusNotFound, Code: "not_found", Message: "no such operation"}).write(w)
		return
	}
	answer{status: http.StatusOK, body: now}.write(w)
}

// ended is the document that shows the end of a job.
func ended(id string, a answer) operation {
	op := operation{ID: id, Status: "succeeded", Code: a.status, Result: a.body}
	if a.status >= 400 {
		op.Status = "failed"
	}
	return op
}

// process does the work of a job and tells its end.
func (c *Candidate) process(ctx context.Context, j *job) {
	if !pause(ctx, j.aside+workTime()) {
		return
	}
	op := ended(j.operation, j.do())
	c.noteOrder(j)
	if j.callback != "" {
		c.callBack(ctx, j, op)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operations[op.ID] != nil {
		c.operations[op.ID] = &op
	}
}
