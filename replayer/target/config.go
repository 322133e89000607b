package target

import (
	"context"
	"net"
	"net/url"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/route"
	"understudy.dev/setting"
)

// The channels of a Completion policy.
const (
	// ChannelAuto takes what the candidate does.
	ChannelAuto = "auto"
	// ChannelNone takes the direct answer as final, whatever it says.
	ChannelNone     = "none"
	ChannelPoll     = "poll"
	ChannelCallback = "callback"
)

// Completion says how to learn how a request ended.
type Completion struct {
	// Channel is auto, none, poll or callback; default auto.
	Channel string `yaml:"channel"`
	// Timeout is how long after the send a completion is waited for; then the
	// request counts as lost. Default 30 s.
	Timeout time.Duration `yaml:"timeout"`
	// Deadline after which a completion is late, from the actual send; 0 is
	// none.
	Deadline time.Duration `yaml:"deadline"`
	// Linger is how long after a completion another one is watched for;
	// default 1 s, 0 does not watch.
	Linger *time.Duration `yaml:"linger"`
	// PollInterval is the first pause between polls, which grows by half each
	// time up to PollMax, unless the candidate says Retry-After. Defaults
	// 25 ms and 1 s.
	PollInterval time.Duration `yaml:"poll_interval"`
	PollMax      time.Duration `yaml:"poll_max"`
	// Conventions say what the acknowledgement and the documents mean.
	operation.Conventions `yaml:",inline"`
	// CallbackHeader carries our callback URL to the candidate; default
	// Callback-Url. CallbackPointer puts it into the request's JSON as well: a
	// pointer through objects to the member to set.
	CallbackHeader  string `yaml:"callback_header"`
	CallbackPointer string `yaml:"callback_pointer"`
	// Unordered says that requests of one session may complete in any order.
	Unordered bool `yaml:"unordered"`
}

// Route overrides the policy for one route; what it leaves out is inherited.
type Route struct {
	// Route is a pattern of routes, "POST /orders/{id}"; * stands for any text
	// within a segment.
	Route      string `yaml:"route"`
	Completion `yaml:",inline"`
}

// Config of a client.
type Config struct {
	// URL of the candidate: scheme, host, optional path prefix.
	URL string `yaml:"-"`
	// Headers are set on every request, polls included; they may be secrets.
	Headers map[string]string `yaml:"-"`
	// Run names the run in the Understudy-Run header.
	Run string `yaml:"-"`
	// Timeout bounds one HTTP exchange; above 0, default 30 s.
	Timeout time.Duration `yaml:"timeout"`
	// CaptureLimit bounds the bytes kept of a body; default 512 KiB.
	CaptureLimit int64 `yaml:"capture_limit"`
	// H2C speaks HTTP/2 without TLS, to a candidate with an http:// URL that is
	// known to understand it.
	H2C bool `yaml:"h2c"`
	// Connections bounds the idle connections kept; 1 or more, default 1024.
	Connections int `yaml:"connections"`
	// Locations are further hosts ("host:port") that a Location may name.
	Locations []string `yaml:"locations"`
	// CallbackListen is where callbacks are received, only while a policy uses
	// them; default 127.0.0.1:0. CallbackURL is how the candidate reaches it;
	// default http:// and the address listened on.
	CallbackListen string `yaml:"callback_listen"`
	CallbackURL    string `yaml:"callback_url"`
	// Network opens connections; nil is the machine's own.
	Network Network `yaml:"-"`
	// Completion is the policy.
	Completion Completion `yaml:"completion"`
	// Routes are its exceptions; the first whose route matches decides, and
	// what it leaves out is inherited.
	Routes []Route `yaml:"routes"`
}

// Network opens connections to candidates and listens for their callbacks. A
// program that holds both ends itself can do so without sockets, and with that
// in virtual time.
type Network interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Listen(ctx context.Context, network, address string) (net.Listener, error)
}

// machine is the network of the machine.
type machine struct {
	net.Dialer
	net.ListenConfig
}

