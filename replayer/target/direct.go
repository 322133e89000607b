package target

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Direct sends requests to one system and reads their direct answers, whatever
// those promise. It is safe for concurrent use.
type Direct struct {
	base         *url.URL
	transport    *http.Transport
	timeout      time.Duration
	captureLimit int64
	resent       func()
}

// idleConnection is how long an unused connection is kept: less than the five
// seconds after which common servers close theirs, because a request that meets
// a connection just being closed looks like a reset of the candidate.
const idleConnection = 4 * time.Second

// NewDirect makes one for the URL of cfg, with its Timeout, CaptureLimit, H2C,
// Connections and Network; the rest of cfg is not looked at.
func NewDirect(cfg Config) (*Direct, error) {
	base, err := parseBase(cfg.URL)
	if err != nil {
		return nil, err
	}
	return newDirect(cfg, base, func() {}), nil
}

// newDirect calls resent for each request that was begun on a second connection.
func newDirect(cfg Config, base *url.URL, resent func()) *Direct {
	dial := newDialer(base).dial
	if cfg.Network != nil {
		dial = cfg.Network.DialContext
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!cfg.H2C)
	protocols.SetHTTP2(!cfg.H2C)
	protocols.SetUnencryptedHTTP2(cfg.H2C)
	return &Direct{base: base, timeout: cfg.Timeout, captureLimit: cfg.CaptureLimit, resent: resent, transport: &http.Transport{
		DialContext:           dial,
		MaxIdleConns:          cfg.Connections,
		MaxIdleConnsPerHost:   cfg.Connections,
		IdleConnTimeout:       idleConnection,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		// A recorded Accept-Encoding is sent as it is, and what comes back is
		// captured as it is.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 1 << 20,
		Protocols:              protocols,
	}}
}

// Base is where the system is.
func (c *Direct) Base() *url.URL { u := *c.base; return &u }

// Close closes the connections that nothing uses.
func (c *Direct) Close() { c.transport.CloseIdleConnections() }

// Ask sends a request and reads its direct answer. A failure is part of the
// observation, never an error. Latency counts from the actual send.
func (c *Direct) Ask(ctx context.Context, r *http.Request, body []byte) *understudyv1.Observation {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	load(r, body)
	o := &understudyv1.Observation{}
	sent := time.Now()
	ack, err := c.exchange(r.WithContext(ctx))
	o.AckServiceNano = int64(time.Since(sent))
	o.AckLatencyNano = o.AckServiceNano
	if err != nil {
		o.Error = message.TransportError(err)
		return o
	}
	o.Ack = ack
	answered(o, 0)
	return o
}

// answered takes the acknowledgement for the answer, unless it is a refusal.
func answered(o *understudyv1.Observation, deadline time.Duration) {
	if o.GetAck().GetStatus() < 400 {
		o.Completion = &understudyv1.Completion{
			Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, DeadlineNano: int64(deadline),
			Seen: 1, LatencyNano: o.GetAckLatencyNano(), ServiceNano: o.GetAckServiceNano(),
		}
	}
}

// load gives the request its body. What has been begun on one connection is
// never sent again on another: a second POST would look like a fault of the
// candidate.
func load(r *http.Request, body []byte) {
	r.ContentLength, r.Body = int64(len(body)), http.NoBody
	if len(body) > 0 {
		// Asked for only when nothing at all was written to a dead connection.
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	message.SendOnce(r.Header)
}
