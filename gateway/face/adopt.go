package face

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// What a status monitor is, in the ledger.
const (
	monitorAnswer    = "answer"
	monitorOperation = "operation"
	monitorAzure     = "azure"
)

// Adopt takes up what an earlier life of this gateway has left: it goes on to ask
// the status monitor, without the credentials of the client, of which nothing is
// kept. What cannot be asked for is left to a person.
func (f *Face) Adopt(e *understudyv1.InFlight) {
	j := &job{f: f, done: make(chan struct{})}
	j.ctx, j.cancel = context.WithCancelCause(f.ctx)
	j.mu.Lock()
	work := f.with.Ledger.Adopt(e, j)
	j.work = work
	j.mu.Unlock()
	if work == nil {
		return
	}
	if e.GetLocation() != "" { // clients ask for it too
		f.with.Accepted.NoteAddress(e.GetLocation(), understudyv1.Side_SIDE_CANDIDATE)
	}
	i := f.routes.index(e.GetRoute())
	switch {
	case e.GetState() == understudyv1.InFlight_STATE_HELD:
		return
	case e.GetState() == understudyv1.InFlight_STATE_RESOLVED:
		f.with.Ledger.Resolve(e)
		return
	case i < 0:
		work.Hold("the gateway has ended meanwhile, and its face does not know the route any more")
		return
	case e.GetLocation() == "":
		work.Hold("the gateway has ended meanwhile, and where to ask for it is not in the ledger")
		return
	}
	j.p = &f.policies[i]
	f.resume(j, e)
}

// resume awaits what an earlier life was promised.
func (f *Face) resume(j *job, e *understudyv1.InFlight) {
	name := map[string]string{monitorOperation: "Operation-Location", monitorAzure: "Azure-AsyncOperation"}[e.GetMonitor()]
	if name == "" {
		name = "Location"
	}
	base := f.client.Base()
	address := base.Scheme + "://" + base.Host + e.GetLocation()
	ack := &understudyv1.Response{Status: http.StatusAccepted, Headers: []*understudyv1.Header{{Name: name, Value: []byte(address)}}}
	u, err := url.Parse(address)
	if err != nil {
		j.work.Hold("the address in the ledger is none")
		return
	}
	h := http.Header{}
	for name, value := range f.cfg.Headers {
		h.Set(name, value)
	}
	j.req = target.Request{
		ID: e.GetId(), Session: e.GetSession(), Route: e.GetRoute(), Scheduled: time.Now(), HTTP: &http.Request{Method: e.GetMethod(), URL: u, Host: u.Host, Header: h},
		Sent: func(time.Time) {}, Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) {},
	}
	f.begin(j, func() *understudyv1.Observation {
		o, ok := f.client.Await(j.ctx, j.req, ack)
		if !ok && o.GetCompletion() == nil && f.ctx.Err() == nil {
			j.work.Hold("the gateway has ended meanwhile, and its channel cannot be asked again")
		}
		return o
	})
}
