package target

import (
	"context"
	"time"
)

// cancelIn bounds how long the answer to a cancellation is waited for.
const cancelIn = 5 * time.Second

// cancel cancels an operation whose end was not seen, if the policy says how.
// What comes of it is noted and no more: the request is lost all the same.
func (w *wait) cancel(ctx context.Context) {
	d := w.o.GetCompletion()
	if w.c.silent.Load() || w.p.Cancel.Method == "" || d.GetSeen() > 0 || d.GetReason() != "timeout" && d.GetReason() != "interrupted" {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelIn)
	defer stop()
	base := w.requestURL()
	monitor, err := w.p.Locate(w.o.GetAck(), w.r.HTTP.Method, w.ownURL())
	if err != nil {
		return
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
		return
	}
	to, err := w.c.hosts.Resolve(base, where)
	if err != nil {
		w.c.metrics.refused.Inc()
		return
	}
	req, err := w.request(ctx, w.p.Cancel.Method, to)
	if err != nil {
		return
	}
	if answer, err := w.c.direct.Exchange(ctx, w.c.direct.request(req, nil, w.r.Session)); err == nil {
		d.CancelStatus = answer.GetStatus()
	}
}
