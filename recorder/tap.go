package recorder

import (
	"bufio"
	"errors"
	"maps"
	"net"
	"net/http"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/visit"
	"understudy.dev/recorder/books"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Wrap returns a handler that records what next does. All handlers that one
// Recorder wraps are counted together. Stop the HTTP server before ending Run's
// context: no tally counts what is served after the final one.
func (r *Recorder) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		entry, open := r.books.Open()
		if !open {
			next.ServeHTTP(w, in)
			return
		}
		t := &tapWriter{r: r, w: w, in: in, entry: entry, start: time.Now(), visit: visit.Of(in.Context())}
		if reason := r.begin(t); reason != "" {
			t.drop(reason)
			next.ServeHTTP(w, in)
			return
		}
		r.inFlight.Add(1)
		defer t.end()
		next.ServeHTTP(t, t.bodyOf(in))
		t.finished = true
	})
}

// begin takes the request's head. It returns the reason why the request is not
// recorded, "" if it is.
func (r *Recorder) begin(t *tapWriter) string {
	if r.paused.Load() {
		return books.ReasonPaused
	}
	if len(t.in.Header[message.ControlMark]) > 0 {
		return books.ReasonControl
	}
	if r.mark != "" && len(t.in.Header[r.mark]) > 0 {
		return books.ReasonReplay
	}
	if r.sampler != nil {
		if !r.sampler.takes(t.in.Method, session.OfRequest(t.in), r.sealer.Routes, t.session) {
			return books.ReasonSampled
		}
	}
	var size int64
	t.requestHead, size = snapshot(t.in.Header)
	size += int64(len(t.in.RequestURI) + len(t.in.Host))
	if !r.books.Reserve(size, r.cfg.MemoryLimit) {
		return books.ReasonMemory
	}
	t.headBytes = size
	limit := r.cfg.CaptureLimit
	if len(r.cfg.CaptureLimits) > 0 {
		if own, ok := r.cfg.CaptureLimits[r.sealer.Routes.Route(t.in.Method, session.TargetOf(t.in))]; ok {
			limit = own
		}
	}
	declared := t.in.ContentLength
	if declared == 0 { // or not declared
		declared = declaredLength(t.requestHead)
	}
	t.request.message.Expect(limit, declared)
	t.response.message.Expect(limit, -1)
	return ""
}

// session is the session's token before there is an answer: the door's, if there
// was one.
func (t *tapWriter) session(from session.Source) string {
	if t.visit != nil {
		return t.visit.Session
	}
	return t.r.sealer.Sessions.Session(from)
}

// bodyOf returns the request that the handler sees. It is a copy, because
// net/http checks the type of the body in the request that it made itself.
func (t *tapWriter) bodyOf(in *http.Request) *http.Request {
	if in.Body == nil || in.Body == http.NoBody {
		return in
	}
	out := new(http.Request)
	*out = *in
	out.Body = &requestBody{ReadCloser: in.Body, t: t, out: out}
	return out
}

// tapWriter is the http.ResponseWriter that a handler sees: it copies what
// passes. After the handler has returned, it waits in the queue.
type tapWriter struct {
	r     *Recorder
	w     http.ResponseWriter
	in    *http.Request
	entry *books.Entry
	start time.Time
	visit *visit.Visit // nil: nobody chose who serves it

	raw         *rawHeads // nil at a handler
	requestHead []field
	headBytes   int64
	request     capture

	status           int // 0 until the final response began
	responseHead     []field
	response         capture
	responseTrailers []field
	firstByte        time.Duration
	duration         time.Duration
	failure          *understudyv1.TransportError
	failedEarly      bool // the response is the proxy's own, not the upstream's
	finished         bool
	overflow         bool // its head did not fit under the memory limit
	queued           bool
}

// Header implements http.ResponseWriter.
func (t *tapWriter) Header() http.Header { return t.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (t *tapWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		t.began(status)
	}
	t.w.WriteHeader(status)
}

func (t *tapWriter) began(status int) {
	if t.status != 0 {
		return
	}
	t.firstByte = time.Since(t.start)
	t.status = status
	if t.failure != nil {
		t.failedEarly = true
		return
	}
	var size int64
	t.responseHead, size = snapshot(t.answerHead(status))
	if !t.r.books.Reserve(size, t.r.cfg.MemoryLimit) {
		t.responseHead, t.overflow = nil, true
		return
	}
	t.headBytes += size
	t.response.message.Declare(declaredLength(t.responseHead))
}

