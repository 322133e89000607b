package target

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"understudy.dev/exchange/certificate"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target/sender"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Direct sends requests to one system and reads their direct answers, whatever
// those promise. It is safe for concurrent use.
type Direct struct {
	sender.Sender
	base   *url.URL
	dialer *dialer // nil if the program has a network of its own
	// perSession: requests of one session share its connections with no other.
	perSession bool
}

// NewDirect makes one for the URL of cfg, with its Timeout, CaptureLimit, Engine,
// H2C, TLS, Connection, Connections, Places and Network; the rest of cfg is not looked at.
func NewDirect(cfg Config) (*Direct, error) {
	base, err := parseBase(cfg.URL)
	if err != nil {
		return nil, err
	}
	return newDirect(cfg, base, func() {})
}

// newDirect calls resent for each request that goes over another connection
// because nothing of it could be written to the first.
func newDirect(cfg Config, base *url.URL, resent func()) (*Direct, error) {
	allow, err := ParseAllowed(cfg.Places)
	if err != nil {
		return nil, fmt.Errorf("allow: %w", err)
	}
	d := newDialer(base, allow)
	dial := d.dial
	if cfg.Network != nil {
		d, dial = nil, overNetwork(cfg.Network, allow)
	}
	secure, err := cfg.TLS.client(sender.Address(base))
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	perSession := cfg.Connection == ConnectionSession
	return &Direct{base: base, dialer: d, perSession: perSession, Sender: sender.New(sender.Config{
		Engine: cfg.Engine, H2C: cfg.H2C, HTTP1: perSession, Timeout: cfg.Timeout, CaptureLimit: cfg.CaptureLimit, Connections: cfg.Connections,
		TLS: secure, Dial: dial, Resent: resent,
	})}, nil
}

// client gives how to speak TLS with an address: only the system itself, which is
// at base, is shown the certificate, and only it is known by ServerName.
func (c TLS) client(base string) (func(address string) *tls.Config, error) {
	others, err := certificate.Files{CA: c.CAFile}.Client()
	if err != nil {
		return nil, err
	}
	own, err := certificate.Files{CA: c.CAFile, Cert: c.CertFile, Key: c.KeyFile}.Client()
	if err != nil {
		return nil, err
	}
	own.ServerName = c.ServerName
	return func(address string) *tls.Config {
		if strings.EqualFold(address, base) {
			return own.Clone()
		}
		return others.Clone()
	}, nil
}

// Pin looks up where the system is, and others that its answers may lead to, so
// that it stays there for as long as it answers. The error says that no connection
// may be made to the system; whether its host has an address shows when it is asked.
func (c *Direct) Pin(ctx context.Context, others ...string) error {
	if c.dialer == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	err := c.dialer.pin(ctx, append([]string{sender.Address(c.base)}, others...))
	if errors.Is(err, operation.ErrForeign) {
		return err
	}
	return nil
}

// Base is where the system is.
func (c *Direct) Base() *url.URL { u := *c.base; return &u }

// request is one to send for a session.
func (c *Direct) request(r *http.Request, body []byte, session string) sender.Request {
	if !c.perSession {
		session = ""
	}
	return sender.Request{HTTP: r, Body: body, Session: session}
}

// Ask sends a request and reads its direct answer. A failure is part of the
// observation, never an error. Latency counts from the actual send.
func (c *Direct) Ask(ctx context.Context, r *http.Request, body []byte) *understudyv1.Observation {
	o := &understudyv1.Observation{}
	sent := time.Now()
	ack, err := c.Exchange(ctx, c.request(r, body, ""))
	o.AckServiceNano = int64(time.Since(sent))
	o.AckLatencyNano = o.AckServiceNano
	if err != nil {
		o.Error = transportError(err)
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
