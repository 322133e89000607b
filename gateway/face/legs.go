package face

import (
	"cmp"
	"sync"

	"understudy.dev/exchange/trace"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// legs are the spans of a job: that of the request to the candidate, and behind it
// that of awaiting the completion. They end when the job does, which may be after
// the client's request has. Without a trace it does nothing.
type legs struct {
	request, leg *trace.Span

	mu    sync.Mutex
	await *trace.Span
}

// accepted is the candidate's promise of a completion.
func (l *legs) accepted(ack *understudyv1.Response) {
	if l.leg == nil {
		return
	}
	l.leg.End(trace.Status(int(ack.GetStatus())))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await = l.request.Child("await completion", trace.Internal)
}

// end is all that was seen.
func (l *legs) end(o *understudyv1.Observation) {
	if l.leg == nil {
		return
	}
	if e := o.GetError(); e != nil {
		l.leg.Fail(understudyv1.Label(e.GetKind()))
	}
	l.leg.End(trace.Status(int(o.GetAck().GetStatus())))
	l.mu.Lock()
	await := l.await
	l.mu.Unlock()
	d := o.GetCompletion()
	switch {
	case await == nil:
		return
	case d.GetSeen() == 0:
		await.Fail(cmp.Or(d.GetReason(), "no_completion"))
	case d.GetFailed():
		await.Fail("failed")
	}
	await.End(
		trace.Text("understudy.completion.channel", understudyv1.Label(d.GetChannel())), trace.Number("understudy.completion.polls", int64(d.GetPolls())),
		trace.Number("understudy.completion.seen", int64(d.GetSeen())), trace.Status(int(d.GetPayload().GetStatus())))
}
