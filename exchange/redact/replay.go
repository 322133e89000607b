package redact

import (
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Replay replaces, in place, the secrets in what was observed in a replay: the
// answers of both systems asked, a completion nobody asked for, and what the
// candidate calls a recorded secret. Besides the
// headers of the configuration it takes those that the recorder had redacted
// in the exchange, whatever its configuration was. The exchange itself is left
// as it is. It never writes into a value's bytes, so these may be shared.
func (r *Redactor) Replay(p *understudyv1.Replay) {
	if r == nil {
		return
	}
	more := map[string]treatment{}
	for _, x := range p.GetExchange().GetRedactions() {
		name := http.CanonicalHeaderKey(x.GetName())
		if _, known := r.headers[name]; !known && x.GetPlace() == understudyv1.Redaction_PLACE_RESPONSE_HEADER {
			more[name] = treatmentOf(name)
		}
	}
	with := r
	if len(more) > 0 {
		for name, t := range r.headers {
			more[name] = t
		}
		with = &Redactor{headers: more, query: r.query, kept: r.kept, key: r.key}
	}
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
		if strings.HasPrefix(s.GetRecorded(), domain+"_") && !strings.HasPrefix(s.GetCandidate(), domain+"_") {
			s.Candidate = r.token(s.GetCandidate())
		}
	}
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