// answerHead leaves out Connection, by which the handler speaks about the
// client's connection to this server, unless it is part of an upgrade.
func (t *tapWriter) answerHead(status int) http.Header {
	h := t.w.Header()
	if _, ok := h["Connection"]; !ok || status == http.StatusSwitchingProtocols {
		return h
	}
	h = maps.Clone(h)
	delete(h, "Connection")
	return h
}

// Write implements http.ResponseWriter.
func (t *tapWriter) Write(p []byte) (int, error) {
	t.began(http.StatusOK)
	n, err := t.w.Write(p)
	if !t.failedEarly && t.in.Method != http.MethodHead {
		t.response.write(t.r.books, t.r.cfg.MemoryLimit, p[:n])
	}
	if err != nil && !errors.Is(err, http.ErrBodyNotAllowed) && !errors.Is(err, http.ErrContentLength) {
		t.clientGone()
	}
	return n, err
}

func (t *tapWriter) clientGone() {
	if t.failure == nil {
		t.failure = message.TransportError(message.ErrClientGone)
	}
}

// TransportError is called by a proxy behind this handler to say why there is
// no whole response. If the response has not begun, what the client then gets
// is the proxy's own answer, which is not recorded.
func (t *tapWriter) TransportError(e *understudyv1.TransportError) {
	if t.failure == nil {
		t.failure = e
	}
}

// Unwrap gives http.ResponseController the writer underneath.
func (t *tapWriter) Unwrap() http.ResponseWriter { return t.w }

// Flush implements http.Flusher for handlers that ask for it by type.
func (t *tapWriter) Flush() { _ = t.FlushError() }

// FlushError is what http.ResponseController calls.
func (t *tapWriter) FlushError() error {
	t.began(http.StatusOK)
	return http.NewResponseController(t.w).Flush()
}

// Hijack implements http.Hijacker. The exchange ends here: of an upgrade only
// the head is recorded, as the handler has set it on Header before.
func (t *tapWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.w).Hijack()
	if err == nil {
		t.began(http.StatusSwitchingProtocols)
		t.request.close(t.in.ContentLength == 0)
		t.response.close(true)
		t.queue()
		t.leave()
	}
	return conn, rw, err
}

// end is called when the handler has returned or panicked.
func (t *tapWriter) end() {
	if t.queued {
		return
	}
	defer t.leave()
	t.duration = time.Since(t.start)
	if t.status == 0 && t.finished && t.failure == nil {
		t.began(http.StatusOK) // as net/http answers then
	}
	t.request.close(t.in.ContentLength == 0)
	t.response.close(t.finished && t.failure == nil && (t.response.message.Declared() < 0 || t.in.Method == http.MethodHead || bodiless(t.status)))
	t.responseTrailers = trailers(t.w.Header(), t.responseHead)
	switch {
	case !t.finished && t.failure == nil:
		t.drop(books.ReasonPanic)
	case t.overflow:
		t.drop(books.ReasonMemory)
	default:
		t.queue()
	}
}

// leave tells drain that nothing more will come from this request.
func (t *tapWriter) leave() { t.r.inFlight.Add(-1) }

// queue hands the exchange to Run, or drops it when there is no room.
func (t *tapWriter) queue() {
	t.queued = true
	t.entry.Queue()
	select {
	case t.r.pending <- t:
	default:
		t.drop(books.ReasonBufferFull)
	}
}

// held is how many bytes of memory the exchange holds; call it when that no
// longer grows.
func (t *tapWriter) held() int64 {
	return t.headBytes + t.request.message.Held() + t.response.message.Held()
}

// drop ends an exchange that never reaches the sink.
func (t *tapWriter) drop(reason string) {
	t.r.books.Release(t.held())
	t.entry.Drop(reason)
}

// answered reports whether the upstream itself has answered.
func (t *tapWriter) answered() bool { return t.status != 0 && !t.failedEarly }

// bodiless are the statuses whose answers have no body (RFC 9110, 6.4.1).
func bodiless(status int) bool {
	return status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

func declaredLength(head []field) int64 {
	return message.DeclaredLength(values(head, "Content-Length"))
}
