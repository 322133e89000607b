package importer

import (
	"context"
	"encoding/binary"
	"net/http"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/seal"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/uuid"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// run is one import under way.
type run struct {
	ctx    context.Context
	o      Options
	sealer *seal.Sealer
	emit   func(*understudyv1.Exchange) error
	sum    Summary
}

func newRun(ctx context.Context, o Options, format string, emit func(*understudyv1.Exchange) error) (*run, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	sealer := &seal.Sealer{
		Recorder: o.Recorder, Source: "import/" + format, ServedBy: understudyv1.Side_SIDE_BASELINE,
		Sessions: o.Sessions, Routes: o.Routes, Redactor: o.Redactor,
		IndexHeaders: seal.Indexed(o.IndexHeaders),
	}
	return &run{ctx: ctx, o: o, sealer: sealer, emit: emit, sum: Summary{Sequence: o.Sequence}}, nil
}

func (r *run) bad(m Mistake) {
	r.sum.Entries++
	r.sum.Bad++
	r.o.Bad(m)
}

// keep completes an exchange that has request, response and start, and emits
// it. raw is the entry in the file, from which the id is derived; client is the
// client's address if the format has one.
func (r *run) keep(e *understudyv1.Exchange, raw []byte, client string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	r.sum.Entries++
	r.sum.Imported++
	r.sum.Sequence++
	start := time.Unix(0, e.StartUnixNano)
	if r.sum.Imported == 1 || start.Before(r.sum.First) {
		r.sum.First = start
	}
	if r.sum.Imported == 1 || start.After(r.sum.Last) {
		r.sum.Last = start
	}
	limit := r.captureLimit(e)
	message.CutBody(e.Request.Body, limit)
	message.CutBody(e.Response.Body, limit)
	headers := e.Request.Headers
	r.sealer.Seal(e, uuid.From(start, r.identity(raw)), r.sum.Sequence, session.Source{
		Header: func(name string) []string { return message.Values(headers, name) },
		Target: string(e.Request.Target), Client: client,
	})
	return r.emit(e)
}

// identity is what the id is derived from, so that repeating an import gives
// the same ids.
func (r *run) identity(raw []byte) []byte {
	b := append([]byte(r.o.Recorder), 0)
	b = binary.BigEndian.AppendUint64(b, r.sum.Sequence)
	return append(append(b, r.sealer.Source...), raw...)
}

// captureLimit is that of an exchange's route.
func (r *run) captureLimit(e *understudyv1.Exchange) int64 {
	if limit, ok := r.o.CaptureLimits[r.o.Routes.Route(e.Request.Method, string(e.Request.Target))]; ok {
		return limit
	}
	return r.o.CaptureLimit
}

// body is the Body of whole content.
func body(content []byte, headers []*understudyv1.Header) *understudyv1.Body {
	b := message.BodyOf(content)
	b.DeclaredLength = message.DeclaredLength(message.Values(headers, "content-length"))
	return b
}

// hasBody reports the methods whose requests usually carry one.
func hasBody(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodDelete, http.MethodConnect:
		return false
	}
	return true
}

// isMethod checks for a token of reasonable length (RFC 9110, 9.1).
func isMethod(s string) bool { return len(s) <= 40 && message.IsToken(s) }
