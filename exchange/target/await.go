package target

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// wait is the wait for how one request ends.
type wait struct {
	c           *Client
	p           *Completion // shared by all of the route
	r           Request
	o           *understudyv1.Observation
	sent, acked time.Time
	// unnamed: the request has no place for the callback's address, or for the
	// identifier of its completion.
	unnamed error
	// progress is how many deliveries said that the operation goes on.
	progress int
}

// send sends the request and reads the acknowledgement.
func (w *wait) send(ctx context.Context) (*understudyv1.Response, error) {
	ack, err := w.exchange(ctx)
	if w.sent.IsZero() { // it did not come so far
		w.began(time.Now())
	}
	w.acked = time.Now()
	w.o.AckLatencyNano, w.o.AckServiceNano = int64(w.acked.Sub(w.r.Scheduled)), int64(w.acked.Sub(w.sent))
	return ack, err
}

// began notes when the request was sent.
func (w *wait) began(at time.Time) {
	w.sent = at
	w.r.Sent(at)
}

// exchange sends the request on its way: by HTTP, or to a topic, which accepts
// everything.
func (w *wait) exchange(ctx context.Context) (*understudyv1.Response, error) {
	if w.p.Channel != ChannelTopic || w.p.Topic.Request == "" {
		r := w.c.direct.request(w.r.HTTP, w.r.Body, w.r.Session)
		r.At, r.Sent = w.r.Scheduled, w.began
		return w.c.direct.Exchange(ctx, r)
	}
	if !sleep(ctx, time.Until(w.r.Scheduled)) {
		return nil, ctx.Err()
	}
	w.began(time.Now())
	ctx, cancel := context.WithTimeout(ctx, w.c.cfg.Timeout)
	defer cancel()
	if err := w.c.cfg.Topics.Produce(ctx, w.p.Topic.Request, requestMessage(w.r)); err != nil {
		return nil, &notTaken{err}
	}
	return &understudyv1.Response{Status: http.StatusAccepted, Protocol: "Kafka", Body: message.BodyOf(nil)}, nil
}

// notTaken is the failure to write a request to a topic.
type notTaken struct{ error }

func (e *notTaken) Unwrap() error { return e.error }

// failure is what a request failed with.
func failure(err error) *understudyv1.TransportError {
	if produced := (*notTaken)(nil); errors.As(err, &produced) && !errors.Is(err, context.DeadlineExceeded) {
		return &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_CONNECT, Message: "Kafka did not take the request"}
	}
	return transportError(err)
}

// transportError is message.TransportError for errors of a dialer too.
func transportError(err error) *understudyv1.TransportError {
	if errors.Is(err, operation.ErrForeign) {
		return &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_REFUSED, Message: cut(err.Error())}
	}
	return message.TransportError(err)
}

// giveUp ends the wait without a completion.
func (w *wait) giveUp(reason, detail string) {
	w.o.Completion.Reason, w.o.Completion.Detail = reason, detail
	w.r.Turn.end(false)
}

// refuse ends the wait because the candidate points where we do not go.
func (w *wait) refuse(err error) {
	w.c.metrics.refused.Inc()
	w.giveUp("location_refused", err.Error())
}

// unreadable ends the wait because what the user said about the answers cannot
// be applied to this one: nothing is known of how the request ended.
func (w *wait) unreadable(err error) {
	w.o.Ack, w.o.Completion = nil, nil
	w.o.Error = &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_UNREADABLE, Message: cut("the answer could not be read: " + err.Error())}
	w.r.Turn.end(false)
}

// immediate takes the acknowledgement for the answer.
func (w *wait) immediate() {
	answered(w.o, w.p.Deadline)
	if d := w.o.GetCompletion(); d != nil {
		d.StallNano = min(int64(w.ours(d.GetChannel(), w.acked)), d.GetServiceNano())
	}
	w.r.Final(w.o.GetAck())
	w.r.Turn.end(false)
}

// begin makes the completion that the observation will carry.
func (w *wait) begin(channel understudyv1.Channel) *understudyv1.Completion {
	w.o.Completion = &understudyv1.Completion{Channel: channel, DeadlineNano: int64(w.p.Deadline)}
	return w.o.Completion
}

// saw records a completion. What a later one means beside the first is for the
// comparator to say.
func (w *wait) saw(s operation.Status, at time.Time) {
	d, answer, isFailed := w.o.Completion, s.Answer, s.State == operation.Failed
	d.Seen++
	service := int64(at.Sub(w.sent))
	if d.Seen == 1 {
		d.Payload, d.Failed, d.Head = answer, isFailed, s.Head
		d.LatencyNano, d.ServiceNano = int64(at.Sub(w.r.Scheduled)), service
		d.StallNano = min(int64(w.ours(d.GetChannel(), at)), service)
		w.r.Final(answer)
		return
	}
	if len(d.Later) < maxLater {
		d.Later = append(d.Later, &understudyv1.Sighting{Payload: w.kept(answer), Failed: isFailed, ServiceNano: service})
	}
}

// ours is how much of the time from the send to a completion that was noticed at
// a moment may be our own fault: the request left late, and what was delivered
// was noticed late. A poll proves when it was asked.
func (w *wait) ours(channel understudyv1.Channel, at time.Time) time.Duration {
	left := min(w.c.stalls.longest(w.sent, w.acked), w.acked.Sub(w.sent))
	if channel == understudyv1.Channel_CHANNEL_POLL {
		return left
	}
	return left + w.c.stalls.delay(at.Add(-edge), at)
}

// maxLater is how many completions are kept beside the first.
const maxLater = 8

// kept is what is kept of a later completion: nothing of one that repeats the
// first, and no more of all together than one body may have, because a record
// has room for so many.
func (w *wait) kept(answer *understudyv1.Response) *understudyv1.Response {
	if repeats(w.o.GetCompletion().GetPayload(), answer) {
		return nil
	}
	left := w.c.cfg.CaptureLimit
	for _, s := range w.o.GetCompletion().GetLater() {
		left -= int64(len(s.GetPayload().GetBody().GetContent()))
	}
	message.CutBody(answer.GetBody(), max(left, 0))
	return answer
}

// repeats says whether two answers are the same to the byte, as far as answers
// that come later are compared.
func repeats(a, b *understudyv1.Response) bool {
	x, y := a.GetBody(), b.GetBody()
	return a.GetStatus() == b.GetStatus() && bytes.Equal(x.GetContent(), y.GetContent()) &&
		x.GetLength() == y.GetLength() && bytes.Equal(x.GetSha256(), y.GetSha256()) &&
		slices.Equal(message.Values(a.GetHeaders(), "Content-Type"), message.Values(b.GetHeaders(), "Content-Type")) &&
		slices.Equal(message.Values(a.GetHeaders(), "Content-Encoding"), message.Values(b.GetHeaders(), "Content-Encoding"))
}

func cut(s string) string { return s[:min(len(s), 1024)] }
