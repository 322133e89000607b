package proxy

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Kinds of failure, also the values of the metric's label. All but the last two
// are the labels of what message.TransportError gives.
const (
	kindConnect  = "connect"
	kindTimeout  = "timeout"
	kindReset    = "reset"
	kindCanceled = "canceled"
	kindProtocol = "protocol"
	kindRequest  = "request"
	kindRefused  = "refused"
)

// failure is what a kind means to the client and to the recorder.
type failure struct {
	status  int
	kind    understudyv1.TransportError_Kind
	message string
}

var failures = map[string]failure{
	kindConnect:  {http.StatusBadGateway, understudyv1.TransportError_KIND_CONNECT, "the upstream could not be reached"},
	kindTimeout:  {http.StatusGatewayTimeout, understudyv1.TransportError_KIND_TIMEOUT, "the upstream did not answer in time"},
	kindReset:    {http.StatusBadGateway, understudyv1.TransportError_KIND_RESET, "the upstream broke the connection"},
	kindCanceled: {http.StatusBadGateway, understudyv1.TransportError_KIND_CANCELED, message.ErrClientGone.Error()},
	kindProtocol: {http.StatusBadGateway, understudyv1.TransportError_KIND_PROTOCOL, "the upstream's answer is not valid HTTP"},
	kindRequest:  {http.StatusBadRequest, understudyv1.TransportError_KIND_CANCELED, "the request body broke off"},
	kindRefused:  {http.StatusBadRequest, understudyv1.TransportError_KIND_REFUSED, "the request target cannot be forwarded"},
}

// errStatus says that the upstream's status is no HTTP status.
var errStatus = errors.New("status is not of three digits from 100 on")

// errorSink is what a recorder's ResponseWriter implements to be told why
// there is no whole response.
type errorSink interface {
	TransportError(*understudyv1.TransportError)
}

func tell(w http.ResponseWriter, f failure) {
	for layer := range layers(w) {
		if s, ok := layer.(errorSink); ok {
			s.TransportError(&understudyv1.TransportError{Kind: f.kind, Message: f.message})
		}
	}
}

// fail answers a request whose response never began.
func (u *Upstream) fail(c *call, err error) {
	kind := kindOf(c, err)
	f := failures[kind]
	u.count(kind, err)
	tell(c.w, f)
	c.announceClose()
	writeError(c.w, f)
}

// refuse answers a request that is not sent on.
func (u *Upstream) refuse(w http.ResponseWriter) {
	f := failures[kindRefused]
	u.count(kindRefused, nil)
	tell(w, f)
	writeError(w, f)
}

// abort ends a response that has begun and cannot be finished, so that the
// client sees that it is cut.
func (u *Upstream) abort(c *call, err error) {
	kind := kindOf(c, err)
	u.count(kind, err)
	tell(c.w, failures[kind])
	c.closing = false
	if !c.in.ProtoAtLeast(1, 1) && c.w.Header()["Content-Length"] == nil {
		c.reset() // net/http ends the connection in order
	}
	panic(http.ErrAbortHandler)
}

// reset breaks the client's connection of HTTP/1.
func (c *call) reset() {
	conn := http.NewResponseController(c.w)
	if c.body != nil && conn.SetReadDeadline(time.Unix(1, 0)) == nil {
		c.body.Close()
		c.body.await()
	}
	if raw, _, err := conn.Hijack(); err == nil {
		reset(raw)
		raw.Close()
	}
}

func (u *Upstream) count(kind string, err error) {
	u.metrics.failures[kind].Inc()
	if kind != kindCanceled && kind != kindRefused && kind != kindRequest {
		u.failure.warn(kind, err)
	}
}

func writeError(w http.ResponseWriter, f failure) {
	text := strconv.Itoa(f.status) + " " + http.StatusText(f.status) + ": " + f.message + "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, text)
}

func kindOf(c *call, err error) string {
	switch {
	case errors.Is(err, message.ErrClientGone) || c.ctx.Err() != nil:
		return kindCanceled
	case c.body != nil && c.body.broken.Load():
		if c.in.Context().Err() != nil {
			return kindCanceled
		}
		return kindRequest
	}
	if kind := understudyv1.Label(message.TransportError(err).GetKind()); failures[kind].status != 0 {
		return kind
	}
	return kindReset
}

// sampler logs at most one failure of each kind in logEvery; the metric counts
// all of them.
type sampler struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[string]time.Time
}

const logEvery = 10 * time.Second

func (s *sampler) warn(kind string, err error) {
	if s.allow(kind) {
		// The error itself may quote what the upstream has sent.
		s.log.Warn("upstream failed", "kind", kind, "error", message.TransportError(err).GetMessage(), "at_most_every", logEvery)
	}
}

// allow reports whether enough time has gone by since the last time.
func (s *sampler) allow(kind string) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.last[kind]) < logEvery {
		return false
	}
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	s.last[kind] = now
	return true
}

// panicked says that a connection has ended by a fault of this program.
func (s *sampler) panicked(p any, stack []byte) {
	if s.allow("panic") {
		s.log.Error("a connection has ended by a fault of the proxy: panic", "panic", fmt.Sprintf("%T", p), "stack", string(stack), "at_most_every", logEvery)
	}
}

// Refuse answers with a status and one line of text that are of no side, and says
// so to a recorder. A pause above 0 is what Retry-After says, in whole seconds.
func Refuse(w http.ResponseWriter, status int, e *understudyv1.TransportError, pause time.Duration) {
	f := failure{status, e.GetKind(), e.GetMessage()}
	tell(w, f)
	if pause > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((pause+time.Second-1)/time.Second)))
	}
	writeError(w, f)
}
