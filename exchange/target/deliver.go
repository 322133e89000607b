package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// noticed is how long after the timeout what had come before may still be on its
// way through this process, beside what that was stalled.
const noticed = 50 * time.Millisecond

// awaitCalls waits for what the correlator delivers.
func (w *wait) awaitCalls(ctx context.Context, from *waiter) {
	d := w.o.GetCompletion()
	timeout := time.NewTimer(time.Until(w.sent.Add(w.p.Timeout)))
	defer timeout.Stop()
	d.Reason = "timeout"
	if w.unnamed != nil {
		d.Detail = w.unnamed.Error()
	}
	extended := false
	var linger <-chan time.Time
	for {
		select {
		case x := <-from.calls:
			if over := w.take(ctx, x); over {
				return
			}
			if d.Seen == 1 && linger == nil {
				linger = time.After(*w.p.Linger)
			}
		case <-linger:
			for len(from.calls) > 0 {
				if over := w.take(ctx, <-from.calls); over {
					return
				}
			}
			return
		case <-timeout.C:
			switch {
			case d.Seen > 0:
			case !extended:
				now := time.Now()
				extended = true
				timeout.Reset(noticed + w.c.stalls.delay(now.Add(-edge), now))
			case len(from.calls) == 0:
				w.r.Turn.end(false)
				return
			default: // look at them first
				timeout.Reset(0)
			}
		case <-ctx.Done():
			if d.Seen == 0 {
				d.Reason = "interrupted"
			}
			w.r.Turn.end(false)
			return
		}
	}
}

// take looks at one delivery and says whether the wait is over.
func (w *wait) take(ctx context.Context, x call) (over bool) {
	d := w.o.GetCompletion()
	var s operation.Status
	switch x.kind {
	case isSuccess:
		s = w.p.ReceiveAs(operation.Done, x.answer)
	case isFailure:
		s = w.p.ReceiveAs(operation.Failed, x.answer)
	case isProgress:
		s.State = operation.Pending
	default:
		s = w.p.Receive(x.answer, w.r.Recorded)
	}
	switch {
	case s.Fault != nil:
		w.unreadable(s.Fault)
		return true
	case s.State == operation.Pending:
		if w.progress++; d.Seen == 0 {
			d.Detail = fmt.Sprintf("%d came that say it goes on", w.progress)
		}
		return false
	case s.Elsewhere != "":
		answer, err := w.follow(ctx, s.Elsewhere)
		if errors.Is(err, operation.ErrForeign) {
			w.refuse(err)
			return true
		}
		if err != nil {
			w.giveUp("result_failed", message.TransportError(err).GetMessage())
			return true
		}
		s.Answer, s.Head = answer, understudyv1.Completion_HEAD_ANSWER
	}
	first := d.Seen == 0
	w.saw(s, x.at)
	if first {
		d.Reason, d.Detail = "", ""
		w.r.Turn.endAt(x.at, x.place, true)
	}
	return false
}

// follow gets the answer that a delivery only points to.
func (w *wait) follow(ctx context.Context, where string) (*understudyv1.Response, error) {
	m := w.watch(operation.Monitor{Result: true})
	var err error
	if m.target, err = w.c.hosts.Resolve(w.requestURL(), where); err != nil {
		return nil, err
	}
	for {
		answer, err := m.ask(ctx)
		if err == nil || !time.Now().Before(w.sent.Add(w.p.Timeout)) || !sleep(ctx, m.pause) {
			return answer, err
		}
	}
}

// requestURL is the base of the addresses that the answer names.
func (w *wait) requestURL() *url.URL { return operation.RequestURL(w.r.HTTP.URL) }

// typed calls JSON what is JSON and came without header fields that could say so.
func typed(r *understudyv1.Response) *understudyv1.Response {
	if message.First(r.GetHeaders(), "Content-Type") == "" && json.Valid(r.GetBody().GetContent()) {
		r.Headers = append(r.Headers, &understudyv1.Header{Name: "Content-Type", Value: []byte("application/json")})
	}
	return r
}

// ownURL is where the request itself was sent.
func (w *wait) ownURL() string {
	u := w.requestURL()
	u.RawQuery = w.r.HTTP.URL.RawQuery
	return u.String()
}
