package target

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Client drives one candidate. It is safe for concurrent use.
type Client struct {
	cfg        Config
	hosts      operation.Hosts
	exceptions []exception
	direct     *Direct
	log        *slog.Logger
	metrics    metrics
	callbacks  *receiver
	orphan     func(*understudyv1.Orphan)
}

// New makes a client; orphan is called for each callback that belongs to no
// request. Start must run before Do when a policy uses callbacks.
func New(cfg Config, orphan func(*understudyv1.Orphan), log *slog.Logger, reg prometheus.Registerer) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := parseBase(cfg.URL)
	if err != nil {
		return nil, err
	}
	exceptions, err := cfg.exceptions()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	client := &Client{
		cfg: cfg, exceptions: exceptions, hosts: operation.Hosts{Base: base, Others: cfg.Locations}, log: log, metrics: m, orphan: orphan,
		direct: newDirect(cfg, base, m.resent.Inc),
	}
	client.callbacks = newReceiver(client)
	return client, nil
}

// Base is where the candidate is.
func (c *Client) Base() *url.URL { return c.direct.Base() }

// Start listens for callbacks if any policy uses them; stop ends it.
func (c *Client) Start(ctx context.Context) (stop func(), err error) {
	uses := c.cfg.Completion.Channel == ChannelCallback
	for _, r := range c.cfg.Routes {
		uses = uses || r.Channel == ChannelCallback
	}
	if !uses {
		return c.direct.Close, nil
	}
	stopReceiver, err := c.callbacks.start(ctx)
	if err != nil {
		return nil, err
	}
	return func() { stopReceiver(); c.direct.Close() }, nil
}

// Request is one request to drive.
type Request struct {
	// HTTP is the request without its body.
	HTTP  *http.Request
	Body  []byte
	Route string
	// Recorded is what the other system had answered, nil if nothing is known:
	// it tells an operation's document from the answer that is waited for.
	Recorded *understudyv1.Response
	// Scheduled is the intended send time; latencies count from it and from
	// the actual one.
	Scheduled time.Time
	// Turn is the request's entry in its session, for the evidence of
	// order; nil when order is not watched.
	Turn *Turn
	// Sent is called with the actual send time.
	Sent func(time.Time)
	// Acked is called with a promise to answer later.
	Acked func(*understudyv1.Response)
	// Final is called with the first final answer as soon as it is there, long
	// before the watch for a second one ends.
	Final func(*understudyv1.Response)
}

// Do sends the request and waits for how it ends. A failure is part of the
// observation, never an error. When ctx ends before a completion came, ok is
// false and the observation is not complete.
func (c *Client) Do(ctx context.Context, r Request) (o *understudyv1.Observation, ok bool) {
	w := &wait{c: c, p: c.policy(r.Route), o: &understudyv1.Observation{}}
	if w.p.Unordered {
		r.Turn.end(false)
		r.Turn = nil
	}
	var expected *waiter
	if w.p.Channel == ChannelCallback {
		expected = c.callbacks.expect()
		defer c.callbacks.forget(expected)
		r.HTTP.Header.Set(w.p.CallbackHeader, c.callbacks.url(expected))
		if w.p.CallbackPointer != "" {
			r.Body, w.unnamed = operation.WithCallback(r.Body, w.p.CallbackPointer, c.callbacks.url(expected))
		}
	}
	load(r.HTTP, r.Body)
	w.r = r
	ack, err := w.send(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return w.o, false
	case err != nil:
		w.o.Error = message.TransportError(err)
		r.Turn.end(false)
		return w.o, true
	}
	w.o.Ack = ack
	switch {
	case !promised(w.p, ack):
		w.immediate()
	case expected != nil:
		r.Acked(ack)
		w.callback(ctx, expected)
	default:
		r.Acked(ack)
		w.poll(ctx)
	}
	if d := w.o.GetCompletion(); d != nil {
		c.metrics.completed.WithLabelValues(channelName(d)).Inc()
	}
	return w.o, ctx.Err() == nil || w.o.GetCompletion() == nil || w.o.GetCompletion().GetSeen() > 0
}

func channelName(d *understudyv1.Completion) string {
	if d.GetSeen() == 0 {
		return "none"
	}
	return understudyv1.Label(d.GetChannel())
}

// promised says whether an acknowledgement is a promise rather than an answer.
func promised(p Completion, ack *understudyv1.Response) bool {
	accepted := p.Accepts(ack.GetStatus())
	switch {
	case p.Channel == ChannelNone:
		return false
	case p.Channel == ChannelCallback, p.Channel == ChannelPoll && accepted:
		return accepted
	}
	return p.Promises(ack)
}
