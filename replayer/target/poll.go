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
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// monitorGrace is how long after the acknowledgement a 404 of the status
// monitor means "not yet" (it may be written after the answer).
const monitorGrace = 2 * time.Second

// maxRedirects bounds the redirects of one poll.
const maxRedirects = 3

// watch is one status monitor that is polled.
type watch struct {
	*wait
	target *url.URL
	// operation: what the monitor says is an operation's document by convention.
	operation bool
	// beside is the Location that stood beside an Operation-Location.
	beside string
	// moved: the monitor has led to another resource, which holds the answer.
	moved bool
	pause time.Duration
}

// poll asks the status monitor until the operation is done.
func (w *wait) poll(ctx context.Context, h http.Header) {
	d := w.begin(understudyv1.Channel_CHANNEL_POLL)
	m := &watch{wait: w, pause: w.p.PollInterval}
	var location string
	location, m.operation = monitor(h, w.o.GetAck().GetBody().GetContent())
	if m.operation {
		m.beside = h.Get("Location")
	}
	d.Location = cut(location)
	if location == "" {
		m.giveUp("no_location", "the acknowledgement names no status monitor")
		return
	}
	var err error
	if m.target, err = w.c.resolve(requestURL(w.r.HTTP.URL), location); err != nil {
		m.refuse(err)
		return
	}
	ctx, cancel := context.WithDeadline(ctx, w.sent.Add(w.p.Timeout))
	defer cancel()
	d.Reason = "timeout"
	for sleep(ctx, m.pause) {
		if m.step(ctx) {
			return
		}
	}
	w.r.Operation.end(false)
}

// giveUp ends the wait without a completion.
func (m *watch) giveUp(reason, detail string) {
	m.o.Completion.Reason, m.o.Completion.Detail = reason, detail
	m.r.Operation.end(false)
}

// refuse ends the wait because the candidate points where we do not go.
func (m *watch) refuse(err error) {
	m.c.metrics.refused.Inc()
	m.giveUp("location_refused", err.Error())
}

// step polls once and says whether the wait is over.
func (m *watch) step(ctx context.Context) (over bool) {
	started := time.Now()
	answer, header, err := m.ask(ctx)
	switch {
	case errors.Is(err, errLocation):
		m.refuse(err)
		return true
	case err != nil:
		m.o.Completion.Detail = "last poll: " + message.TransportError(err).GetMessage()
		m.slower()
		return false
	}
	switch m.verdict(answer) {
	case giveUp:
		m.giveUp("poll_failed", "the status monitor answered "+strconv.Itoa(int(answer.GetStatus())))
		return true
	case look:
		if s, final := m.p.read(answer, m.operation); s != pending {
			return m.finish(ctx, s, final)
		}
		m.r.Operation.pendingAt(started)
	}
	m.slower()
	m.pause = retryAfter(header, m.pause)
	return false
}

func (m *watch) slower() { m.pause = min(max(m.pause*3/2, m.p.PollInterval), m.p.PollMax) }

// finish takes what a finished operation says, or goes on to where its result
// is.
func (m *watch) finish(ctx context.Context, s state, final *understudyv1.Response) (over bool) {
	if next := m.elsewhere(s, final); next != "" {
		u, err := m.c.resolve(m.target, next)
		if err != nil {
			m.refuse(err)
			return true
		}
		m.target, m.operation, m.moved, m.pause = u, false, true, 0
		return false
	}
	m.o.Completion.Reason, m.o.Completion.Detail = "", ""
	final = m.inline(s, final)
	m.saw(final, s == failed, time.Now())
	m.r.Operation.end(true)
	m.again(ctx)
	return true
}

// elsewhere is where the result of a finished operation is when its document
// does not hold it: its resourceLocation, or the Location that stood beside
// Operation-Location in the acknowledgement (Microsoft REST API Guidelines,
// long-running operations). A policy's result comes first.
func (m *watch) elsewhere(s state, final *understudyv1.Response) string {
	if !m.conventional(s, final) || resultIn(final) != nil {
		return ""
	}
	if where, ok := stringAt(final.GetBody().GetContent(), "/resourceLocation"); ok && where != "" {
		return where
	}
	return m.beside
}

