// Package visit is what is known of a request at the door, before it is sent on,
// and what has become of it: it is found out once and passed inward.
package visit

import (
	"context"

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
}

type key struct{}

// With gives a context the visit, for handlers that are not the door.
func With(ctx context.Context, v *Visit) context.Context { return context.WithValue(ctx, key{}, v) }

// Of is the visit of a request's context, nil if it came through no door.
func Of(ctx context.Context) *Visit {
	v, _ := ctx.Value(key{}).(*Visit)
	return v
}
