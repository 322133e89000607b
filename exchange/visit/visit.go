// Package visit is what is known of a request at the door, before it is sent on,
// and what has become of it: it is found out once and passed inward.
package visit

import (
	"context"
	"strconv"
	"strings"

	"understudy.dev/exchange/trace"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Visit is one request at a door where it is decided who serves it. It belongs
// to whoever serves the request; the door makes it and may change it until the
// request has been sent.
type Visit struct {
	// Session is the session's token, empty if the request has none; an answer may
	// begin one, see session.Extractor.
	Session string
	// Route is the request's.
	Route string
	// Side is who serves it.
	Side understudyv1.Side
	// Stage and Decision say why, as Exchange has them.
	Stage, Decision string
	// Migration and Step say by what, as Exchange has them.
	Migration string
	Step      uint64
	// Attempts is how many sides were tried.
	Attempts uint32
	// Faced says that the synchronous face answers the request, whatever the side.
	Faced bool
	// Completion is how the face came by the answer, nil where it did not.
	Completion *understudyv1.Awaited
	// Failure is set where the answer is not that of a side but of the face itself:
	// why there is none.
	Failure *understudyv1.TransportError
	// Trace is the span of the request, nil if it is not traced.
	Trace *trace.Span
}

// Leg begins the span of asking the side that serves the request.
func (v *Visit) Leg() *trace.Span {
	if v == nil || v.Trace == nil {
		return nil
	}
	return v.Trace.Child(v.Route, trace.Client, trace.Text("understudy.side", understudyv1.Label(v.Side)))
}

// End ends the span of the request, with what has become of it. status is that of
// the answer, 0 if there was none; failure is why the answer is not whole, or no
// side's.
func (v *Visit) End(status int, failure *understudyv1.TransportError) {
	if v == nil || v.Trace == nil {
		return
	}
	if v.Failure != nil {
		failure = v.Failure
	}
	if failure != nil {
		v.Trace.Fail(understudyv1.Label(failure.GetKind()))
	} else if status >= 500 {
		v.Trace.Fail(strconv.Itoa(status))
	}
	method, path, _ := strings.Cut(v.Route, " ")
	v.Trace.Set(v.Route,
		trace.Text("http.request.method", method), trace.Text("http.route", path), trace.Text("understudy.migration", v.Migration),
		trace.Text("understudy.stage", v.Stage), trace.Number("understudy.step", int64(v.Step)), trace.Text("understudy.decision", v.Decision),
		trace.Text("understudy.served_by", understudyv1.Label(v.Side)), trace.Number("understudy.attempts", int64(v.Attempts)))
	v.Trace.End(trace.Status(status))
}

type key struct{}

// With gives a context the visit, for handlers that are not the door.
func With(ctx context.Context, v *Visit) context.Context { return context.WithValue(ctx, key{}, v) }

// Of is the visit of a request's context, nil if it came through no door.
func Of(ctx context.Context) *Visit {
	v, _ := ctx.Value(key{}).(*Visit)
	return v
}
