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
	held    bool
	// pause is our own before the next poll, asked what the candidate said last
	// by Retry-After.
	pause, asked time.Duration
}

// poll asks the status monitor until the operation is done. If held is set, the
// monitor answers when there is news, and says so if there was none.
type poll struct{ held bool }

func (poll) expect(*wait) func(string) { return nothing }

func (c poll) await(ctx context.Context, w *wait) {
	d := w.begin(understudyv1.Channel_CHANNEL_POLL)
	m, over := w.monitor(ctx)
	if over {
		return
	}
	m.held = c.held
	d.Reason = "timeout"
	m.asked = operation.RetryAfter(message.First(w.o.GetAck().GetHeaders(), "Retry-After"), w.acked)
	if m.monitor.Result {
		m.asked = 0
	}
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
	if ctx.Err() != nil {
		d.Reason = "interrupted"
	}
	w.r.Turn.end(false)
}

// monitor finds the status monitor that the acknowledgement names. over says
// that nothing is to be waited for: the operation has ended already, or there is
// no monitor.
func (w *wait) monitor(ctx context.Context) (m *watch, over bool) {
	d, ack := w.o.GetCompletion(), w.o.GetAck()
	monitor, err := w.p.Locate(ack, w.r.HTTP.Method, w.ownURL())
	if err != nil {
		w.unreadable(err)
		return nil, true
	}
	if accepted, _ := w.p.Accepts(ack); accepted { // a 201 leads to what was created
		monitor.Expected = w.r.Recorded
	}
	d.Location = cut(monitor.Location)
	m = w.watch(monitor)
	m.target = w.requestURL()
	if monitor.Location != "" {
		if m.target, err = w.c.hosts.Resolve(m.target, monitor.Location); err != nil {
			w.refuse(err)
			return nil, true
		}
		m.monitor.Location = m.target.String()
	}
	if s, ok := w.p.Already(m.monitor, ack); ok {
		d.AskedNano = int64(w.acked.Sub(w.sent))
		return m, m.finish(ctx, s, w.acked)
	}
	if monitor.Location == "" {
		w.giveUp("no_location", "the acknowledgement names no status monitor")
		return nil, true
	}
	return m, false
}

