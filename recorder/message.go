package recorder

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"understudy.dev/recorder/session"
	"understudy.dev/recorder/uuid"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// sourceProxy is Exchange.source of live traffic.
const sourceProxy = "proxy"

// message makes the Exchange. It runs in Run's goroutine, off the live path.
func (r *Recorder) message(x *exchange) *understudyv1.Exchange {
	in := x.in
	target := targetOf(in)
	e := &understudyv1.Exchange{
		Id: uuid.New(x.start), Recorder: r.instance, Sequence: x.sequence,
		Route: r.routes.Route(in.Method, target),
		Request: &understudyv1.Request{
			Method: in.Method, Target: []byte(target), Authority: in.Host, Scheme: "http", Protocol: in.Proto,
			Headers: headers(x.requestHead), Body: x.request.body(), Trailers: headers(x.reqTrailers),
		},
		Error:         x.failure,
		StartUnixNano: x.start.UnixNano(), FirstByteNano: int64(x.firstByte), DurationNano: int64(x.duration),
		ServedBy: r.config.ServedBy, Source: sourceProxy,
		Traceparent: first(x.requestHead, "Traceparent"), Tracestate: first(x.requestHead, "Tracestate"),
	}
	if in.TLS != nil {
		e.Request.Scheme = "https"
	}
	if x.status != 0 && !x.failedEarly {
		e.Response = &understudyv1.Response{
			Status: uint32(x.status), Protocol: in.Proto,
			Headers: headers(x.responseHead), Body: x.response.body(), Trailers: headers(x.trailers),
		}
	}
	e.Session = r.session.Session(session.Source{
		Header: func(name string) []string { return values(x.requestHead, name) },
		Target: target, Client: in.RemoteAddr,
	})
	if e.Session == "" {
		e.Session = e.Id // a session of its own
	}
	r.redactor.Exchange(e)
	r.metrics.countCuts(x)
	return e
}

// headers sorts by name, since net/http has lost the order between names; the
// lines of one name keep theirs. The values share one buffer.
func headers(fields []field) []*understudyv1.Header {
	if len(fields) == 0 {
		return nil
	}
	slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	size := 0
	for _, f := range fields {
		size += len(f.value)
	}
	block := make([]understudyv1.Header, len(fields))
	out := make([]*understudyv1.Header, len(fields))
	buffer := make([]byte, 0, size)
	for i, f := range fields {
		at := len(buffer)
		buffer = append(buffer, f.value...)
		block[i].Name, block[i].Value = f.name, buffer[at:len(buffer):len(buffer)]
		out[i] = &block[i]
	}
	return out
}

func values(fields []field, name string) []string {
	name = http.CanonicalHeaderKey(name)
	var out []string
	for _, f := range fields {
		if f.name == name {
			out = append(out, f.value)
		}
	}
	return out
}

// first is a value that goes into a protobuf string, which must be UTF-8.
func first(fields []field, name string) string {
	for _, f := range fields {
		if f.name == name && utf8.ValidString(f.value) {
			return f.value
		}
	}
	return ""
}
