package redact

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Replay replaces, in place, the secrets in what was observed in a replay: the
// answers of both systems asked, a completion nobody asked for, and what the
// candidate calls a recorded secret. It takes the key with which the exchange was
// redacted if it has that, so that equal values have equal tokens. Besides the
// headers of the configuration it takes those that the recorder had redacted
// in the exchange, whatever its configuration was. The exchange itself is left
// as it is; one that nobody has redacted is put into the replay as a copy that
// is, since its answer is compared with another that is redacted. It never writes
// into a value's bytes, so these may be shared.
func (r *Redactor) Replay(p *understudyv1.Replay) {
	if r == nil {
		return
	}
	if e := p.GetExchange(); e != nil && e.GetRedactionKey() == "" {
		p.Exchange = proto.CloneOf(e)
		r.Exchange(p.Exchange)
	}
	with := r.with(r.keyOf(p.GetExchange().GetRedactionKey()), r.alsoAsRecorded(p.GetExchange()))
	p.RedactionKey = with.key.ID()
	// Nobody asks where it was redacted: an observation has no list of it.
	found := &places{into: &understudyv1.Exchange{}}
	with.observation(p.GetCandidate(), found)
	with.observation(p.GetControl(), found)
	if q := p.GetOrphan().GetReceived(); q != nil {
		with.request(q, found)
	}
	// What stands for a secret is one: the candidate's cookie for the recorded
	// one. Its token is that of the answer which set it.
	for _, s := range slices.Concat(p.GetSubstitutions(), p.GetControlSubstitutions()) {
		if isMade(s.GetRecorded()) {
			s.Candidate = with.made(s.GetCandidate())
		}
	}
}

// Body is what becomes of a body without content codings that is compared with one
// of an exchange, and what the tokens in it stand for.
func (r *Redactor) Body(e *understudyv1.Exchange, contentType string, body []byte) (redacted []byte, plain map[string]string) {
	if r == nil {
		return body, nil
	}
	plain = map[string]string{}
	w := work{r: r.with(r.keyOf(e.GetRedactionKey()), r.headers), found: &places{into: &understudyv1.Exchange{}}, behind: plain}
	redacted, _ = w.unpacked(message.MediaType(contentType), contentType, body)
	return redacted, plain
}

// Token is what stands for a value in the record of an exchange.
func (r *Redactor) Token(e *understudyv1.Exchange, value string) string {
	return r.with(r.keyOf(e.GetRedactionKey()), r.headers).made(value)
}

// keyOf is the key of an id, the current one if it is not known.
func (r *Redactor) keyOf(id string) *token.Key {
	for _, k := range r.former {
		if k.ID() == id {
			return k
		}
	}
	return r.key
}

// alsoAsRecorded are the headers, and those that a recorder had redacted in an
// exchange.
func (r *Redactor) alsoAsRecorded(e *understudyv1.Exchange) map[string]treatment {
	out, copied := r.headers, false
	for _, x := range e.GetRedactions() {
		name := http.CanonicalHeaderKey(x.GetName())
		if _, known := out[name]; known || x.GetPlace() != understudyv1.Redaction_PLACE_RESPONSE_HEADER || isPartly(e.GetResponse(), name) {
			continue
		}
		if !copied {
			out, copied = maps.Clone(out), true
		}
		out[name] = treatmentOf(name)
	}
	return out
}

// isPartly says whether an answer has a field of which something else than the
// whole value was redacted.
func isPartly(a *understudyv1.Response, field string) bool {
	for _, h := range slices.Concat(a.GetHeaders(), a.GetTrailers()) {
		if strings.EqualFold(h.GetName(), field) && !isMade(string(h.GetValue())) {
			return true
		}
	}
	return false
}

// observation redacts every answer in it, wherever it stands, so that none is
// forgotten when there are more.
func (r *Redactor) observation(o *understudyv1.Observation, found *places) {
	if o == nil {
		return
	}
	if done := o.GetCompletion(); done != nil {
		done.Location = string(r.target([]byte(done.Location), understudyv1.Redaction_PLACE_RESPONSE_HEADER, found))
	}
	r.answers(o.ProtoReflect(), found)
}

func (r *Redactor) answers(m protoreflect.Message, found *places) {
	if a, ok := m.Interface().(*understudyv1.Response); ok {
		r.response(a, found)
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				r.answers(v.List().Get(i).Message(), found)
			}
		default:
			r.answers(v.Message(), found)
		}
		return true
	})
}
