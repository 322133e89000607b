package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/session"
	"understudy.dev/exchange/uuid"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// run is one import under way.
type run struct {
	ctx    context.Context
	o      Options
	source string
	emit   func(*understudyv1.Exchange) error
	sum    Summary
}

func newRun(ctx context.Context, o Options, format string, emit func(*understudyv1.Exchange) error) (*run, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &run{ctx: ctx, o: o, source: "import/" + format, emit: emit, sum: Summary{Sequence: o.Sequence}}, nil
}

func (r *run) bad(m Mistake) {
	r.sum.Entries++
	r.sum.Bad++
	r.o.Bad(m)
}

// keep completes an exchange that has request, response and start, and emits
// it. raw is the entry in the file, from which the id is made; client is the
// client's address when the format has one.
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
	e.Recorder, e.Sequence, e.Source = r.o.Recorder, r.sum.Sequence, r.source
	e.ServedBy = understudyv1.Side_SIDE_BASELINE
	e.Id = uuid.From(start, identity(e, raw))
	e.Route = r.o.Routes.Route(e.Request.Method, string(e.Request.Target))
	headers := e.Request.Headers
	e.Session = r.o.Sessions.Session(session.Source{
		Header: func(name string) []string { return values(headers, name) },
		Target: string(e.Request.Target), Client: client,
	})
	if e.Session == "" {
		e.Session = e.Id
	}
	e.Traceparent, e.Tracestate = first(headers, "traceparent"), first(headers, "tracestate")
	r.o.Redactor.Exchange(e)
	return r.emit(e)
}

func identity(e *understudyv1.Exchange, raw []byte) []byte {
	b := append([]byte(e.Recorder), 0)
	b = binary.BigEndian.AppendUint64(b, e.Sequence)
	return append(append(b, e.Source...), raw...)
}

// body is a whole body, cut at the capture limit.
func (r *run) body(content []byte, headers []*understudyv1.Header) *understudyv1.Body {
	b := &understudyv1.Body{Content: content, DeclaredLength: declaredLength(headers), Length: int64(len(content))}
	if len(content) > 0 {
		sum := sha256.Sum256(content)
		b.Sha256 = sum[:]
	}
	if b.Length > r.o.CaptureLimit {
		b.Content, b.Truncated = content[:r.o.CaptureLimit], true
	}
	return b
}

func declaredLength(headers []*understudyv1.Header) int64 {
	if n, err := strconv.ParseInt(first(headers, "content-length"), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

func values(headers []*understudyv1.Header, name string) (out []string) {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			out = append(out, string(h.Value))
		}
	}
	return out
}

func first(headers []*understudyv1.Header, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return string(h.Value)
		}
	}
	return ""
}

// hasBody reports the methods whose requests usually carry one.
func hasBody(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodDelete, http.MethodConnect:
		return false
	}
	return true
}

// isMethod checks for a token of RFC 9110, 5.6.2.
func isMethod(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 {
			continue
		}
		return false
	}
	return true
}
