package target

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/route"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Client drives one candidate. It is safe for concurrent use.
type Client struct {
	cfg       Config
	hosts     operation.Hosts
	policies  []Completion // the first is that of routes without one of their own
	routes    []route.Pattern
	direct    *Direct
	log       *slog.Logger
	metrics   metrics
	callbacks *receiver
	stalls    stalls
	took      taking
	orphan    func(*understudyv1.Orphan)
	silent    atomic.Bool
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
	policies, routes, err := cfg.policies()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	client := &Client{
		cfg: cfg, policies: policies, routes: routes, hosts: operation.Hosts{Base: base, Others: cfg.Locations}, log: log, metrics: m, orphan: orphan,
	}
	if client.direct, err = newDirect(cfg, base, m.resent.Inc); err != nil {
		return nil, err
	}
	if client.callbacks, err = newReceiver(client); err != nil {
		return nil, err
	}
	if cfg.Topics == nil && cfg.UsesTopics() {
		return nil, errors.New("completions by topic need Kafka, and there is none")
	}
	return client, nil
}

// Silence ends that operations are canceled whose requests are interrupted:
// nothing more is to be sent.
func (c *Client) Silence() { c.silent.Store(true) }

// Addresses are those to which the candidate's host led when it was first looked up
// or has led since; nil if that is not known.
func (c *Client) Addresses() []netip.AddrPort {
	if c.direct.dialer == nil {
		return nil
	}
	return c.direct.dialer.addresses(c.direct.base)
}

// Base is where the candidate is.
func (c *Client) Base() *url.URL { return c.direct.Base() }

// Start looks up where the candidate is, listens for callbacks and reads topics if
// any policy uses them; stop ends it.
func (c *Client) Start(ctx context.Context) (stop func(), err error) {
	if err := c.direct.Pin(ctx, c.cfg.Locations...); err != nil {
		return nil, err
	}
	stopReceiver := func() {}
	if slices.ContainsFunc(c.policies, func(p Completion) bool { return p.Channel == ChannelCallback }) {
		if stopReceiver, err = c.callbacks.start(ctx); err != nil {
			return nil, err
		}
	}
	stopTopics, err := c.subscribe(ctx)
	if err != nil {
		stopReceiver()
		return nil, err
	}
	stopBeating := func() {}
	if c.cfg.Network == nil { // who holds both ends has his own notion of time
		stopBeating = c.stalls.start(ctx)
	}
	return func() { stopReceiver(); stopTopics(); stopBeating(); c.direct.Close() }, nil
}

// Request is one request to drive.
type Request struct {
	// ID is that of the exchange, and Session its session.
	ID, Session string
	// HTTP is the request without its body.
	HTTP  *http.Request
	Body  []byte
	Route string
	// Recorded is what the other system had answered, nil if nothing is known:
	// it tells an operation's document from the answer that is waited for.
	Recorded *understudyv1.Response
	// Scheduled is the intended send time, which may be to come: then it is sent at
	// that moment. Latencies count from it and from the actual one.
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
	w := &wait{c: c, p: c.policy(r.Route), o: &understudyv1.Observation{}, r: r}
	if w.p.Unordered {
		r.Turn.end(false)
		w.r.Turn = nil
	}
	channel := c.channel(w.p)
	forget := channel.expect(w)
	ack, err := w.send(ctx)
	if err != nil {
		forget("after_end")
		if ctx.Err() == nil {
			w.o.Error = failure(err)
		}
		w.r.Turn.end(false)
		return w.o, w.o.Error != nil
	}
	w.o.Ack = ack
	w.r.Turn.acknowledged()
	switch promise, fault := promised(w); {
	case fault != nil:
		w.unreadable(fault)
	case promise:
		c.took.promise(r.Route, w.p.Channel)
		w.r.Acked(ack)
		channel.await(ctx, w)
	default:
		if doubt := c.took.final(r.Route, w.p, ack, r.Recorded); doubt != "" {
			c.log.Warn("an answer looks asynchronous and is taken as final; further ones are counted", "route", r.Route, "because", doubt)
		}
		w.immediate()
	}
	d := w.o.GetCompletion()
	forget(w.after())
	if d != nil {
		c.metrics.completed.WithLabelValues(channelName(d)).Inc()
		w.cancel(ctx)
	}
	return w.o, ctx.Err() == nil || d == nil || d.GetSeen() > 0
}

// after says how the wait ended, for what comes later.
func (w *wait) after() string {
	if d := w.o.GetCompletion(); d != nil && d.GetSeen() == 0 && d.GetReason() != "" {
		return d.GetReason()
	}
	return "after_end"
}

func channelName(d *understudyv1.Completion) string {
	if d.GetSeen() == 0 {
		return "none"
	}
	return understudyv1.Label(d.GetChannel())
}
