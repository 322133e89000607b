package accuracy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// candidate is the candidate's HTTP face.
type candidate struct {
	w       *world
	pairs   map[string]*pair
	mu      sync.Mutex
	jobs    map[string]*job
	busy    map[string]*busy // by session
	calling sync.WaitGroup
	client  *http.Client // of callbacks
}

// job is an operation that has been accepted.
type job struct {
	p     *pair
	ready time.Time
	done  []byte
}

// busy is until when a session's operations take, and those that are late, the
// last of which was accepted at since.
type busy struct{ until, since, late time.Time }

// The times of operations.
const (
	timeout  = 10 * time.Second
	deadline = 4 * time.Second
	tooLate  = 6 * time.Second
	linger   = 3 * time.Second
)

func newCandidate(w *world) *candidate {
	c := &candidate{w: w, pairs: map[string]*pair{}, jobs: map[string]*job{}, busy: map[string]*busy{}}
	for _, p := range w.pairs {
		c.pairs[p.id] = p
	}
	return c
}

func (c *candidate) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, _ := io.ReadAll(r.Body)
	if id, ok := strings.CutPrefix(r.URL.Path, "/operations/"); ok {
		c.poll(rw, id)
		return
	}
	p := c.pairs[r.Header.Get("Idempotency-Key")]
	if p == nil {
		http.Error(rw, "unknown", http.StatusTeapot)
		return
	}
	c.mu.Lock()
	again := p.asked // a client may repeat what has a key
	p.asked = true
	c.mu.Unlock()
	c.await(p)
	defer c.settle(p)
	time.Sleep(p.took / 2)
	now := time.Now()
	x := c.w.candidate.render(now)
	x.request = r.Header
	if p.needs != nil {
		if !again {
			p.oracle.err("%s was sent, whose name was never made", r.RequestURI)
		}
		send(rw, answerOf(http.StatusNotFound, of("error", "not_found")).write(x))
		return
	}
	if !again && !c.w.examine(p, r, body) {
		p.strayed = true
		send(rw, answerOf(http.StatusNotFound, of("error", "not_found")).write(x))
		return
	}
	time.Sleep(p.took / 2)
	switch p.ending {
	case atOnce:
		send(rw, p.candidate.write(x))
	case broken:
		if conn, _, err := rw.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close()
		}
	case calledBack, calledTwice, contradictory:
		rw.WriteHeader(http.StatusAccepted)
		c.calling.Add(1)
		go c.callBack(p, r.Header.Get("Callback-Url"), x, c.ready(p, arrived))
	default:
		ready := c.ready(p, arrived)
		c.mu.Lock()
		c.jobs[p.id] = &job{p: p, ready: ready, done: plain(object{{"status", "succeeded"}, {"result", p.candidate.body.render(x)}})}
		c.mu.Unlock()
		rw.Header().Set("Location", "/operations/"+p.id)
		rw.WriteHeader(http.StatusAccepted)
	}
}

// await takes the requests of a session in their order, as a client that waits
// for answers would send them: a replay without order may be early with one that
// names nothing of the one before, which is not what is measured here.
func (c *candidate) await(p *pair) {
	if p.before == nil {
		return
	}
	select {
	case <-p.before.settled:
		return
	default:
	}
	select {
	case <-p.before.settled:
		time.Sleep(20 * time.Millisecond) // its answer is on the way
	case <-time.After(10 * time.Second):
	}
}

// settle says that nothing more is to be waited for.
func (c *candidate) settle(p *pair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-p.settled:
	default:
		close(p.settled)
	}
}

// ready is when an operation that is accepted now will be done: after those that
// the session has begun before, unless one of them is to be late. To overtake
// that is a difference of its own, if it had been accepted before this one
// arrived: a replay may send two of a session side by side that the recording had
// one after the other, and either may then be done first.
func (c *candidate) ready(p *pair, arrived time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.busy[p.session]
	if b == nil {
		b = &busy{}
		c.busy[p.session] = b
	}
	now := time.Now()
	switch p.ending {
	case lost:
		return now.Add(time.Hour)
	case late:
		b.since, b.late = now, now.Add(tooLate)
		return b.late
	case polled, failed:
		if p.start.UnixNano()%2 == 0 {
			now = now.Add(40 * time.Millisecond) // the first poll comes before
		}
	default:
		now = now.Add(5 * time.Millisecond)
	}
	b.until = latest(now, b.until.Add(time.Millisecond))
	switch left := b.late.Sub(b.until); {
	case left > provably && arrived.After(b.since) && (p.kind == nil || p.kind.class == noises):
		p.kind, p.place = overtakes, "completion"
	case left > -time.Millisecond && left <= provably:
		b.until = b.late.Add(time.Millisecond)
	}
	return b.until
}

// provably is by how much a late operation must be overtaken for a poll to fall
// between: the longest pause between two.
const provably = 1100 * time.Millisecond

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// callBack calls with the answer when it is ready, once or twice.
func (c *candidate) callBack(p *pair, url string, x *rendering, ready time.Time) {
	defer c.calling.Done()
	time.Sleep(time.Until(ready))
	post := func() {
		answer, err := c.client.Post(url, "application/json", bytes.NewReader(plain(p.candidate.body.render(x)))) //nolint:gosec,noctx // our own receiver
		if err == nil {
			_ = answer.Body.Close()
		}
	}
	post()
	if p.ending == contradictory {
		p.candidate.body.(*obj).set("doors", num("5"))
	}
	if p.ending != calledBack {
		time.Sleep(5 * time.Millisecond)
		post()
	}
}

// poll answers whoever asks for an operation.
func (c *candidate) poll(rw http.ResponseWriter, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.jobs[id]
	rw.Header().Set("Content-Type", "application/json")
	if j == nil {
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	switch {
	case time.Now().Before(j.ready):
		_, _ = rw.Write([]byte(`{"status":"running"}`))
	case j.p.ending == failed:
		_, _ = rw.Write([]byte(`{"status":"failed","error":{"code":"no_stock"}}`))
	default:
		_, _ = rw.Write(j.done)
	}
}

// send sends an answer as it is written.
func send(rw http.ResponseWriter, o wire) {
	h := rw.Header()
	h["Content-Type"] = nil // or one would be guessed
	for _, f := range o.fields {
		h.Add(f[0], f[1])
	}
	if o.sized && o.status != http.StatusNoContent {
		h.Set("Content-Length", decimal(len(o.body)))
	}
	rw.WriteHeader(o.status)
	_, _ = rw.Write(o.body)
	if !o.sized {
		_ = http.NewResponseController(rw).Flush()
	}
	for _, f := range o.trailers {
		h.Set(http.TrailerPrefix+f[0], f[1])
	}
}
