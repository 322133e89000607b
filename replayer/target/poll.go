package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// maxRedirects bounds the redirects of one poll.
const maxRedirects = 3

// watch is one status monitor that is polled.
type watch struct {
	*wait
	target  *url.URL
	monitor operation.Monitor
	// moved: the monitor has led to another resource, which holds the answer.
	moved bool
	// pause is our own before the next poll, asked what the candidate said last
	// by Retry-After.
	pause, asked time.Duration
}

// poll asks the status monitor until the operation is done.
func (w *wait) poll(ctx context.Context) {
	d := w.begin(understudyv1.Channel_CHANNEL_POLL)
	m := &watch{wait: w, pause: w.p.PollInterval, monitor: operation.MonitorOf(w.o.GetAck())}
	if w.p.Accepts(w.o.GetAck().GetStatus()) { // a 201 leads to what was created
		m.monitor.Expected = w.r.Recorded
	}
	d.Location = cut(m.monitor.Location)
	if m.monitor.Location == "" {
		m.giveUp("no_location", "the acknowledgement names no status monitor")
		return
	}
	var err error
	if m.target, err = w.c.hosts.Resolve(operation.RequestURL(w.r.HTTP.URL), m.monitor.Location); err != nil {
		m.refuse(err)
		return
	}
	d.Reason = "timeout"
	m.asked = operation.RetryAfter(message.First(w.o.GetAck().GetHeaders(), "Retry-After"), w.acked)
	end := w.sent.Add(w.p.Timeout)
	polls, cancel := context.WithDeadline(ctx, latest(end, w.acked).Add(lastAnswer))
	defer cancel()
	for sleep(polls, m.next(time.Now(), end)) {
		last := !time.Now().Before(end)
		if m.step(polls) {
			return
		}
		if last && m.pause > 0 {
			break
		}
	}
	w.r.Turn.end(false)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lastAnswer is how long after the timeout a poll may still be answered.
const lastAnswer = time.Second

// next is how long to wait before the next poll. Nothing is called lost or late
// because we were not looking: the last poll is sent at the timeout, and one at
// the deadline unless the candidate wants to be asked later.
func (m *watch) next(now, end time.Time) time.Duration {
	pause := max(m.pause, m.asked)
	if deadline := m.sent.Add(m.p.Deadline + time.Millisecond).Sub(now); m.p.Deadline > 0 && deadline > 0 && m.asked == 0 {
		pause = min(pause, deadline)
	}
	return min(pause, max(end.Sub(now), 0))
}

// giveUp ends the wait without a completion.
func (m *watch) giveUp(reason, detail string) {
	m.o.Completion.Reason, m.o.Completion.Detail = reason, detail
	m.r.Turn.end(false)
}

// refuse ends the wait because the candidate points where we do not go.
func (m *watch) refuse(err error) {
	m.c.metrics.refused.Inc()
	m.giveUp("location_refused", err.Error())
}

// step polls once and says whether the wait is over.
func (m *watch) step(ctx context.Context) (over bool) {
	d := m.o.GetCompletion()
	started := time.Now()
	answer, err := m.ask(ctx)
	m.asked = operation.RetryAfter(message.First(answer.GetHeaders(), "Retry-After"), time.Now())
	meaning := operation.Retry
	switch {
	case errors.Is(err, operation.ErrForeign):
		m.refuse(err)
		return true
	case err != nil:
		d.Detail = "last poll: " + message.TransportError(err).GetMessage()
	default:
		meaning, d.Detail = m.means(answer), ""
	}
	switch meaning {
	case operation.GiveUp:
		m.giveUp("poll_failed", "the status monitor answered "+strconv.Itoa(int(answer.GetStatus())))
		return true
	case operation.Look:
		if s := m.p.Ask(m.monitor, answer); s.State != operation.Pending {
			if d.AskedNano == 0 {
				d.AskedNano = int64(started.Sub(m.sent))
			}
			return m.finish(ctx, s)
		}
		m.r.Turn.pendingAt(started)
		d.PendingNano = int64(started.Sub(m.sent))
	case operation.Retry:
		if err == nil {
			d.Detail = "last poll: answered " + strconv.Itoa(int(answer.GetStatus()))
		}
	}
	// What comes after a pause of ours was not waited for since then.
	d.AskedNano = 0
	m.pause = min(max(m.pause*3/2, m.p.PollInterval), m.p.PollMax)
	return false
}

// finish takes what a finished operation says, or goes on to where its result
// is.
func (m *watch) finish(ctx context.Context, s operation.Status) (over bool) {
	if s.Elsewhere != "" {
		u, err := m.c.hosts.Resolve(m.target, s.Elsewhere)
		if err != nil {
			m.refuse(err)
			return true
		}
		m.move(u)
		m.pause, m.asked = 0, 0
		return false
	}
	m.o.Completion.Reason, m.o.Completion.Detail = "", ""
	m.saw(s.Answer, s.State == operation.Failed, time.Now())
	m.r.Turn.end(true)
	m.again(ctx)
	return true
}

// move goes on to another resource, which is or will be the answer.
func (m *watch) move(to *url.URL) {
	m.target, m.moved, m.monitor.Result = to, true, true
	m.monitor.Document, m.monitor.Expected = false, nil
}

func (m *watch) means(answer *understudyv1.Response) operation.Meaning {
	return m.monitor.Means(answer, time.Since(m.acked))
}

// again asks once more at the end of the linger time, for a second completion
// that says something else; what repeats the first to the byte is the same one.
// A resource that the monitor led to may go on living and is not asked.
func (m *watch) again(ctx context.Context) {
	if *m.p.Linger == 0 || m.moved || !sleep(ctx, *m.p.Linger) {
		return
	}
	answer, err := m.ask(ctx)
	if err != nil || m.moved || m.means(answer) != operation.Look {
		return // the monitor may be gone by now
	}
	d := m.o.GetCompletion()
	s := m.p.Ask(m.monitor, answer)
	isFailed := s.State == operation.Failed
	if s.State != operation.Pending && (isFailed != d.GetFailed() || !repeats(d.GetPayload(), s.Answer)) {
		m.saw(s.Answer, isFailed, time.Now())
	}
}

// ask polls once. A redirect on the candidate leads to the answer itself, or
// to where the monitor is now.
func (m *watch) ask(ctx context.Context) (*understudyv1.Response, error) {
	m.o.Completion.Polls++
	m.c.metrics.polls.Inc()
	for range 1 + maxRedirects {
		answer, err := m.get(ctx)
		location := message.First(answer.GetHeaders(), "Location")
		if err != nil || !redirects(answer.GetStatus()) || location == "" {
			return answer, err
		}
		next, err := m.c.hosts.Resolve(m.target, location)
		if err != nil {
			return nil, err
		}
		m.move(next)
	}
	return nil, fmt.Errorf("the status monitor redirects more than %d times", maxRedirects)
}

func redirects(status uint32) bool {
	return slices.Contains([]uint32{
		http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
	}, status)
}

func (m *watch) get(ctx context.Context) (*understudyv1.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, m.c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.target.String(), nil)
	if err != nil {
		return nil, err
	}
	if m.c.hosts.Own(m.target) {
		req.Host, req.Header = m.r.HTTP.Host, pollHeader(m.r.HTTP.Header, m.p.CallbackHeader)
	}
	for name, value := range m.c.cfg.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set(message.RunMark, m.c.cfg.Run)
	return m.c.direct.exchange(req)
}

// pollHeader is what a client that sent these fields would send to the status
// monitor: the same, credentials too, without what is about the request's body
// or asks for a part, a condition or an encoding.
func pollHeader(sent http.Header, callback string) http.Header {
	h := http.Header{}
	for name, values := range sent {
		lower := strings.ToLower(name)
		switch {
		case strings.HasPrefix(lower, "content-"), strings.HasPrefix(lower, "if-"), message.IsIdempotencyKey(name),
			lower == "range", lower == "prefer", lower == "accept-encoding", strings.EqualFold(name, callback):
		default:
			h[name] = values
		}
	}
	return h
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
