package accuracy

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// keep is how many bytes of a body recorder and replayer keep.
const keep = 192 << 10

// asideBy is how much later than the recording the second instance of the
// baseline was asked: in the replay, as the candidate is.
const asideBy = 72 * time.Hour

// write writes the exchange as the baseline's recorder has seen it, and what
// another instance of the baseline answered.
func (w *world) write(p *pair) {
	work := p.took / 2
	x := w.baseline.render(p.start.Add(work))
	q := p.request(x)
	response := p.baseline.write(x).record(x.now)
	p.exchange = &understudyv1.Exchange{
		Id: p.id, Recorder: "r1", Sequence: 1, Session: p.session, Route: p.route, Request: q.record(p.method), Response: response,
		StartUnixNano: p.start.UnixNano(), FirstByteNano: int64(work), DurationNano: int64(p.took), ServedBy: understudyv1.Side_SIDE_BASELINE, Source: "proxy",
	}
	w.redactor.Exchange(p.exchange)
	y := w.secondary.render(p.start.Add(work + asideBy))
	p.secondary = p.baseline.write(y).record(y.now)
}

// asked is a request as one side's client sends it.
type asked struct {
	target string
	fields [][2]string
	body   []byte
	media  string
}

func (p *pair) request(x *rendering) asked {
	q := asked{target: textOf(p.target.render(x))}
	for _, f := range p.fields {
		q.fields = append(q.fields, [2]string{f.name, textOf(f.value.render(x))})
	}
	switch v := any(nil); {
	case p.sent == nil:
	case p.form:
		form := url.Values{}
		for _, m := range p.sent.render(x).(object) {
			form.Set(m.key, textOf(m.value))
		}
		q.body, q.media = []byte(form.Encode()), "application/x-www-form-urlencoded"
	default:
		v = p.sent.render(x)
		q.body, q.media = plain(v), "application/json"
	}
	return q
}

func (q asked) record(method string) *understudyv1.Request {
	out := &understudyv1.Request{
		Method: method, Target: []byte(q.target), Authority: "shop.internal:8080", Scheme: "http", Protocol: "HTTP/1.1",
		Headers: []*understudyv1.Header{{Name: "User-Agent", Value: []byte("client/1.0")}}, Body: message.BodyOf(q.body),
	}
	for _, f := range q.fields {
		out.Headers = append(out.Headers, &understudyv1.Header{Name: f[0], Value: []byte(f[1])})
	}
	if q.media != "" {
		out.Headers = append(out.Headers, &understudyv1.Header{Name: "Content-Type", Value: []byte(q.media)},
			&understudyv1.Header{Name: "Content-Length", Value: []byte(strconv.Itoa(len(q.body)))})
	}
	return out
}

// record is the answer as a recorder keeps it.
func (o wire) record(now time.Time) *understudyv1.Response {
	r := &understudyv1.Response{Status: uint32(o.status), Protocol: "HTTP/1.1", Body: message.BodyOf(o.body)} //nolint:gosec // a status
	if !o.sized {
		r.Body.DeclaredLength = -1
	}
	message.CutBody(r.Body, keep)
	for _, f := range append(o.fields, [2]string{"Date", now.UTC().Format(http.TimeFormat)}) {
		r.Headers = append(r.Headers, &understudyv1.Header{Name: f[0], Value: []byte(f[1])})
	}
	if o.sized && o.status != http.StatusNoContent {
		r.Headers = append(r.Headers, &understudyv1.Header{Name: "Content-Length", Value: []byte(strconv.Itoa(len(o.body)))})
	}
	for _, f := range o.trailers {
		r.Trailers = append(r.Trailers, &understudyv1.Header{Name: f[0], Value: []byte(f[1])})
	}
	return r
}
