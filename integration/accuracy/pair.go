package accuracy

import (
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// header is a field of a message.
type header struct {
	name  string
	value node
}

// answer is what a system answers, before it has written it.
type answer struct {
	status           int
	fields, trailers []header
	body             node
	// media is the Content-Type as it is written, form how the body is encoded:
	// "json" and others of forms.
	media, form string
	style       style
	// around stands before and behind the encoded body.
	before, behind string
	// level of gzip; 0 is none.
	level int
	// sized writes the body's length instead of sending it in chunks.
	sized bool
}

func (a *answer) clone() *answer {
	out := *a
	out.fields, out.trailers = append([]header(nil), a.fields...), append([]header(nil), a.trailers...)
	if a.body != nil {
		out.body = clone(a.body)
	}
	return &out
}

func (a *answer) field(name string) int {
	for i, f := range a.fields {
		if f.name == name {
			return i
		}
	}
	return -1
}

func (a *answer) setField(name string, v any) {
	if s, ok := v.(string); ok {
		v = text(s)
	}
	if i := a.field(name); i >= 0 {
		a.fields[i].value = v.(node)
		return
	}
	a.fields = append(a.fields, header{name, v.(node)})
}

func (a *answer) removeField(name string) {
	if i := a.field(name); i >= 0 {
		a.fields = append(a.fields[:i:i], a.fields[i+1:]...)
	}
}

// How the candidate ends a request that the baseline answered at once.
const (
	atOnce        = ""
	polled        = "polled"
	lost          = "lost"
	late          = "late"
	failed        = "failed"
	broken        = "broken off"
	calledBack    = "called back"
	calledTwice   = "called back twice"
	contradictory = "contradictory"
)

// pair is one request with both answers to it.
type pair struct {
	id, session, route, method string
	start                      time.Time
	took                       time.Duration
	target                     node
	fields                     []header
	sent                       node
	form                       bool // sent as a form instead of JSON
	baseline, candidate        *answer
	ending                     string
	// needs is the exchange that makes a name which this request needs and that
	// the candidate never made: nil if the candidate makes all.
	needs *pair

	// before is the request before it in the session; settled is closed when it
	// has been answered, or will not be sent.
	before  *pair
	settled chan struct{}

	kind *kind
	// place is where the planted difference is to be seen, as the path of a
	// comparator.Difference begins.
	place string
	// vanished: the planted difference is none after all, with these names.
	vanished func() bool

	exchange  *understudyv1.Exchange
	secondary *understudyv1.Response

	// What the candidate saw.
	asked  bool
	oracle oracle
	// strayed: the request named other things than its client would have, so
	// the answer was another.
	strayed bool
}
