package recorder

import (
	"understudy.dev/exchange/message"
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

// seal makes an Exchange from what the tap took. It runs in Run's goroutine,
// off the live path.
func (r *Recorder) seal(t *tapWriter) *understudyv1.Exchange {
	fields, answered := t.arrange()
	in, target := t.in, session.TargetOf(t.in)
	p := new(parts)
	e, q := &p.exchange, &p.request
	e.StartUnixNano, e.FirstByteNano, e.DurationNano = t.start.UnixNano(), int64(t.firstByte), int64(t.duration)
	e.Error = t.failure

	e.Request = q
	q.Method, q.Target, q.Authority, q.Scheme, q.Protocol = in.Method, []byte(target), in.Host, "http", in.Proto
	if in.TLS != nil {
		q.Scheme = "https"
	}
	q.Headers, q.Trailers = fields, headers(t.request.trailers)
	q.Body = t.request.fill(&p.requestBody)
	if t.answered() {
		a := &p.response
		e.Response = a
		a.Status, a.Protocol = uint32(t.status), in.Proto
		a.Headers, a.Trailers = answered, headers(t.responseTrailers)
		a.Body = t.response.fill(&p.responseBody)
	}
	r.sealer.Seal(e, uuid.New(t.start), t.entry.Sequence, session.Source{
		Header: func(name string) []string { return message.Values(fields, name) },
		Target: target, Client: in.RemoteAddr,
	})
	if v := t.visit; v != nil {
		e.ServedBy, e.Stage, e.Decision, e.Attempts, e.Completion = v.Side, v.Stage, v.Decision, v.Attempts, v.Completion
		e.Migration, e.Step = v.Migration, v.Step
	}
	r.metrics.countCuts(t)
	for _, x := range e.Redactions {
		if x.Withheld != "" {
			r.metrics.withheld[x.Withheld].Inc()
		}
	}
	return e
}
