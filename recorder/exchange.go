package recorder

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// exchange is one request under way and, after the handler has returned, what
// waits in the queue. It is the ResponseWriter that the handler sees.
type exchange struct {
	r        *Recorder
	w        http.ResponseWriter
	in       *http.Request
	sequence uint64
	start    time.Time

	requestHead []field
	headBytes   int64
	request     capture

	status       int // 0 until the final response began
	responseHead []field
	response     capture
	trailers     []field
	reqTrailers  []field
	firstByte    time.Duration
	duration     time.Duration
	failure      *understudyv1.TransportError
	failedEarly  bool // the response is the proxy's own, not the upstream's
	finished     bool
	overflow     bool // its head did not fit under the memory limit
	queued       bool
}

// field is a header line; unlike an http.Header it does not change under the
// recorder's hands.
type field struct{ name, value string }

// lineOverhead is what a header line costs beside its bytes.
const lineOverhead = 64

func snapshot(h http.Header) (fields []field, size int64) {
	fields = make([]field, 0, len(h)+2)
	for name, values := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			continue
		}
		for _, v := range values {
			fields = append(fields, field{name, v})
			size += int64(len(name)+len(v)) + lineOverhead
		}
	}
	return fields, size
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		x.began(status)
	}
	x.w.WriteHeader(status)
}

func (x *exchange) began(status int) {
	if x.status != 0 {
		return
	}
	x.firstByte = time.Since(x.start)
	x.status = status
	if x.failure != nil {
		x.failedEarly = true
		return
	}
	var size int64
	x.responseHead, size = snapshot(x.answerHead(status))
	if !x.r.ledger.reserve(size, x.r.config.MemoryLimit) {
		x.responseHead, x.overflow = nil, true
		return
	}
	x.headBytes += size
	x.response.declared = declaredLength(x.responseHead)
}

// answerHead leaves out Connection, by which the handler speaks about the
// client's connection to this server, unless it is part of an upgrade.
func (x *exchange) answerHead(status int) http.Header {
	h := x.w.Header()
	if _, ok := h["Connection"]; !ok || status == http.StatusSwitchingProtocols {
		return h
	}
	h = maps.Clone(h)
	delete(h, "Connection")
	return h
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(p []byte) (int, error) {
	x.began(http.StatusOK)
	n, err := x.w.Write(p)
	if !x.failedEarly && x.in.Method != http.MethodHead {
		x.response.write(x.r.ledger, x.r.config.MemoryLimit, p[:n])
	}
	if err != nil && !errors.Is(err, http.ErrBodyNotAllowed) && !errors.Is(err, http.ErrContentLength) {
		x.clientGone()
	}
	return n, err
}

func (x *exchange) clientGone() {
	if x.failure == nil {
		x.failure = &understudyv1.TransportError{
			Kind: understudyv1.TransportError_KIND_CANCELED, Message: "the client went away",
		}
	}
}

// TransportError is called by a proxy further in to say why there is no whole
// response. Said before the response began, it also says that whatever the
// client gets is the proxy's own answer, which is not recorded.
func (x *exchange) TransportError(e *understudyv1.TransportError) {
	if x.failure == nil {
		x.failure = e
	}
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// Flush implements http.Flusher for handlers that ask for it by type.
func (x *exchange) Flush() { _ = x.FlushError() }

// FlushError is what http.ResponseController calls.
func (x *exchange) FlushError() error {
	x.began(http.StatusOK)
	return http.NewResponseController(x.w).Flush()
}

// Hijack implements http.Hijacker. The exchange ends here: of an upgrade only
// the head is recorded, as the handler has set it on Header by then.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(x.w).Hijack()
	if err == nil {
		x.began(http.StatusSwitchingProtocols)
		x.request.close(x.in.ContentLength == 0)
		x.response.close(true)
		x.queue()
		x.leave()
	}
	return conn, rw, err
}

// requestBody shows the handler the request body and captures what it reads.
type requestBody struct {
	io.ReadCloser
	x *exchange
	// out is the handler's request: net/http puts trailers that nobody
	// announced into the request it made itself.
	out *http.Request
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.x.request.write(b.x.r.ledger, b.x.r.config.MemoryLimit, p[:n])
	if err == io.EOF {
		b.x.request.end()
		b.out.Trailer = b.x.in.Trailer
	}
	return n, err
}

func declaredLength(head []field) int64 {
	for _, f := range head {
		if f.name == "Content-Length" {
			if n, err := strconv.ParseInt(f.value, 10, 64); err == nil && n >= 0 {
				return n
			}
		}
	}
	return -1
}

// end is called when the handler has returned or panicked.
func (x *exchange) end() {
	if x.queued {
		return
	}
	defer x.leave()
	x.duration = time.Since(x.start)
	if x.status == 0 && x.finished && x.failure == nil {
		x.began(http.StatusOK) // net/http answers so
	}
	x.request.close(x.in.ContentLength == 0)
	x.response.close(x.finished && x.failure == nil && (x.response.declared < 0 || x.in.Method == http.MethodHead || bodiless(x.status)))
	if len(x.in.Trailer) > 0 && x.request.ended {
		x.reqTrailers, _ = snapshot(x.in.Trailer)
	}
	x.trailers = trailers(x.w.Header(), x.responseHead)
	switch {
	case !x.finished && x.failure == nil:
		x.drop(ReasonPanic)
	case x.overflow:
		x.drop(ReasonMemory)
	default:
		x.queue()
	}
}

// leave tells drain that this request will bring nothing more.
func (x *exchange) leave() { x.r.inFlight.Add(-1) }

func bodiless(status int) bool {
	return status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// trailers are what a handler sets after the body: under the names that it
// announced, or under any with http.TrailerPrefix.
func trailers(after http.Header, head []field) []field {
	var fields []field
	for name, values := range after {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			for _, v := range values {
				fields = append(fields, field{name, v})
			}
		}
	}
	for _, f := range head {
		if f.name != "Trailer" {
			continue
		}
		for name := range strings.SplitSeq(f.value, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			for _, v := range after[name] {
				fields = append(fields, field{name, v})
			}
		}
	}
	return fields
}

// queue hands the exchange to Run, or drops it when there is no room.
func (x *exchange) queue() {
	x.queued = true
	select {
	case x.r.pending <- x:
	default:
		x.drop(ReasonBufferFull)
	}
}

// held is how many bytes the exchange holds; it does not grow any more.
func (x *exchange) held() int64 {
	return x.headBytes + x.request.reserved + x.response.reserved
}

// drop ends an exchange that never comes to the sink.
func (x *exchange) drop(reason string) {
	x.r.ledger.release(x.held())
	x.r.ledger.settle(reason)
}