func (cfg Config) network() Network {
	if cfg.Network != nil {
		return cfg.Network
	}
	return &machine{Dialer: net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}}
}

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	linger := time.Second
	return Config{
		Timeout: 30 * time.Second, CaptureLimit: message.DefaultCaptureLimit, Connections: 1024, CallbackListen: "127.0.0.1:0",
		Completion: Completion{
			Channel: ChannelAuto, Timeout: 30 * time.Second, Linger: &linger,
			PollInterval: 25 * time.Millisecond, PollMax: time.Second, CallbackHeader: "Callback-Url",
		},
	}
}

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	if _, err := parseBase(cfg.URL); err != nil {
		ps.Under("url", err)
	}
	ps.Require(cfg.Timeout > 0, "timeout", cfg.Timeout, "is not positive")
	ps.Require(cfg.Connections >= 1, "connections", cfg.Connections, "is less than 1")
	ps.Require(cfg.CaptureLimit >= 0, "capture_limit", cfg.CaptureLimit, "is negative")
	b, err := url.Parse(cfg.URL)
	ps.Require(!cfg.H2C || err != nil || b.Scheme != "https", "h2c", cfg.H2C, "asks for HTTP/2 without TLS; https negotiates HTTP/2 by itself")
	if u, err := url.Parse(cfg.CallbackURL); cfg.CallbackURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		ps.Require(false, "callback_url", redactURL(cfg.CallbackURL), "does not look like http://host:port or https://host:port")
	}
	ps.Under("completion", cfg.Completion.problems(true).Err())
	for i, r := range cfg.Routes {
		at := setting.Index("routes", i)
		ps.Under(at, r.problems(false).Err())
		_, err := route.ParsePattern(r.Route)
		ps.Require(err == nil, at+".route", r.Route, "is not a pattern")
		ps.Require(r.Route != "", at+".route", nil, "is needed; write \"POST /orders/{id}\"")
	}
	return ps.Err()
}

// problems of a policy; one that is not whole inherits what it leaves out.
func (c Completion) problems(whole bool) setting.Problems {
	var ps setting.Problems
	if whole || c.Channel != "" {
		ps.OneOf("channel", c.Channel, ChannelAuto, ChannelNone, ChannelPoll, ChannelCallback)
	}
	positive := func(path string, d time.Duration) {
		ps.Require(d > 0 || d == 0 && !whole, path, d, "is not positive")
	}
	positive("timeout", c.Timeout)
	positive("poll_interval", c.PollInterval)
	positive("poll_max", c.PollMax)
	ps.Require(c.Deadline >= 0, "deadline", c.Deadline, "is negative")
	if c.Linger != nil {
		ps.Require(*c.Linger >= 0, "linger", *c.Linger, "is negative")
	}
	for i, a := range c.Accepted {
		ps.Require(a >= 200 && a <= 299, setting.Index("accepted", i), a, "is not a status of success, 200 to 299")
	}
	for _, p := range []struct{ path, pointer string }{
		{"pending.pointer", c.Pending.Pointer}, {"done.pointer", c.Done.Pointer}, {"failed.pointer", c.Failed.Pointer},
		{"status", c.Status}, {"result", c.Result}, {"result_link", c.ResultLink}, {"callback_pointer", c.CallbackPointer},
	} {
		ps.Require(p.pointer == "" || p.pointer[0] == '/', p.path, p.pointer, "does not begin with /, as a JSON pointer does (RFC 6901)")
	}
	return ps
}

// exception is the whole policy of the routes that a pattern chooses.
type exception struct {
	routes route.Pattern
	policy Completion
}

// exceptions are those of Routes, in their order.
func (cfg Config) exceptions() ([]exception, error) {
	var out []exception
	for _, r := range cfg.Routes {
		p, err := route.ParsePattern(r.Route)
		if err != nil {
			return nil, err
		}
		out = append(out, exception{p, r.over(cfg.Completion)})
	}
	return out, nil
}

// policy gives the completion policy of a route.
func (c *Client) policy(name string) Completion {
	for _, e := range c.exceptions {
		if e.routes.Match(name) {
			return e.policy
		}
	}
	return c.cfg.Completion
}

// over fills what c leaves out from base.
func (c Completion) over(base Completion) Completion {
	or := func(d, e time.Duration) time.Duration {
		if d != 0 {
			return d
		}
		return e
	}
	text := func(s, t string) string {
		if s != "" {
			return s
		}
		return t
	}
	condition := func(a, b operation.Condition) operation.Condition {
		if a.Pointer != "" {
			return a
		}
		return b
	}
	out := Completion{
		Channel: text(c.Channel, base.Channel), Timeout: or(c.Timeout, base.Timeout), Deadline: or(c.Deadline, base.Deadline),
		Linger: c.Linger, PollInterval: or(c.PollInterval, base.PollInterval), PollMax: or(c.PollMax, base.PollMax),
		Conventions: operation.Conventions{
			Pending: condition(c.Pending, base.Pending), Done: condition(c.Done, base.Done), Failed: condition(c.Failed, base.Failed),
			Status: text(c.Status, base.Status), Result: text(c.Result, base.Result), Accepted: c.Accepted,
			ResultLink: text(c.ResultLink, base.ResultLink),
		},
		CallbackPointer: text(c.CallbackPointer, base.CallbackPointer),
		CallbackHeader:  text(c.CallbackHeader, base.CallbackHeader), Unordered: c.Unordered || base.Unordered,
	}
	if out.Accepted == nil {
		out.Accepted = base.Accepted
	}
	if out.Linger == nil {
		out.Linger = base.Linger
	}
	return out
}
