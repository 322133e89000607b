// Package seal completes exchanges: it says whose session and which route an
// exchange belongs to, takes the secrets out, and gives it its place in the
// numbering of its recorder. Live traffic and imports are sealed alike.
package seal

import (
	"unicode/utf8"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Sealer seals the exchanges of one recorder. It may be used concurrently.
type Sealer struct {
	// Recorder is the instance name that the exchanges carry.
	Recorder string
	// Source says where they come from, such as "proxy" or "import/nock".
	Source string
	// ServedBy is the side that answered.
	ServedBy understudyv1.Side

	Sessions *session.Extractor
	Routes   *route.Templater
	// Redactor is nil to keep everything as it is.
	Redactor *redact.Redactor
}

// Seal completes an exchange whose request, response and times are set. from
// is what its session is found in; its target is that of the request.
func (s *Sealer) Seal(e *understudyv1.Exchange, id string, sequence uint64, from session.Source) {
	e.Id, e.Recorder, e.Sequence, e.Source, e.ServedBy = id, s.Recorder, sequence, s.Source, s.ServedBy
	e.Route = s.Routes.Route(e.Request.Method, from.Target)
	if e.Session = s.Sessions.Session(from); e.Session == "" {
		e.Session = id // a session of its own
	}
	e.Traceparent, e.Tracestate = text(from.Header("Traceparent")), text(from.Header("Tracestate"))
	s.Redactor.Exchange(e)
}

// text is the first value that may stand in a protobuf string, which must be
// UTF-8.
func text(values []string) string {
	for _, v := range values {
		if utf8.ValidString(v) {
			return v
		}
	}
	return ""
}
