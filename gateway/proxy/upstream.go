package proxy

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/visit"
)

// Upstream forwards to one server. As an http.Handler it goes through net/http;
// a Server takes HTTP/1.1 without. It sends each request once. Only net/http's
// Transport repeats some: it sends a GET, HEAD, OPTIONS or TRACE without a body
// again when a kept-alive connection turned out dead before a byte of the
// answer came (RFC 9110, 9.2.2 allows it for these), and anything of which not
// one byte was written. It would also repeat an unsafe request that has an
// idempotency key; outHeader prevents that.
type Upstream struct {
	cfg     Config
	url     *url.URL
	plain   *http.Transport
	h2c     *http.Transport
	buffers sync.Pool
	metrics *metrics
	failure *sampler
	// dial connects a Server to it; nil is by TCP.
	dial func(context.Context) (net.Conn, error)
}

// NewUpstream returns the proxy to one upstream. It connects when the first
// request comes.
//
// When the upstream fails before a response began, the client gets 502, or 504
// for a timeout, with one line of text; when it fails later, the client's
// connection (or HTTP/2 stream) is aborted, so that a cut response never looks
// whole. A ResponseWriter on the way that has the method
// TransportError(*understudyv1.TransportError) is told what happened.
func NewUpstream(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Upstream, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	u, err := cfg.parse()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	up := &Upstream{cfg: cfg, url: u, metrics: m, failure: &sampler{log: log}}
	up.buffers.New = func() any { b := make([]byte, cfg.BufferBytes); return &b }
	var plain, h2c http.Protocols
	plain.SetHTTP1(true)
	plain.SetHTTP2(cfg.Protocol != ProtocolHTTP1)
	h2c.SetUnencryptedHTTP2(true)
	up.plain, up.h2c = cfg.transport(&plain), cfg.transport(&h2c)
	up.plain.DialContext = quietly(up.plain.DialContext)
	return up, nil
}

// A connection of HTTP/2 on which nothing has come for pingAfter is asked whether
// it is still there, and closed when no answer comes within pingPatience: all
// requests to an upstream go over it.
const (
	pingAfter    = 10 * time.Second
	pingPatience = 5 * time.Second
)

func (cfg Config) transport(p *http.Protocols) *http.Transport {
	return &http.Transport{
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingPatience},
		Protocols:              p,
		DialContext:            (&net.Dialer{Timeout: cfg.ConnectTimeout}).DialContext,
		TLSHandshakeTimeout:    cfg.ConnectTimeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ResponseHeaderTimeout:  cfg.ResponseTimeout,
		ExpectContinueTimeout:  cfg.ContinueTimeout,
		IdleConnTimeout:        cfg.IdleTimeout,
		MaxIdleConns:           cfg.MaxIdleConns,
		MaxIdleConnsPerHost:    cfg.MaxIdleConns,
		MaxConnsPerHost:        cfg.MaxConns,
		MaxResponseHeaderBytes: cfg.MaxHeaderBytes,
		// Otherwise the Transport would ask for gzip on its own and decode it.
		DisableCompression: true,
	}
}

// ServeHTTP implements http.Handler.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, in *http.Request) { u.serve(w, in, nil) }

// serve answers the request. If no connection was to be had and retreat agrees,
// it leaves the request to another and returns false.
func (u *Upstream) serve(w http.ResponseWriter, in *http.Request, retreat func() bool) bool {
	target, ok := targetOf(in, u.url)
	if !ok {
		u.refuse(w)
		return true
	}
	c := &call{w: w, in: in, leg: visit.Of(in.Context()).Leg()}
	defer c.leg.End()
	defer c.follow(u.cfg.HalfCloseTimeout)()
	out := u.outgoing(c, target)
	if c.body != nil {
		// Without it the server closes the request body as the response
		// begins, while the Transport may still be reading from it.
		_ = http.NewResponseController(w).EnableFullDuplex()
		defer c.release()
	}
	response, err := u.transportFor(in).RoundTrip(out)
	c.endInformational()
	if err != nil {
		c.leg.Fail(kindOf(c, err))
		if retreat != nil && c.unsent(err) && retreat() {
			u.count(kindOf(c, err), err)
			c.left = true
			return false
		}
		u.fail(c, err)
		return true
	}
	if response.StatusCode < 100 || response.StatusCode > 999 {
		response.Body.Close()
		u.fail(c, errStatus) // net/http panics when it is to send such a status
		return true
	}
	c.leg.Set("", trace.Status(response.StatusCode))
	if response.StatusCode == http.StatusSwitchingProtocols {
		u.upgrade(c, response)
		return true
	}
	u.answer(c, response)
	return true
}

func (u *Upstream) transportFor(in *http.Request) *http.Transport {
	switch {
	case u.cfg.Protocol == ProtocolH2C:
		return u.h2c
	case u.cfg.Protocol == ProtocolAuto && u.url.Scheme == "http" && isGRPC(in):
		return u.h2c
	}
	return u.plain
}

func isGRPC(in *http.Request) bool {
	return in.ProtoMajor == 2 && message.IsGRPC(message.MediaType(in.Header.Get("Content-Type")))
}
