// Package trace follows a request through a gateway: spans in W3C's trace context
// (https://www.w3.org/TR/trace-context/), exported in OTLP. A span never waits: what
// its queue has no room for is dropped and counted. It holds routes, stages and
// statuses, and nothing of what a request carries.
//
// The nil Tracer makes nil spans, on which every method does nothing, so that
// tracing costs a comparison where it is off.
package trace

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Kind is which end of a call a span is.
type Kind uint8

// Kinds, in OTLP's numbers.
const (
	Internal Kind = 1
	Server   Kind = 2
	Client   Kind = 3
)

// Header is the field by which a trace goes on, and StateHeader the one beside it,
// which holds what other vendors add.
const (
	Header      = "traceparent"
	StateHeader = "tracestate"
)

type (
	traceID [16]byte
	spanID  [8]byte
)

// parent is what a client said of its own span.
type parent struct {
	trace   traceID
	span    spanID
	sampled bool
}

// Attr is an attribute of a span; its value is Text, or Number if Text is empty.
type Attr struct {
	Key, Text string
	Number    int64
}

// Span is one step of a request. Its methods may be called by several goroutines;
// after End they do nothing.
type Span struct {
	tracer *Tracer
	trace  traceID
	id     spanID
	parent spanID // zero: it is the first
	kind   Kind
	start  time.Time

	// NewTrace says that the client sent no context that could be gone on with: what
	// it sent beside is void.
	NewTrace bool

	mu    sync.Mutex
	name  string
	attrs []Attr
	fault string
	end   time.Time
}

// Enter begins the span of a request that has come in. headers are the values of
// the client's field: one that is valid is gone on with, as its flag says, or else
// a share of the requests gets a trace of its own. nil is a request without one.
func (t *Tracer) Enter(headers []string) *Span {
	if t == nil {
		return nil
	}
	from, ok := parent{}, false
	if len(headers) == 1 {
		from, ok = parse(headers[0])
	}
	switch {
	case ok && !from.sampled:
		return nil
	case !ok && t.share < 1 && rand.Float64() >= t.share:
		return nil
	case !ok:
		putRandom(from.trace[:8])
		putRandom(from.trace[8:])
	}
	s := &Span{tracer: t, trace: from.trace, parent: from.span, kind: Server, start: time.Now(), NewTrace: !ok}
	putRandom(s.id[:])
	return s
}

// Child begins a span within this one.
func (s *Span) Child(name string, kind Kind, attrs ...Attr) *Span {
	if s == nil {
		return nil
	}
	c := &Span{tracer: s.tracer, trace: s.trace, parent: s.id, kind: kind, start: time.Now(), name: name, attrs: attrs, NewTrace: s.NewTrace}
	putRandom(c.id[:])
	return c
}

// Set names the span and adds attributes.
func (s *Span) Set(name string, attrs ...Attr) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != "" {
		s.name = name
	}
	s.attrs = append(s.attrs, attrs...)
}

// Fail says by what kind of failure it ends, a word; the first counts.
func (s *Span) Fail(kind string) {
	if s == nil || kind == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == "" {
		s.fault = kind
	}
}

// End gives the span to whoever exports it, with more attributes. It waits for
// nobody.
func (s *Span) End(attrs ...Attr) {
	if s == nil {
		return
	}
	s.mu.Lock()
	ended := !s.end.IsZero()
	if !ended {
		s.end, s.attrs = time.Now(), append(s.attrs, attrs...)
	}
	s.mu.Unlock()
	if !ended {
		s.tracer.put(s)
	}
}

// Parent is the value of Header by which whoever is called goes on from this span.
func (s *Span) Parent() string {
	b := make([]byte, 0, len("00--")+32+16+len("-01"))
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, s.trace[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, s.id[:])
	return string(append(b, "-01"...))
}

// Status is the attribute of an answer's status.
func Status(code int) Attr { return Attr{Key: "http.response.status_code", Number: int64(code)} }

// Text is an attribute of a word.
func Text(key, value string) Attr { return Attr{Key: key, Text: value} }

// Number is an attribute of a number.
func Number(key string, value int64) Attr { return Attr{Key: key, Number: value} }

// putRandom never leaves zeroes, which would be no id.
func putRandom(b []byte) {
	n := rand.Uint64() | 1
	for i := range 8 {
		b[i] = byte(n >> (8 * i))
	}
}

// parse reads a traceparent. Of later versions only what this one knows counts.
func parse(text string) (p parent, ok bool) {
	const length = 55
	text = strings.Trim(text, " \t")
	if len(text) < length || text[2] != '-' || text[35] != '-' || text[52] != '-' || strings.ToLower(text[:length]) != text[:length] {
		return p, false
	}
	var version, flags [1]byte
	for _, part := range []struct {
		to   []byte
		from string
	}{{version[:], text[:2]}, {p.trace[:], text[3:35]}, {p.span[:], text[36:52]}, {flags[:], text[53:55]}} {
		if _, err := hex.Decode(part.to, []byte(part.from)); err != nil {
			return parent{}, false
		}
	}
	switch {
	case version[0] == 0xff, version[0] == 0 && len(text) != length, len(text) > length && text[length] != '-':
		return parent{}, false
	case p.trace == traceID{}, p.span == spanID{}:
		return parent{}, false
	}
	p.sampled = flags[0]&1 == 1
	return p, true
}