// inline takes the result out of the operation's document (the same
// guidelines).
func (m *watch) inline(s state, final *understudyv1.Response) *understudyv1.Response {
	raw := resultIn(final)
	if raw == nil || !m.conventional(s, final) {
		return final
	}
	return withBody(&understudyv1.Response{Status: final.GetStatus(), Headers: final.GetHeaders(), Protocol: final.GetProtocol()}, raw)
}

// conventional: the document of an operation that is done, about whose result
// the policy says nothing.
func (m *watch) conventional(s state, final *understudyv1.Response) bool {
	return m.operation && s == done && m.p.Result == "" && m.p.Status == "" && slices.Contains(doneWords, stateWord(final.GetBody().GetContent()))
}

func resultIn(r *understudyv1.Response) []byte {
	raw, ok := at(r.GetBody().GetContent(), "/result")
	if !ok || string(raw) == "null" {
		return nil
	}
	return raw
}

// again asks once more at the end of the linger time, for a second completion
// that says something else. A resource that the monitor led to may go on
// living and is not asked.
func (m *watch) again(ctx context.Context) {
	if *m.p.Linger == 0 || m.moved || !sleep(ctx, *m.p.Linger) {
		return
	}
	answer, _, err := m.ask(ctx)
	if err != nil || m.moved || m.verdict(answer) != look {
		return // the monitor may be gone by now
	}
	d := m.o.GetCompletion()
	s, final := m.p.read(answer, m.operation)
	if final = m.inline(s, final); s != pending && (!agree(d.GetPayload(), final) || d.GetFailed() != (s == failed)) {
		d.Seen++
		m.contradict(final)
	}
}

// ask polls once. A redirect on the candidate leads to the answer itself, or
// to where the monitor is now.
func (m *watch) ask(ctx context.Context) (*understudyv1.Response, http.Header, error) {
	m.o.Completion.Polls++
	m.c.metrics.polls.Inc()
	for range 1 + maxRedirects {
		answer, header, err := m.get(ctx)
		if err != nil || !redirects(answer.GetStatus()) || header.Get("Location") == "" {
			return answer, header, err
		}
		next, err := m.c.resolve(m.target, header.Get("Location"))
		if err != nil {
			return nil, nil, err
		}
		m.target, m.operation, m.moved = next, false, true
	}
	return nil, nil, fmt.Errorf("the status monitor redirects more than %d times", maxRedirects)
}

func redirects(status uint32) bool {
	return slices.Contains([]uint32{
		http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
	}, status)
}

func (m *watch) get(ctx context.Context) (*understudyv1.Response, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, m.c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.target.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	if hostPort(m.target) == hostPort(m.c.base) {
		req.Host, req.Header = m.r.HTTP.Host, pollHeader(m.r.HTTP.Header, m.p.CallbackHeader)
	}
	for name, value := range m.c.cfg.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Understudy-Run", m.c.cfg.Run)
	return m.c.exchange(req)
}

// pollHeader is what a client that sent these fields would send to the status
// monitor: the same, credentials too, without what is about the request's body
// or asks for a part, a condition or an encoding.
func pollHeader(sent http.Header, callback string) http.Header {
	h := http.Header{}
	for name, values := range sent {
		lower := strings.ToLower(name)
		switch {
		case strings.HasPrefix(lower, "content-"), strings.HasPrefix(lower, "if-"), strings.HasSuffix(lower, "idempotency-key"),
			lower == "range", lower == "prefer", lower == "accept-encoding", strings.EqualFold(name, callback):
		default:
			h[name] = values
		}
	}
	return h
}

type pollVerdict int

const (
	look pollVerdict = iota
	retry
	giveUp
)

// verdict reads the status of a poll's answer.
func (m *watch) verdict(answer *understudyv1.Response) pollVerdict {
	switch s := answer.GetStatus(); {
	case s < 400:
		return look
	case s == http.StatusNotFound && time.Since(m.acked) < monitorGrace, s == http.StatusTooManyRequests, s >= 500:
		return retry
	case m.operation, s == http.StatusNotFound, s == http.StatusUnauthorized, s == http.StatusForbidden:
		return giveUp
	}
	return look // the operation ended with a refusal
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
