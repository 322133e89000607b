package candidate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// wait is the wait for how one accepted request ends.
type wait struct {
	c           *Client
	p           Completion
	r           Request
	o           *understudyv1.Observation
	sent, acked time.Time
}

// begin makes the completion that the observation will carry.
func (w *wait) begin(channel understudyv1.Channel) *understudyv1.Completion {
	w.o.Completion = &understudyv1.Completion{Channel: channel, DeadlineNano: int64(w.p.Deadline)}
	return w.o.Completion
}

// saw records a completion: the first one counts, later ones are compared
// with it.
func (w *wait) saw(answer *understudyv1.Response, isFailed bool, at time.Time) {
	d := w.o.Completion
	d.Seen++
	if d.Seen == 1 {
		d.Payload, d.Failed = answer, isFailed
		d.LatencyNano, d.ServiceNano = int64(at.Sub(w.r.Scheduled)), int64(at.Sub(w.sent))
		w.r.Final(answer)
		return
	}
	if !agree(d.Payload, answer) || d.Failed != isFailed {
		w.contradict(answer)
	}
}

// maxContradictions is how many disagreeing completions are kept.
const maxContradictions = 4

func (w *wait) contradict(answer *understudyv1.Response) {
	d := w.o.Completion
	d.Contradicted++
	if len(d.Contradictions) < maxContradictions {
		d.Contradictions = append(d.Contradictions, answer)
	}
}

// agree compares status and content; JSON by value, so that another order of
// members is no contradiction.
func agree(a, b *understudyv1.Response) bool {
	if a.GetStatus() != b.GetStatus() {
		return false
	}
	x, y := a.GetBody().GetContent(), b.GetBody().GetContent()
	return bytes.Equal(x, y) || bytes.Equal(canonical(x), canonical(y))
}

func canonical(body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return body
	}
	out, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return out
}

// monitorGrace is how long after the acknowledgement a 404 of the status
// monitor means "not yet" (it may be written after the answer).
const monitorGrace = 2 * time.Second

// poll asks the status monitor until the operation is done.
func (w *wait) poll(ctx context.Context, h http.Header) {
	d := w.begin(understudyv1.Channel_CHANNEL_POLL)
	location, operation := monitor(h, w.o.Ack.GetBody().GetContent())
	d.Location = cut(location)
	target, err := w.c.resolve(requestURL(w.r.HTTP.URL), location)
	if location == "" {
		err = errors.New("the acknowledgement names no status monitor")
		d.Reason = "no_location"
	}
	if err != nil {
		if d.Reason == "" {
			d.Reason = "location_refused"
			w.c.metrics.refused.Inc()
		}
		d.Detail = err.Error()
		w.r.Operation.end(false)
		return
	}
	ctx, cancel := context.WithDeadline(ctx, w.sent.Add(w.p.Timeout))
	defer cancel()
	pause := w.p.PollInterval
	d.Reason = "timeout"
	for sleep(ctx, pause) {
		started := time.Now()
		answer, header, err := w.ask(ctx, &target)
		if err != nil {
			if errors.Is(err, errLocation) {
				d.Reason, d.Detail = "location_refused", err.Error()
				w.c.metrics.refused.Inc()
				break
			}
			d.Detail = "last poll: " + transportError(err).GetMessage()
			pause = w.longer(pause)
			continue
		}
		verdict := w.verdict(answer, operation)
		if verdict == giveUp {
			d.Reason, d.Detail = "poll_failed", "the status monitor answered "+strconv.Itoa(int(answer.GetStatus()))
			break
		}
		s, final := pending, (*understudyv1.Response)(nil)
		if verdict == look {
			s, final = w.p.read(answer, operation)
		}
		if s == pending {
			w.r.Operation.pendingAt(started)
			pause = retryAfter(header, w.longer(pause))
			continue
		}
		d.Reason, d.Detail = "", ""
		w.saw(final, s == failed, time.Now())
		w.r.Operation.end(true)
		w.again(ctx, target, operation)
		return
	}
	w.r.Operation.end(false)
}

// requestURL is where relative references in an answer start; the request
// itself carries its path as opaque bytes.
func requestURL(u *url.URL) *url.URL {
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if ref, err := url.Parse(u.Opaque); err == nil && u.Opaque != "" {
		return base.ResolveReference(ref)
	}
	return base
}

