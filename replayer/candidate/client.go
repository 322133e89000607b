package candidate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Client drives one candidate. It is safe for concurrent use.
type Client struct {
	cfg       Config
	base      *url.URL
	transport *http.Transport
	log       *slog.Logger
	metrics   metrics
	callbacks *receiver
	orphan    func(*understudyv1.Orphan)
}

// New makes a client; orphan is called for each callback that belongs to no
// request. Start must run before Do when a policy uses callbacks.
func New(c Config, orphan func(*understudyv1.Orphan), log *slog.Logger, reg prometheus.Registerer) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	base, err := parseBase(c.URL)
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	client := &Client{cfg: c, base: base, log: log, metrics: m, orphan: orphan, transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:          c.Connections,
		MaxIdleConnsPerHost:   c.Connections,
		IdleConnTimeout:       30 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		// A recorded Accept-Encoding is sent as it is, and what comes back is
		// captured as it is.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 1 << 20,
		Protocols:              protocols,
	}}
	client.callbacks = newReceiver(client)
	return client, nil
}

// Base is where the candidate is.
func (c *Client) Base() *url.URL { u := *c.base; return &u }

// Start listens for callbacks if any policy uses them; stop ends it.
func (c *Client) Start(ctx context.Context) (stop func(), err error) {
	uses := c.cfg.Completion.Channel == ChannelCallback
	for _, r := range c.cfg.Routes {
		uses = uses || r.Channel == ChannelCallback
	}
	if !uses {
		return c.transport.CloseIdleConnections, nil
	}
	stopReceiver, err := c.callbacks.start(ctx)
	if err != nil {
		return nil, err
	}
	return func() { stopReceiver(); c.transport.CloseIdleConnections() }, nil
}

// Request is one request to drive.
type Request struct {
	HTTP  *http.Request
	Route string
	// Scheduled is the intended send time; latencies count from it and from
	// the actual one.
	Scheduled time.Time
	// Operation is the request's entry in its session, for the evidence of
	// order; nil when order is not watched.
	Operation *Operation
	// Sent is called with the actual send time.
	Sent func(time.Time)
	// Final is called with the first final answer as soon as it is there, long
	// before the watch for a second one ends.
	Final func(*understudyv1.Response)
}

// Do sends the request and waits for how it ends. A failure is part of the
// observation, never an error. When ctx ends early, ok is false and the
// observation is not complete.
func (c *Client) Do(ctx context.Context, r Request) (o *understudyv1.Observation, ok bool) {
	p := c.cfg.policy(r.Route)
	var waiter *waiter
	if p.Channel == ChannelCallback {
		waiter = c.callbacks.expect()
		defer c.callbacks.forget(waiter)
		r.HTTP.Header.Set(p.CallbackHeader, c.callbacks.url(waiter))
	}
	o = &understudyv1.Observation{}
	sendCtx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	sent := time.Now()
	r.Sent(sent)
	ack, header, err := c.exchange(r.HTTP.WithContext(sendCtx))
	cancel()
	now := time.Now()
	o.AckLatencyNano, o.AckServiceNano = int64(now.Sub(r.Scheduled)), int64(now.Sub(sent))
	if err != nil {
		if ctx.Err() != nil {
			return o, false
		}
		o.Error = transportError(err)
		r.Operation.end(false)
		return o, true
	}
	o.Ack = ack
	w := &wait{c: c, p: p, r: r, o: o, sent: sent, acked: now}
	switch {
	case !asynchronous(p, ack, header):
		o.Completion = &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, Seen: 1, LatencyNano: o.AckLatencyNano, ServiceNano: o.AckServiceNano}
		if ack.GetStatus() >= 400 {
			o.Completion = nil
		}
		r.Final(ack)
		r.Operation.end(false)
	case waiter != nil:
		w.callback(ctx, waiter)
	default:
		w.poll(ctx, header)
	}
	if d := o.GetCompletion(); d != nil {
		c.metrics.completed.WithLabelValues(channelName(d)).Inc()
	}
	return o, ctx.Err() == nil
}

