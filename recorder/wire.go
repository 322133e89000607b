package recorder

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"strings"
	"sync"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/recorder/books"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// controlMark as wire.Head.Get wants it.
var controlMark = strings.ToLower(message.ControlMark)

// Tap returns what Wrap is for a proxy that is no http.Handler. What it sees is
// counted together with what the handlers see that this Recorder wraps.
func (r *Recorder) Tap() wire.Tap { return wireTap{r} }

type wireTap struct{ r *Recorder }

// Begin implements wire.Tap.
func (w wireTap) Begin(q *wire.Request, remote string, secure bool, v *visit.Visit) wire.Exchange {
	entry, open := w.r.books.Open()
	if !open {
		return nil
	}
	x := &wireExchange{tapWriter: tapWriter{r: w.r, entry: entry, start: time.Now(), visit: v}, heads: rawHeads{client: remote, secure: secure}}
	x.raw = &x.heads
	if reason := x.begin(q); reason != "" {
		x.drop(reason)
		return nil
	}
	w.r.inFlight.Add(1)
	return x
}

// rawHeads are the heads of an exchange as they came; fields are made of them
// behind the queue.
type rawHeads struct {
	request, response []byte
	client            string
	secure            bool
}

// wireExchange takes one exchange from a proxy.
type wireExchange struct {
	tapWriter
	heads rawHeads
}

// begin takes the request's head. It returns the reason why the request is not
// recorded, "" if it is.
func (x *wireExchange) begin(q *wire.Request) string {
	if x.r.paused.Load() {
		return books.ReasonPaused
	}
	if _, control := q.Get(controlMark); control {
		return books.ReasonControl
	}
	if _, run := q.Get(x.r.lowerMark); run && x.r.lowerMark != "" {
		return books.ReasonReplay
	}
	if x.r.sampler != nil && !x.r.sampler.takes(string(q.Method), session.OfHead(q, x.raw.client), x.r.sealer.Routes, x.session) {
		return books.ReasonSampled
	}
	size := sizeOf(&q.Head)
	if !x.r.books.Reserve(size, x.r.cfg.MemoryLimit) {
		return books.ReasonMemory
	}
	x.headBytes, x.raw.request = size, bytes.Clone(q.Bytes())
	limit := x.r.cfg.CaptureLimit
	if len(x.r.cfg.CaptureLimits) > 0 {
		target, _, _, _ := q.Address()
		if own, ok := x.r.cfg.CaptureLimits[x.r.sealer.Routes.Route(string(q.Method), string(target))]; ok {
			limit = own
		}
	}
	x.request.message.Expect(limit, q.Length)
	x.response.message.Expect(limit, -1)
	return ""
}

func sizeOf(h *wire.Head) int64 { return int64(len(h.Bytes()) + h.Len()*lineOverhead) }

// Answer implements wire.Exchange.
func (x *wireExchange) Answer(a *wire.Response) {
	x.firstByte, x.status = time.Since(x.start), a.Status
	size := sizeOf(&a.Head)
	if !x.r.books.Reserve(size, x.r.cfg.MemoryLimit) {
		x.overflow = true
		return
	}
	x.headBytes += size
	x.raw.response = bytes.Clone(a.Bytes())
	x.response.message.Declare(a.Length)
}

func (x *wireExchange) of(s wire.Side) *capture {
	if s == wire.Client {
		return &x.request
	}
	return &x.response
}

// Body implements wire.Exchange.
func (x *wireExchange) Body(s wire.Side, p []byte) {
	x.of(s).write(x.r.books, x.r.cfg.MemoryLimit, p)
}

// End implements wire.Exchange.
func (x *wireExchange) End(s wire.Side, trailer *wire.Head) {
	if s == wire.Server && x.status != http.StatusSwitchingProtocols {
		x.duration = time.Since(x.start)
	}
	var trailers []field
	if trailer != nil && trailer.Len() > 0 {
		trailers = fieldsOf(trailer)
	}
	x.of(s).finish(trailers)
}

// Close implements wire.Exchange.
func (x *wireExchange) Close(failure *understudyv1.TransportError) {
	defer x.leave()
	x.failure = failure
	if failure != nil {
		x.duration = time.Since(x.start)
	}
	x.request.close(false)
	x.response.close(false)
	x.responseTrailers = x.response.trailers
	switch {
	case failure == nil && !x.response.ended:
		x.drop(books.ReasonPanic)
	case x.overflow:
		x.drop(books.ReasonMemory)
	default:
		x.queue()
	}
}

// arrange gives both taps' exchanges the same shape, and returns their fields. Of
// raw heads it makes what a handler's tap has taken from its arguments: fields keep
// their order and case; left out are those that a server takes for itself (Host,
// which is the authority, and the framing in chunks) and of an answer those that
// are about the connection.
func (t *tapWriter) arrange() (request, response []*understudyv1.Header) {
	if t.raw == nil {
		sorted(t.requestHead)
		sorted(t.request.trailers)
		sorted(t.responseHead)
		sorted(t.responseTrailers)
		return headers(t.requestHead), headers(t.responseHead)
	}
	parsers := headParsers.Get().(*headParser)
	defer headParsers.Put(parsers)
	q, a := &parsers.request, &parsers.response
	q.Reset()
	a.Reset()
	q.Limit, a.Limit = len(t.raw.request), len(t.raw.response)
	if _, err := q.Parse(t.raw.request); err == nil { // as it was when it passed
		t.in = requestOf(q, t.raw)
		request = q.Headers(q.Bytes(), func(k wire.Kind) bool {
			return k != wire.Host && k != wire.TransferEncoding && k != wire.Trailer
		})
	}
	if t.raw.response == nil {
		return request, nil
	}
	if _, err := a.Parse(t.raw.response); err == nil {
		response = a.Headers(a.Bytes(), func(k wire.Kind) bool {
			return t.status == http.StatusSwitchingProtocols || k.OfAnswer()
		})
	}
	return request, response
}

// requestOf is what a handler would see of a head, but for its fields.
func requestOf(q *wire.Request, raw *rawHeads) *http.Request {
	target, authority, _, _ := q.Address()
	in := &http.Request{
		Method: string(q.Method), RequestURI: string(target), Host: string(authority),
		Proto: "HTTP/1.1", RemoteAddr: raw.client,
	}
	if q.Minor == 0 {
		in.Proto = "HTTP/1.0"
	}
	if raw.secure {
		in.TLS = new(tls.ConnectionState)
	}
	return in
}

// headParser takes raw heads apart; it keeps its memory for the next exchange.
type headParser struct {
	request  wire.Request
	response wire.Response
}

var headParsers = sync.Pool{New: func() any { return new(headParser) }}

// fieldsOf are the fields of a trailer section, whose bytes are the proxy's.
func fieldsOf(h *wire.Head) []field {
	text := string(h.Bytes())
	fields := make([]field, h.Len())
	for i := range fields {
		name, value := h.In(text, i)
		fields[i] = field{name, [1]string{value}}
	}
	return fields
}
