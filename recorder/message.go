package recorder

import (
	"slices"
	"strings"
	"unicode/utf8"

	"understudy.dev/exchange/session"
	"understudy.dev/exchange/uuid"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// sourceProxy is Exchange.source of live traffic.
const sourceProxy = "proxy"

// parts of an exchange, allocated at once.
type parts struct {
	exchange     understudyv1.Exchange
	request      understudyv1.Request
	response     understudyv1.Response
	requestBody  understudyv1.Body
	responseBody understudyv1.Body
}

// message makes the Exchange. It runs in Run's goroutine, off the live path.
func (r *Recorder) message(x *exchange) *understudyv1.Exchange {
	in, target := x.in, targetOf(x.in)
	p := new(parts)
	e, q := &p.exchange, &p.request
	e.Id, e.Recorder, e.Sequence, e.Source = uuid.New(x.start), r.instance, x.sequence, sourceProxy
	e.Route = r.routes.Route(in.Method, target)
	e.StartUnixNano, e.FirstByteNano, e.DurationNano = x.start.UnixNano(), int64(x.firstByte), int64(x.duration)
	e.ServedBy, e.Error = r.config.ServedBy, x.failure
	e.Traceparent, e.Tracestate = first(x.requestHead, "Traceparent"), first(x.requestHead, "Tracestate")

	e.Request = q
	q.Method, q.Target, q.Authority, q.Scheme, q.Protocol = in.Method, []byte(target), in.Host, "http", in.Proto
	if in.TLS != nil {
		q.Scheme = "https"
	}
	q.Headers, q.Trailers = headers(x.requestHead), headers(x.reqTrailers)
	q.Body = x.request.body(&p.requestBody)
	if x.status != 0 && !x.failedEarly {
		a := &p.response
		e.Response = a
		a.Status, a.Protocol = uint32(x.status), in.Proto
		a.Headers, a.Trailers = headers(x.responseHead), headers(x.trailers)
		a.Body = x.response.body(&p.responseBody)
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

// values takes a canonical name.
func values(fields []field, name string) []string {
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