func (w *wait) longer(pause time.Duration) time.Duration { return min(pause*3/2, w.p.PollMax) }

// again asks once more at the end of the linger time, for a second completion
// that says something else.
func (w *wait) again(ctx context.Context, target *url.URL, operation bool) {
	if *w.p.Linger == 0 || !sleep(ctx, *w.p.Linger) {
		return
	}
	answer, _, err := w.ask(ctx, &target)
	if err != nil || w.verdict(answer, operation) != look {
		return // the monitor may be gone by now
	}
	if s, final := w.p.read(answer, operation); s != pending && (!agree(w.o.Completion.Payload, final) || w.o.Completion.Failed != (s == failed)) {
		w.o.Completion.Seen++
		w.contradict(final)
	}
}

// ask polls once; a 303 leads to the answer itself, which is then final.
func (w *wait) ask(ctx context.Context, target **url.URL) (*understudyv1.Response, http.Header, error) {
	w.o.Completion.Polls++
	w.c.metrics.polls.Inc()
	for range 2 {
		reqCtx, cancel := context.WithTimeout(ctx, w.c.cfg.Timeout)
		req, err := http.NewRequestWithContext(reqCtx, http.MethodGet, (*target).String(), nil)
		if err != nil {
			cancel()
			return nil, nil, err
		}
		for name, value := range w.c.cfg.Headers {
			req.Header.Set(name, value)
		}
		req.Header.Set("Understudy-Run", w.c.cfg.Run)
		answer, header, err := w.c.exchange(req)
		cancel()
		if err != nil || answer.GetStatus() != http.StatusSeeOther {
			return answer, header, err
		}
		next, err := w.c.resolve(*target, header.Get("Location"))
		if err != nil {
			return nil, nil, err
		}
		*target = next
	}
	return nil, nil, errors.New("the status monitor redirects in circles")
}

type pollVerdict int

const (
	look pollVerdict = iota
	retry
	giveUp
)

// verdict reads the status of a poll's answer.
func (w *wait) verdict(answer *understudyv1.Response, operation bool) pollVerdict {
	switch s := answer.GetStatus(); {
	case s < 400:
		return look
	case s == http.StatusNotFound && time.Since(w.acked) < monitorGrace, s == http.StatusTooManyRequests, s >= 500:
		return retry
	case operation, s == http.StatusNotFound, s == http.StatusUnauthorized, s == http.StatusForbidden:
		return giveUp
	}
	return look // the operation ended with a refusal
}

// callback waits for the candidate to call.
func (w *wait) callback(ctx context.Context, waiter *waiter) {
	d := w.begin(understudyv1.Channel_CHANNEL_CALLBACK)
	d.Location = waiter.path
	timeout := time.NewTimer(time.Until(w.sent.Add(w.p.Timeout)))
	defer timeout.Stop()
	d.Reason = "timeout"
	var linger <-chan time.Time
	for {
		select {
		case call := <-waiter.calls:
			s, final := w.p.read(call.answer, true)
			if s == pending {
				continue // progress, not an end
			}
			w.saw(final, s == failed, call.at)
			if d.Seen == 1 {
				d.Reason = ""
				w.r.Operation.endAt(call.at, true)
				linger = time.After(*w.p.Linger)
			}
		case <-linger:
			return
		case <-timeout.C:
			if d.Seen == 0 {
				w.r.Operation.end(false)
				return
			}
		case <-ctx.Done():
			w.r.Operation.end(false)
			return
		}
	}
}

func cut(s string) string { return s[:min(len(s), 1024)] }

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

// maxRetryAfter bounds what a candidate can make us wait between polls.
const maxRetryAfter = 10 * time.Second

func retryAfter(h http.Header, otherwise time.Duration) time.Duration {
	n, err := strconv.ParseFloat(h.Get("Retry-After"), 64)
	if err != nil || n < 0 || n != n {
		return otherwise
	}
	return max(otherwise, min(time.Duration(min(n, 3600)*float64(time.Second)), maxRetryAfter))
}

func sortHeaders(hs []*understudyv1.Header) {
	slices.SortStableFunc(hs, func(a, b *understudyv1.Header) int { return strings.Compare(a.GetName(), b.GetName()) })
}
