package face

import (
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/visit"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// pass sends a request on whose client awaits the completion itself, and
// remembers which side has accepted it.
func (f *Face) pass(w http.ResponseWriter, in *http.Request, v *visit.Visit) {
	f.metrics.passed.Inc()
	key := message.IdempotencyKey(in.Header)
	f.direct.ServeHTTP(&promise{ResponseWriter: w, began: func(status int, h http.Header) {
		if status >= 300 {
			return
		}
		side := v.Side
		if key != "" {
			f.with.Accepted.NoteKey(v.Session, v.Route, key, side)
		}
		ack := &understudyv1.Response{Status: uint32(status)}
		for name, values := range h {
			for _, value := range values {
				ack.Headers = append(ack.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
			}
		}
		for _, location := range []string{operation.MonitorOf(ack).Location, message.First(ack.GetHeaders(), "Location")} {
			f.with.Accepted.NoteAddress(location, side)
		}
	}}, in)
}

// promise sees the head of an acknowledgement.
type promise struct {
	http.ResponseWriter
	began func(status int, h http.Header)
	once  bool
}

// WriteHeader implements http.ResponseWriter.
func (p *promise) WriteHeader(status int) {
	if status >= 200 && !p.once {
		p.once = true
		p.began(status, p.Header())
	}
	p.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController the writer underneath.
func (p *promise) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// relative is path and query of an address on a host, "" of one elsewhere.
func relative(location, host string) string {
	_, rest, ok := strings.Cut(location, "://")
	if !ok {
		return ""
	}
	at := strings.IndexByte(rest, '/')
	if at < 0 || !strings.EqualFold(rest[:at], host) {
		return ""
	}
	return rest[at:]
}
