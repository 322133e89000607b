package proxy

import "time"

// tick is how often connections are looked after. What takes longer than a tick
// pays for its deadlines, not each request.
const tick = 50 * time.Millisecond

// phase is what a client's connection is about.
type phase int32

const (
	opening   phase = iota // what comes before HTTP: a load balancer's header, TLS
	idle                   // no byte of a request has come
	reading                // some of a head
	asking                 // the request is with the upstream
	answering              // the head of the answer has gone out
	resting                // the answer has gone out, the upload goes on
	other                  // a tunnel, or the end
)

// cause is why a request was cancelled.
type cause int32

const (
	none    cause = iota
	gone          // the client
	late          // the upstream
	stopped       // the server
)

func (s *Server) now() time.Duration { return time.Duration(s.clock.Load()) }

// watch ends what takes too long.
func (s *Server) watch() {
	t := time.NewTicker(tick)
	defer t.Stop()
	var conns []*conn
	pools := s.pools()
	for {
		select {
		case <-t.C:
		case <-s.stop:
			return
		}
		s.clock.Store(int64(time.Since(s.start)))
		conns = s.all(conns[:0])
		for i, c := range conns {
			s.look(c)
			conns[i] = nil
		}
		for _, p := range pools {
			p.expire()
		}
	}
}

func (s *Server) look(c *conn) {
	now := s.now()
	at := phase(c.phase.Load())
	still := now - time.Duration(c.since.Load())
	switch at {
	case opening, idle, reading:
		limit := headTimeout
		if at == idle {
			limit = clientIdle
		}
		if still > limit {
			c.interrupt(at)
		}
	case resting:
		if still > uploadPause {
			c.cancel(stopped)
		}
	case asking, answering:
		if limit := time.Duration(c.patience.Load()); at == asking && limit > 0 && still > limit && c.sent.Load() {
			c.cancel(late)
			return
		}
		s.lookForClient(c, now, still)
	}
}

// lookForClient ends a request whose client is gone: at once if its connection
// broke; when it has closed its sending side only after HalfCloseTimeout without
// a byte that reached it, since it may wait for its answer.
func (s *Server) lookForClient(c *conn, now, still time.Duration) {
	if c.client == nil || still < tick {
		return
	}
	if c.nextLook > now && c.lookedAt == c.since.Load() {
		return
	}
	c.lookedAt, c.nextLook = c.since.Load(), now+min(max(still/4, tick), time.Second)
	switch hung, broken := c.client.HungUp(); {
	case broken:
		c.cancel(gone)
	case !hung:
		c.left = 0
	case c.left == 0:
		c.left = now
		c.nextLook = now
		fallthrough
	default:
		if limit := s.up.cfg.HalfCloseTimeout; now-c.left >= limit && still >= limit {
			c.cancel(gone)
		} else {
			c.nextLook = min(c.nextLook, now+max(limit-max(now-c.left, 0), tick))
		}
	}
}
