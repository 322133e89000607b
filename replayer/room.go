package replayer

import "sync"

// room bounds how many bytes a queue holds.
type room struct {
	limit int64

	mu   sync.Mutex
	free sync.Cond
	held int64
}

func newRoom(limit int64) *room {
	r := &room{limit: limit}
	r.free.L = &r.mu
	return r
}

// take waits for room; one exchange always has some.
func (r *room) take(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.held > 0 && r.held+n > r.limit {
		r.free.Wait()
	}
	r.held += n
}

// give gives back what was taken.
func (r *room) give(n int64) {
	r.mu.Lock()
	r.held -= n
	r.mu.Unlock()
	r.free.Signal()
}
