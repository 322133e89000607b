// Package seal completes exchanges: it finds their session and route, redacts
// them, and numbers them, in the same way for live traffic and for imports.
package seal

import (
	"slices"
	"strings"
	"unicode/utf8"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Sealer seals the exchanges of one recorder. It is safe for concurrent use.
type Sealer struct {
	// Recorder is the instance name that the exchanges carry.
	Recorder string
	// StartUnixNano is when that recorder started; 0 when a recording has no
	// lives, as an import.
	StartUnixNano int64
	// Source says where they come from, such as "proxy" or "import/nock".
	Source string
	// ServedBy is the side that answered.
	ServedBy understudyv1.Side

	Sessions *session.Extractor
	Routes   *route.Templater
	// Redactor is nil to keep everything as it is.
	Redactor *redact.Redactor
	// IndexHeaders are names of request headers whose values belong into the
	// tables, see Indexed.
	IndexHeaders []string
}

// MaxIndexed is how many request headers may belong into the tables.
const MaxIndexed = 16

// Indexed is a list of names in lower case, each once, at most MaxIndexed.
func Indexed(headers []string) []string {
	var out []string
	for _, name := range headers {
		if name = strings.ToLower(name); !slices.Contains(out, name) && len(out) < MaxIndexed {
			out = append(out, name)
		}
	}
	return out
}

// Seal completes an exchange whose request, response and times are set. from is
// the same request, as the session's rules look at it; its answer is the
// exchange's.
func (s *Sealer) Seal(e *understudyv1.Exchange, id string, sequence uint64, from session.Source) {
	e.Id, e.Recorder, e.Sequence, e.Source, e.ServedBy = id, s.Recorder, sequence, s.Source, s.ServedBy
	e.RecorderStartUnixNano = s.StartUnixNano
	from.Answer = e.Response
	if e.Session = s.Sessions.Session(from); e.Session == "" {
		e.Session = id // a session of its own
	}
	e.IndexedHeaders = s.IndexHeaders
	s.Redactor.Exchange(e)
	// Of the redacted target, since a route is kept for long and shown everywhere.
	e.Route = s.Routes.Route(e.Request.Method, string(e.Request.Target))
	// Copied when redacted: an operator may call them secret.
	fields := e.Request.GetHeaders()
	e.Traceparent, e.Tracestate = text(message.Values(fields, "Traceparent")), text(message.Values(fields, "Tracestate"))
}

// text returns the first value that is valid UTF-8, as a protobuf string must
// be.
func text(values []string) string {
	for _, v := range values {
		if utf8.ValidString(v) {
			return v
		}
	}
	return ""
}
