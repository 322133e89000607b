package target

import (
	"context"
	"errors"
	"time"

	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// cancelIn bounds how long the answer to a cancellation is waited for.
const cancelIn = 5 * time.Second

// ErrSettled as the cause of a context ends a wait whose operation somebody else
// sees to: it is not canceled.
var ErrSettled = errors.New("somebody else sees to it")

// cancel cancels an operation whose end was not seen, if the policy says how.
// What comes of it is noted and no more: the request is lost all the same.
func (w *wait) cancel(ctx context.Context) {
	d := w.o.GetCompletion()
	if w.c.silent.Load() || d.GetSeen() > 0 || d.GetReason() != "timeout" && d.GetReason() != "interrupted" || errors.Is(context.Cause(ctx), ErrSettled) {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelIn)
	defer stop()
	d.CancelStatus = w.askToCancel(ctx).GetStatus()
}

// askToCancel gives the answer to the cancellation, nil if there is none.
func (w *wait) askToCancel(ctx context.Context) *understudyv1.Response {
	if w.p.Cancel.Method == "" {
		return nil
	}
	base := w.requestURL()
	monitor, err := w.p.Locate(w.o.GetAck(), w.r.HTTP.Method, w.ownURL())
	if err != nil {
		return nil
	}
	if u, err := w.c.hosts.Resolve(base, monitor.Location); err == nil && monitor.Location != "" {
		monitor.Location = u.String()
	}
	template := w.p.Cancel.Template
	if template == "" {
		template = "{monitor}"
	}
	where := template.Fill(w.o.GetAck(), monitor.Location, w.ownURL())
	if where == "" {
		return nil
	}
	to, err := w.c.hosts.Resolve(base, where)
	if err != nil {
		w.c.metrics.refused.Inc()
		return nil
	}
	req, err := w.request(ctx, w.p.Cancel.Method, to)
	if err != nil {
		return nil
	}
	answer, err := w.c.direct.Exchange(ctx, w.c.direct.request(req, nil, w.r.Session))
	if err != nil {
		return nil
	}
	return answer
}

// CanCancel says whether the policy of a route knows how to cancel.
func (c *Client) CanCancel(route string) bool { return c.policy(route).Cancel.Method != "" }

// IsCanceled says whether how r ended is that the candidate canceled it.
func (c *Client) IsCanceled(r Request, o *understudyv1.Observation) bool {
	d := o.GetCompletion()
	return d.GetFailed() && c.policy(r.Route).Canceled(d.GetPayload())
}

// Cancel tells the candidate to cancel what an acknowledgement of r has promised,
// and waits at most 5 s for the word. It returns true only if the candidate says
// itself, in its answer or at its status monitor, that the operation was
// canceled: that it took the cancellation proves nothing.
func (c *Client) Cancel(ctx context.Context, r Request, ack *understudyv1.Response) bool {
	w := &wait{c: c, p: c.policy(r.Route), o: &understudyv1.Observation{Ack: ack}, r: r, sent: time.Now(), acked: time.Now()}
	ctx, stop := context.WithTimeout(ctx, cancelIn)
	defer stop()
	answer := w.askToCancel(ctx)
	switch {
	case answer == nil, answer.GetStatus() >= 400:
		return false
	case answer.GetStatus() < 300 && w.p.Canceled(answer):
		return true
	}
	w.r.Final = func(*understudyv1.Response) {}
	w.begin(understudyv1.Channel_CHANNEL_POLL)
	m, over := w.monitor(ctx)
	for ; !over && !m.monitor.Result; m.pause = min(time.Duration(float64(m.pause)*w.p.PollBackoff), w.p.PollMax) {
		said, err := m.ask(ctx)
		if err == nil && m.means(said) == operation.Look {
			if w.p.Canceled(said) {
				return true
			}
			if s := w.p.Ask(m.monitor, said); s.State != operation.Pending {
				return false
			}
		}
		if err == nil && m.means(said) == operation.GiveUp || !sleep(ctx, m.pause) {
			return false
		}
	}
	return false
}

// Await goes on to wait for what an acknowledgement has promised that somebody
// has got earlier, by asking its status monitor; ok is false where the channel
// cannot do so, or ctx ends before a completion came. The timeout counts from now.
func (c *Client) Await(ctx context.Context, r Request, ack *understudyv1.Response) (o *understudyv1.Observation, ok bool) {
	w := &wait{c: c, p: c.policy(r.Route), o: &understudyv1.Observation{Ack: ack}, r: r, sent: time.Now(), acked: time.Now()}
	switch channel := c.channel(w.p).(type) {
	case poll, stream:
		channel.await(ctx, w)
	default:
		return w.o, false
	}
	return w.o, ctx.Err() == nil || w.o.GetCompletion().GetSeen() > 0
}

// MonitorOf is the status monitor that an acknowledgement of r names, with its
// address resolved; false if there is none that may be asked.
func (c *Client) MonitorOf(r Request, ack *understudyv1.Response) (operation.Monitor, bool) {
	w := &wait{c: c, p: c.policy(r.Route), r: r}
	m, err := w.p.Locate(ack, r.HTTP.Method, w.ownURL())
	if err != nil || m.Location == "" {
		return m, false
	}
	u, err := c.hosts.Resolve(w.requestURL(), m.Location)
	if err != nil {
		return m, false
	}
	m.Location = u.String()
	return m, true
}