func channelName(d *understudyv1.Completion) string {
	if d.GetSeen() == 0 {
		return "none"
	}
	return strings.ToLower(strings.TrimPrefix(d.GetChannel().String(), "CHANNEL_"))
}

// asynchronous says whether an acknowledgement is a promise rather than an
// answer. 202 is one if there is a way to learn how it ends; 201 with a
// Location and a body is a classical synchronous create, without a body the
// answer is at the Location.
func asynchronous(p Completion, ack *understudyv1.Response, h http.Header) bool {
	status := ack.GetStatus()
	if p.Channel == ChannelNone || status != http.StatusAccepted && status != http.StatusCreated {
		return false
	}
	if p.Channel == ChannelCallback {
		return status == http.StatusAccepted
	}
	location, operation := monitor(h, ack.GetBody().GetContent())
	switch {
	case p.Channel == ChannelPoll:
		return status == http.StatusAccepted || operation || location != "" && ack.GetBody().GetLength() == 0
	case location == "":
		return false
	case status == http.StatusCreated:
		return operation || ack.GetBody().GetLength() == 0
	}
	return true
}

// exchange sends one request and reads the response within the bounds. It
// never follows a redirect.
func (c *Client) exchange(r *http.Request) (*understudyv1.Response, http.Header, error) {
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := c.capture(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, nil, err
	}
	return &understudyv1.Response{
		Status: uint32(resp.StatusCode), Protocol: resp.Proto, Headers: headers(resp.Header), Body: body, Trailers: headers(resp.Trailer),
	}, resp.Header, nil
}

// maxBody ends a body that never ends; what lies between the capture limit and
// this bound is hashed and counted.
const maxBody = 1 << 30

// capture keeps the first bytes of a body and hashes all of it.
func (c *Client) capture(r io.Reader, declared int64) (*understudyv1.Body, error) {
	b := &understudyv1.Body{DeclaredLength: declared}
	kept := make([]byte, 0, min(max(declared, 512), c.cfg.CaptureLimit))
	var sum hash.Hash
	buf := make([]byte, 16<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if sum == nil {
				sum = sha256.New()
			}
			_, _ = sum.Write(buf[:n])
			b.Length += int64(n)
			kept = append(kept, buf[:min(int64(n), c.cfg.CaptureLimit-int64(len(kept)))]...)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("body broke off after %d bytes: %w", b.Length, err)
		}
		if b.Length > maxBody {
			return nil, errEndless
		}
	}
	b.Content, b.Truncated = kept, int64(len(kept)) < b.Length
	if sum != nil {
		b.Sha256 = sum.Sum(nil)
	}
	return b, nil
}

var errEndless = fmt.Errorf("body is longer than %d bytes", maxBody)

func bodyOf(raw []byte) *understudyv1.Body {
	b := &understudyv1.Body{Content: raw, DeclaredLength: int64(len(raw)), Length: int64(len(raw))}
	if len(raw) > 0 {
		sum := sha256.Sum256(raw)
		b.Sha256 = sum[:]
	}
	return b
}

func headers(h http.Header) []*understudyv1.Header {
	var out []*understudyv1.Header
	for name, values := range h {
		for _, v := range values {
			out = append(out, &understudyv1.Header{Name: name, Value: []byte(v)})
		}
	}
	sortHeaders(out)
	return out
}

// transportError classifies an error without repeating what the candidate
// said.
func transportError(err error) *understudyv1.TransportError {
	e := &understudyv1.TransportError{Message: err.Error(), Kind: understudyv1.TransportError_KIND_PROTOCOL}
	var dial *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Kind, e.Message = understudyv1.TransportError_KIND_TIMEOUT, "no whole answer in time"
	case errors.As(err, &dial) && dial.Op == "dial":
		e.Kind = understudyv1.TransportError_KIND_CONNECT
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Kind = understudyv1.TransportError_KIND_RESET
	case strings.Contains(err.Error(), "connection broken"), strings.Contains(err.Error(), "server closed"):
		e.Kind = understudyv1.TransportError_KIND_RESET
	default:
		e.Message = "answer is not HTTP, or more than is allowed"
	}
	return e
}
