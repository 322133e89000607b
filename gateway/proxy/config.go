package proxy

import (
	"net/url"
	"time"

	"understudy.dev/setting"
)

// Values of Config.Protocol.
const (
	ProtocolAuto  = "auto"
	ProtocolHTTP1 = "http1"
	ProtocolH2C   = "h2c"
)

// Values of Config.Engine.
const (
	EngineWire    = "wire"
	EngineNetHTTP = "net/http"
)

// Values of Config.Forwarded.
const (
	ForwardedKeep   = "keep"
	ForwardedAppend = "append"
)

// HostUpstream as Config.Host names the upstream's own host to it.
const HostUpstream = "upstream"

// Config describes one upstream.
type Config struct {
	// URL is scheme and host of the upstream, "http://127.0.0.1:8000".
	URL string `yaml:"url"`
	// Engine is what carries HTTP/1.1. "wire" is an engine of our own, which
	// passes heads and bodies on as they came; "net/http" is Go's server and
	// Transport. HTTP/2, from clients or with protocol "h2c", is always carried by
	// net/http.
	Engine string `yaml:"engine"`
	// Protocol is how to speak to it. "auto": over TLS what ALPN gives; over
	// plain TCP HTTP/1.1, and h2c for gRPC, which needs it. "http1" and "h2c"
	// prescribe it for every request.
	Protocol string `yaml:"protocol"`
	// Host is what the upstream sees as "Host" header: empty keeps the client's,
	// "upstream" sends the host of URL, anything else is sent as it is.
	Host string `yaml:"host"`
	// Forwarded is "keep" (X-Forwarded-* pass as they came, nothing is added)
	// or "append" (the client's address is appended to X-Forwarded-For;
	// X-Forwarded-Host and -Proto are set where they are absent).
	Forwarded string `yaml:"forwarded"`
	// ConnectTimeout bounds dialling and the TLS handshake; above 0,
	// default 5 s.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// ResponseTimeout bounds the wait from the request's end to the response's
	// head; 0, the default, waits as long as the client does.
	ResponseTimeout time.Duration `yaml:"response_timeout"`
	// ContinueTimeout is how long a body announced with Expect: 100-continue is
	// held back by net/http until the upstream asks for it; above 0, default 1 s.
	ContinueTimeout time.Duration `yaml:"continue_timeout"`
	// HalfCloseTimeout is how long a request goes on after its HTTP/1 client has
	// closed its sending side, unless bytes of the answer reach the client; the
	// client may be gone, or wait for its answer. 0 cancels the request at once;
	// default 10 s.
	HalfCloseTimeout time.Duration `yaml:"half_close_timeout"`
	// IdleTimeout closes idle upstream connections. Keep it below the
	// upstream's own keep-alive timeout: a request sent as the upstream closes
	// fails. Above 0; default 4 s, since common application servers close after 5 s.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// MaxIdleConns bounds idle connections to the upstream; 1 or more,
	// default 1024.
	MaxIdleConns int `yaml:"max_idle_conns"`
	// MaxConns bounds connections to the upstream; further requests wait. 0, the
	// default, means no limit.
	MaxConns int `yaml:"max_conns"`
	// BufferBytes is the size of the pooled copy buffers, 1 KiB to 16 MiB; default
	// 32 KiB.
	BufferBytes int `yaml:"buffer_bytes"`
	// MaxHeaderBytes bounds the head of a response; 4 KiB or more, default
	// 1 MiB.
	MaxHeaderBytes int64 `yaml:"max_header_bytes"`
}

// DefaultConfig holds the documented defaults; URL is left to the caller.
func DefaultConfig() Config {
	return Config{
		Engine: EngineWire, Protocol: ProtocolAuto, Forwarded: ForwardedKeep,
		ConnectTimeout: 5 * time.Second, ContinueTimeout: time.Second, HalfCloseTimeout: 10 * time.Second, IdleTimeout: 4 * time.Second,
		MaxIdleConns: 1024, BufferBytes: 32 << 10, MaxHeaderBytes: 1 << 20,
	}
}

// OnWire reports whether HTTP/1.1 is to be taken by a Server rather than by the
// Upstream as a handler.
func (cfg Config) OnWire() bool { return cfg.Engine == EngineWire && cfg.Protocol != ProtocolH2C }

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	_, err := cfg.parse()
	ps.Under("", err)
	ps.OneOf("engine", cfg.Engine, EngineWire, EngineNetHTTP)
	ps.OneOf("protocol", cfg.Protocol, ProtocolAuto, ProtocolHTTP1, ProtocolH2C)
	ps.OneOf("forwarded", cfg.Forwarded, ForwardedKeep, ForwardedAppend)
	ps.Require(cfg.ConnectTimeout > 0, "connect_timeout", cfg.ConnectTimeout, "is not positive")
	ps.Require(cfg.ContinueTimeout > 0, "continue_timeout", cfg.ContinueTimeout, "is not positive")
	ps.Require(cfg.IdleTimeout > 0, "idle_timeout", cfg.IdleTimeout, "is not positive")
	ps.Require(cfg.HalfCloseTimeout >= 0, "half_close_timeout", cfg.HalfCloseTimeout, "is negative")
	ps.Require(cfg.ResponseTimeout >= 0, "response_timeout", cfg.ResponseTimeout, "is negative")
	ps.Require(cfg.MaxIdleConns >= 1, "max_idle_conns", cfg.MaxIdleConns, "is less than 1")
	ps.Require(cfg.MaxConns >= 0, "max_conns", cfg.MaxConns, "is negative")
	ps.Require(cfg.BufferBytes >= 1<<10 && cfg.BufferBytes <= 1<<24, "buffer_bytes", cfg.BufferBytes, "is not between 1024 (1 KiB) and 16777216 (16 MiB)")
	ps.Require(cfg.MaxHeaderBytes >= 4<<10, "max_header_bytes", cfg.MaxHeaderBytes, "is less than 4096 (4 KiB)")
	return ps.Err()
}

func (cfg Config) parse() (*url.URL, error) {
	u, err := url.Parse(cfg.URL)
	var fault string
	switch {
	case err != nil:
		// url.Error repeats the address, which may hold a password.
		return nil, setting.Problems{{Path: "url", Fault: "cannot be read as a URL; want http://host:port or https://host"}}
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Opaque != "":
		fault = "does not look like http://host:port or https://host"
	case u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "":
		fault = "is more than scheme and host only: request targets pass byte for byte"
	case u.Scheme == "https" && cfg.Protocol == ProtocolH2C:
		return nil, setting.Problems{{Path: "protocol", Value: cfg.Protocol, Fault: "is HTTP/2 without TLS; use an http:// url or protocol auto"}}
	default:
		return u, nil
	}
	return nil, setting.Problems{{Path: "url", Value: setting.Address(cfg.URL), Fault: fault}}
}
