// Package sender sends requests to the system under rehearsal, each of them
// once, and reads the answers.
//
// What was sent is never sent again, whatever becomes of it: a request on a
// connection that broke is an error, because the candidate may have acted on it,
// and because a fault that a second attempt hides is a fault that nobody sees.
// Only a request of which provably no byte was written goes over another
// connection; that is counted.
package sender

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"understudy.dev/exchange/wire"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Sender sends requests. It is safe for concurrent use.
type Sender interface {
	// Exchange sends a request and reads its answer, which a redirect is too.
	Exchange(ctx context.Context, r Request) (*understudyv1.Response, error)
	// Open sends a request and gives the answer with its body unread, for who reads
	// a stream; the caller closes it.
	Open(r *http.Request) (*http.Response, error)
	// Close closes the connections that nothing uses.
	Close()
}

// Request is one to send.
type Request struct {
	// HTTP is its head: method, URL, host, fields, Trailer, and TransferEncoding,
	// which is chunked or nothing. Lengths and body of it are not looked at.
	HTTP *http.Request
	// Body is what follows.
	Body []byte
	// Session is that whose connections it takes, "" where it may take any.
	Session string
	// At is when it is to be sent; zero, or what is past, is at once. It is made
	// ready before.
	At time.Time
	// Sent, if not nil, is called once with the moment at which it was sent, before
	// the answer is read. The time that it takes to connect is the server's: a
	// request that had no connection when it was due was sent then.
	Sent func(time.Time)
}

// said calls Sent. since is from when on the request was ready but for a
// connection, and now is when it was written.
func (r *Request) said(since, now time.Time, hadConnection bool) {
	if r.Sent == nil {
		return
	}
	if due := latest(r.At, since); !hadConnection && due.Before(now) {
		now = due
	}
	r.Sent(now)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Engines.
const (
	// EngineWire is HTTP/1.1 by exchange/wire; what negotiates HTTP/2 is sent by
	// net/http.
	EngineWire = "wire"
	// EngineNetHTTP is net/http's Transport for everything.
	EngineNetHTTP = "net/http"
)

// Engines are the values of Config.Engine.
func Engines() []string { return []string{EngineWire, EngineNetHTTP} }

// Config of a sender.
type Config struct {
	// Engine is one of Engines.
	Engine string
	// H2C speaks HTTP/2 without TLS, always by net/http.
	H2C bool
	// HTTP1 offers no HTTP/2 by TLS, so that connections can be a session's own.
	HTTP1 bool
	// Timeout bounds one exchange.
	Timeout time.Duration
	// CaptureLimit is how many bytes of a body are kept.
	CaptureLimit int64
	// Connections bounds the idle connections kept.
	Connections int
	// TLS is how to speak TLS with an address, host:port; nil is by default. What it
	// gives is the sender's.
	TLS func(address string) *tls.Config
	// Dial opens connections.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resent is called for each request of which nothing could be written to an idle
	// connection, and which goes over another one.
	Resent func()
}

// New makes the sender that cfg names.
func New(cfg Config) Sender {
	t := newTransport(cfg)
	if cfg.Engine == EngineNetHTTP || cfg.H2C || !wire.Probes {
		return t
	}
	return newEngine(cfg, t)
}

const (
	// maxIdle is how long an unused connection is kept: less than the five seconds
	// after which common servers close theirs, because a request that meets a
	// connection just being closed looks like a reset of the candidate.
	maxIdle = 4 * time.Second
	// handshakeTimeout bounds that of TLS.
	handshakeTimeout = 10 * time.Second
	// maxHead bounds the head of an answer together with those of the informational
	// ones before it, in bytes.
	maxHead = 1 << 20
	// maxBody ends a body that never ends, in bytes; what lies between the capture
	// limit and this bound is hashed and counted.
	maxBody = 1 << 30
)

var (
	errEndless = errors.New("the body is longer than 1 GiB")
	errHeads   = errors.New("the heads of the answer are larger than 1 MiB together")
)

// secure is how to speak TLS with an address.
func (cfg Config) secure(address string) *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		t = cfg.TLS(address)
	}
	if t.ServerName == "" {
		t.ServerName, _, _ = net.SplitHostPort(address)
	}
	if t.NextProtos = []string{"h2", "http/1.1"}; cfg.HTTP1 {
		t.NextProtos = t.NextProtos[1:]
	}
	return t
}

// dialTLS opens a connection and shakes hands.
func (cfg Config) dialTLS(ctx context.Context, address string, secure *tls.Config) (*tls.Conn, error) {
	raw, err := cfg.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	over := tls.Client(raw, secure)
	if err := over.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return over, nil
}
