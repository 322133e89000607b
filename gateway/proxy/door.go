package proxy

import (
	"errors"
	"net"
	"net/http"

	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Door chooses the side of each request, once, before it is sent. Its methods
// are on the live path: they wait for nothing.
type Door interface {
	// Enter is called with the head of each request that comes over HTTP/1.1.
	Enter(q *wire.Request, remote string) *visit.Visit
	// EnterHTTP is the same for a request as net/http has it.
	EnterHTTP(in *http.Request) *visit.Visit
	// Unreached says that the candidate could not be reached, so that not a byte
	// was sent to it, or only of a safe request that nobody answered. If the
	// baseline may serve it instead, it changes the visit so and returns true.
	Unreached(v *visit.Visit) bool
}

// unsentError says that no connection was to be had.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return "connect to the upstream: " + e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// choose finds out who serves the request.
func (c *conn) choose() {
	c.visit = nil
	if c.s.serving.Door != nil {
		c.visit = c.s.serving.Door.Enter(&c.req, c.remote)
	}
	c.direct()
}

// direct makes the visit's side the one that is asked.
func (c *conn) direct() {
	c.to = c.s.pool
	switch {
	case c.visit == nil:
	case c.visit.Faced && c.s.face != nil:
		c.to = c.s.face
	case c.visit.Side == understudyv1.Side_SIDE_CANDIDATE && c.s.other != nil:
		c.to = c.s.other
	}
	c.leg = nil
	if c.to != c.s.face {
		c.leg = c.visit.Leg()
	}
	c.patience.Store(int64(c.to.up.cfg.ResponseTimeout))
	c.resp.Limit = int(c.to.up.cfg.MaxHeaderBytes)
}

// retreat makes ready for the baseline what could not be sent to the candidate.
// The first bytes of what was to be sent, head of them, are the request's head;
// it is written anew, since the two may differ in it.
func (c *conn) retreat(err error, head int, target, authority []byte, own bool) bool {
	var unsent *unsentError
	if !errors.As(err, &unsent) || errors.Is(err, net.ErrClosed) || c.to != c.s.other || !c.s.serving.Door.Unreached(c.visit) {
		return false
	}
	c.to.up.count(c.kind(err), err)
	c.leg.Fail(c.kind(err))
	c.leg.End()
	body := append([]byte(nil), c.out[head:]...)
	c.direct()
	c.out = append(c.appendRequest(c.out[:0], target, authority, own), body...)
	return true
}

// Choice is the handler that asks the side which a Door has chosen: the door's
// visit is in the request's context, see package visit.
type Choice struct {
	Baseline, Candidate *Upstream
	Door                Door
	// Face, if there is one, answers what the door has sent to it.
	Face http.Handler
}

// ServeHTTP implements http.Handler.
func (s *Choice) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	v := visit.Of(in.Context())
	if v != nil && v.Faced && s.Face != nil {
		s.Face.ServeHTTP(w, in)
		return
	}
	if v != nil && v.Side == understudyv1.Side_SIDE_CANDIDATE && s.Candidate.serve(w, in, func() bool { return s.Door.Unreached(v) }) {
		return
	}
	s.Baseline.serve(w, in, nil)
}

// unsent reports that no connection was to be had for the call, and that nobody
// has read from the client's body; nobody can from then on.
func (c *call) unsent(err error) bool {
	var dial *net.OpError
	if !errors.As(err, &dial) || dial.Op != "dial" || c.ctx.Err() != nil {
		return false
	}
	if c.body == nil {
		return true
	}
	c.body.reading.Lock()
	defer c.body.reading.Unlock()
	if c.body.touched {
		return false
	}
	c.body.closed.Store(true)
	return true
}