// watch begins to look at a status monitor.
func (w *wait) watch(monitor operation.Monitor) *watch {
	return &watch{wait: w, pause: w.p.PollInterval, monitor: monitor}
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
	case m.held && saysNoNews(answer.GetStatus()):
		meaning, d.Detail = operation.Look, ""
		answer = &understudyv1.Response{Status: http.StatusAccepted}
	default:
		meaning, d.Detail = m.means(answer), ""
	}
	switch meaning {
	case operation.GiveUp:
		m.giveUp("poll_failed", "the status monitor answered "+strconv.Itoa(int(answer.GetStatus())))
		return true
	case operation.Look:
		if s := m.p.Ask(m.monitor, answer); s.State != operation.Pending || s.Fault != nil {
			if d.AskedNano == 0 {
				d.AskedNano = int64(started.Sub(m.sent))
			}
			return m.finish(ctx, s, time.Now())
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
	m.pause = min(max(time.Duration(float64(m.pause)*m.p.PollBackoff), m.p.PollInterval), m.p.PollMax)
	if m.held && time.Since(started) >= m.p.PollInterval {
		m.pause = 0 // the monitor has paused itself
	}
	return false
}

// saysNoNews says that a held poll has ended without news.
func saysNoNews(status uint32) bool {
	return slices.Contains([]uint32{http.StatusNoContent, http.StatusNotModified, http.StatusRequestTimeout, http.StatusGatewayTimeout}, status)
}

// finish takes what a finished operation says, or goes on to where its result
// is.
func (m *watch) finish(ctx context.Context, s operation.Status, at time.Time) (over bool) {
	switch {
	case s.Fault != nil:
		m.unreadable(s.Fault)
		return true
	case s.Elsewhere != "":
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
	m.saw(s, at)
	m.r.Turn.endAt(at, place{}, true)
	m.again(ctx)
	return true
}

// move goes on to another resource, which is the answer.
func (m *watch) move(to *url.URL) {
	m.target, m.monitor.Result = to, true
}

func (m *watch) means(answer *understudyv1.Response) operation.Meaning {
	return m.monitor.Means(answer, time.Since(m.acked))
}

// again asks once more at the end of the linger time, for a second completion
// that says something else; what repeats the first to the byte is the same one.
// A resource that the monitor led to may go on living and is not asked.
func (m *watch) again(ctx context.Context) {
	d := m.o.GetCompletion()
	if *m.p.Linger == 0 || m.monitor.Result || d.GetPolls() == 0 || !sleep(ctx, *m.p.Linger) {
		return
	}
	answer, err := m.ask(ctx)
	if err != nil || m.monitor.Result || m.held && saysNoNews(answer.GetStatus()) || m.means(answer) != operation.Look {
		return // the monitor may be gone by now
	}
	s := m.p.Ask(m.monitor, answer)
	isFailed := s.State == operation.Failed
	if s.State != operation.Pending && s.Fault == nil && s.Elsewhere == "" && (isFailed != d.GetFailed() || !repeats(d.GetPayload(), s.Answer)) {
		m.saw(s, time.Now())
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
		if err != nil || m.monitor.Result || !redirects(answer.GetStatus()) || location == "" {
			return answer, err
		}
		next, err := m.c.hosts.Resolve(m.target, location)
		if err != nil {
			return nil, err
		}
		if m.leads(answer.GetStatus()) {
			m.move(next)
		} else {
			m.target = next
		}
	}
	return nil, fmt.Errorf("the status monitor redirects more than %d times", maxRedirects)
}

// leads says that a redirect is that of an operation which is done to its answer
// (RFC 9110, 15.4.4), and not one of the monitor to where it is now. A 302 means
// either, and the latter where the monitor's document tells the two apart.
func (m *watch) leads(status uint32) bool {
	reads := m.monitor.Document || m.p.Done.Given() || m.p.Pending.Given()
	return status == http.StatusSeeOther || status == http.StatusFound && !reads
}

func redirects(status uint32) bool {
	return slices.Contains([]uint32{
		http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
	}, status)
}

func (m *watch) get(ctx context.Context) (*understudyv1.Response, error) {
	req, err := m.request(ctx, http.MethodGet, m.target)
	if err != nil {
		return nil, err
	}
	return m.c.direct.Exchange(ctx, m.c.direct.request(req, nil, m.r.Session))
}

// request is one about the operation that w's request has begun. Only the
// candidate itself gets what that request carried, and the headers of the
// configuration, which may be secrets.
func (w *wait) request(ctx context.Context, method string, to *url.URL) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, to.String(), nil)
	if err != nil {
		return nil, err
	}
	if w.c.hosts.Own(to) {
		req.Host, req.Header = w.r.HTTP.Host, pollHeader(w.r.HTTP.Header, w.p.carried())
		for name, value := range w.c.cfg.Headers {
			if value == "" {
				continue // it needs none
			}
			req.Header.Set(name, value)
		}
	}
	if w.c.cfg.Run != "" && w.c.cfg.RunMark != "" {
		req.Header.Set(w.c.cfg.RunMark, w.c.cfg.Run)
	}
	return req, nil
}

// pollHeader is what a client that sent these fields would send to the status
// monitor: the same, credentials too, without what is about the request's body
// or asks for a part, a condition or an encoding.
func pollHeader(sent http.Header, carried []string) http.Header {
	h := http.Header{}
	for name, values := range sent {
		lower := strings.ToLower(name)
		switch {
		case strings.HasPrefix(lower, "content-"), strings.HasPrefix(lower, "if-"), message.IsIdempotencyKey(name),
			lower == "range", lower == "prefer", lower == "accept-encoding", slices.ContainsFunc(carried, func(c string) bool { return strings.EqualFold(c, name) }):
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
