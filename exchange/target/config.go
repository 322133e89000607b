package target

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/target/sender"
	"understudy.dev/setting"
)

// Completion says how to learn how a request ended.
type Completion struct {
	// Preset is a protocol that is known by name: google-lro, azure-async,
	// rfc7240, ogc-processes, fhir-bulk or asyncapi-reply. What is said beside it
	// takes precedence.
	Preset string `yaml:"preset"`
	// Channel is auto, response (older name none), poll, long_poll, sse, callback
	// or topic; default auto.
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
	// PollInterval is the first pause between polls, which grows by the factor
	// PollBackoff (1 or more) each time up to PollMax, unless the candidate says
	// Retry-After. Defaults 25 ms, 1.5 and 1 s.
	PollInterval time.Duration `yaml:"poll_interval"`
	PollMax      time.Duration `yaml:"poll_max"`
	PollBackoff  float64       `yaml:"poll_backoff"`
	// Conventions say what the acknowledgement and the documents mean.
	operation.Conventions `yaml:",inline"`
	// CallbackHeader carries our callback URL to the candidate; default
	// Callback-Url. CallbackQuery is a parameter and CallbackPointer a member of
	// the request's JSON that carry it as well; what of the pointer does not
	// exist is made.
	CallbackHeader  string `yaml:"callback_header"`
	CallbackQuery   string `yaml:"callback_query"`
	CallbackPointer string `yaml:"callback_pointer"`
	// Callback says more of how the candidate calls.
	Callback Callback `yaml:"callback"`
	// Topic says how the candidate answers on Kafka.
	Topic Topic `yaml:"topic"`
	// Stream says what the events of a stream mean.
	Stream Stream `yaml:"stream"`
	// Cancel says how to cancel what is not waited for any more.
	Cancel Cancel `yaml:"cancel"`
	// Unordered says that requests of one session may complete in any order.
	Unordered bool `yaml:"unordered"`
}

// Callback says how a candidate calls.
type Callback struct {
	// Success, Failure and Progress carry addresses of their own, for candidates
	// that call another one for each; a call to one of them means that, whatever
	// it says.
	Success  Carrier `yaml:"success"`
	Failure  Carrier `yaml:"failure"`
	Progress Carrier `yaml:"progress"`
	// Methods are those of a callback; default POST, PUT and PATCH. GET, HEAD and
	// OPTIONS never are.
	Methods []string `yaml:"methods"`
	// Correlate is for candidates that call one address for all requests,
	// callback_url with the path /understudy/callback: how a call names its
	// request.
	Correlate Correlation `yaml:"correlate"`
	// Signature says how callbacks are signed.
	Signature Signature `yaml:"signature"`
}

func (c Callback) methods() []string {
	if len(c.Methods) == 0 {
		return []string{http.MethodPost, http.MethodPut, http.MethodPatch}
	}
	return c.Methods
}

func (c Callback) mistakes(say sayer) {
	c.Success.mistakes(say.under("success"))
	c.Failure.mistakes(say.under("failure"))
	c.Progress.mistakes(say.under("progress"))
	for i, m := range c.Methods {
		if !message.IsToken(m) || m != strings.ToUpper(m) || slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, m) {
			say(setting.Index("methods", i), m, "is not a method of a callback; GET, HEAD and OPTIONS never are")
		}
	}
	if c.Correlate.Given() {
		c.Correlate.mistakes(false, say.under("correlate"))
		if c.Success.Given() || c.Failure.Given() || c.Progress.Given() {
			say("correlate", nil, "goes with one address, not with those of success, failure and progress")
		}
	}
	c.Signature.mistakes(say.under("signature"))
}

// address is where the request carries the callback's address.
func (c Completion) address() Carrier {
	return Carrier{Header: c.CallbackHeader, Query: c.CallbackQuery, Pointer: c.CallbackPointer}
}

// carried are the header fields of a request that carry texts of ours.
func (c Completion) carried() []string {
	return []string{
		c.CallbackHeader, c.Callback.Success.Header, c.Callback.Failure.Header, c.Callback.Progress.Header,
		c.Callback.Correlate.Send.Header, c.Topic.Correlate.Send.Header, c.Topic.ReplyTo,
	}
}

// Cancel says how to cancel an operation when its timeout is over or the run is
// interrupted; without a method nothing is canceled.
type Cancel struct {
	// Method is that of the request, usually DELETE or POST.
	Method string `yaml:"method"`
	// Template is its address; default "{monitor}".
	Template operation.Template `yaml:"template"`
}

// Route overrides the policy for one route; what it leaves out is inherited.
type Route struct {
	// Route is a pattern of routes, "POST /orders/{id}"; * stands for any text
	// within a segment.
	Route      string `yaml:"route"`
	Completion `yaml:",inline"`
}

// TLS says how connections are encrypted. Files are PEM.
type TLS struct {
	// CAFile holds the certificates that the servers' are checked against; empty is
	// the system's.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile hold the certificate and the key that the candidate is
	// shown, and no other host; they are read again for each connection.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name in the candidate's certificate, if it is not its host.
	ServerName string `yaml:"server_name"`
}

// Values of Config.Connection.
const (
	ConnectionPooled  = "pooled"
	ConnectionSession = "session"
)

// Config of a client.
type Config struct {
	// URL of the candidate: scheme, host, optional path prefix.
	URL string `yaml:"-"`
	// Headers are set on every request, polls included; they may be secrets.
	Headers map[string]string `yaml:"-"`
	// Run is the name of the run, which the field RunMark says of each request; without
	// one nothing does.
	Run     string `yaml:"-"`
	RunMark string `yaml:"-"`
	// Places are those to which connections may be made, see ParseAllowed.
	Places []string `yaml:"-"`
	// Timeout bounds one HTTP exchange; above 0, default 30 s.
	Timeout time.Duration `yaml:"timeout"`
	// CaptureLimit bounds the bytes kept of a body; default 512 KiB.
	CaptureLimit int64 `yaml:"capture_limit"`
	// Engine sends HTTP/1.1: wire (default), which needs the least CPU and keeps the
	// fields of answers in their order, or net/http, in case of trouble. HTTP/2 and
	// streams of events are always sent by net/http.
	Engine string `yaml:"engine"`
	// TLS says how connections to an https:// URL are encrypted.
	TLS TLS `yaml:"tls"`
	// H2C speaks HTTP/2 without TLS, to a candidate with an http:// URL that is
	// known to understand it.
	H2C bool `yaml:"h2c"`
	// Connection is pooled (default), where a request takes the connection that was
	// used last, or session, where a session's requests go over connections of its
	// own, as a user's do, always by HTTP/1.1.
	Connection string `yaml:"connection"`
	// Connections bounds the idle connections kept; 1 or more, default 1024.
	Connections int `yaml:"connections"`
	// Locations are further hosts ("host:port") that a Location may name.
	Locations []string `yaml:"locations"`
	// CallbackListen is where callbacks are received, only while a policy uses
	// them; default 127.0.0.1:0. CallbackURL is how the candidate reaches it;
	// default http:// and the address listened on.
	CallbackListen string `yaml:"callback_listen"`
	CallbackURL    string `yaml:"callback_url"`
	// TopicBrokers are host:port seeds of the candidate's Kafka; by default it is
	// that of section kafka.
	TopicBrokers []string `yaml:"topic_brokers"`
	// Topics are needed where a policy uses them.
	Topics Topics `yaml:"-"`
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

func (cfg Config) listen(ctx context.Context, address string) (net.Listener, error) {
	if cfg.Network != nil {
		return cfg.Network.Listen(ctx, "tcp", address)
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	linger := time.Second
	return Config{
		RunMark: message.RunMark, Timeout: 30 * time.Second, CaptureLimit: message.DefaultCaptureLimit, Engine: sender.EngineWire, Connection: ConnectionPooled, Connections: 1024, CallbackListen: "127.0.0.1:0",
		Completion: Completion{
			Channel: ChannelAuto, Timeout: 30 * time.Second, Linger: &linger,
			PollInterval: 25 * time.Millisecond, PollMax: time.Second, PollBackoff: 1.5, CallbackHeader: "Callback-Url",
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
	ps.OneOf("engine", cfg.Engine, sender.Engines()...)
	ps.OneOf("connection", cfg.Connection, ConnectionPooled, ConnectionSession)
	ps.Require((cfg.TLS.CertFile == "") == (cfg.TLS.KeyFile == ""), "tls.cert_file", cfg.TLS.CertFile, "needs key_file beside it, and the reverse")
	ps.Require(cfg.Connection != ConnectionSession || cfg.Engine == sender.EngineWire && !cfg.H2C, "connection", cfg.Connection, "is what only the engine wire can do, with HTTP/1.1")
	b, err := url.Parse(cfg.URL)
	ps.Require(!cfg.H2C || err != nil || b.Scheme != "https", "h2c", cfg.H2C, "asks for HTTP/2 without TLS; https negotiates HTTP/2 by itself")
	if u, err := url.Parse(cfg.CallbackURL); cfg.CallbackURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		ps.Require(false, "callback_url", setting.Address(cfg.CallbackURL), "does not look like http://host:port or https://host:port")
	}
	for i, b := range cfg.TopicBrokers {
		ps.Require(setting.IsHostPort(b), setting.Index("topic_brokers", i), setting.Address(b), "is not host:port")
	}
	ps.Under("completion", cfg.Completion.problems(true).Err())
	base := cfg.Completion.whole()
	if base.Channel == ChannelTopic {
		base.Topic.mistakes(saying(&ps).under("completion.topic"))
	}
	for i, r := range cfg.Routes {
		at := setting.Index("routes", i)
		ps.Under(at, r.problems(false).Err())
		if p := r.over(base); p.Channel == ChannelTopic {
			p.Topic.mistakes(saying(&ps).under(at + ".topic"))
		}
		_, err := route.ParsePattern(r.Route)
		ps.Require(err == nil, at+".route", r.Route, "is not a pattern")
		ps.Require(r.Route != "", at+".route", nil, "is needed; write \"POST /orders/{id}\"")
	}
	return ps.Err()
}

// sayer notes a mistake with the key under which it stands.
type sayer func(key string, value any, fault string)

func saying(ps *setting.Problems) sayer {
	return func(key string, value any, fault string) { ps.Require(false, key, value, fault) }
}

// under is the sayer of a section.
func (say sayer) under(section string) sayer {
	return func(key string, value any, fault string) { say(setting.Join(section, key), value, fault) }
}

// problems of a policy; one that is not whole inherits what it leaves out.
func (c Completion) problems(whole bool) setting.Problems {
	var ps setting.Problems
	if whole || c.Channel != "" {
		ps.OneOf("channel", c.Channel, channelNames...)
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
	say := saying(&ps)
	ps.Require(c.Preset == "" || presets[c.Preset] != nil, "preset", c.Preset, "is not one of "+strings.Join(presetNames(), ", "))
	ps.Require(c.PollBackoff >= 1 || c.PollBackoff == 0 && !whole, "poll_backoff", c.PollBackoff, "is less than 1")
	c.Conventions.Mistakes(say)
	ps.Require(c.CallbackHeader == "" || message.IsToken(c.CallbackHeader), "callback_header", c.CallbackHeader, "is not the name of a field")
	ps.Require(c.CallbackPointer == "" || c.CallbackPointer[0] == '/', "callback_pointer", c.CallbackPointer, "does not begin with /, as a JSON pointer does (RFC 6901)")
	c.Callback.mistakes(say.under("callback"))
	ps.Require(c.Cancel.Method == "" || message.IsToken(c.Cancel.Method), "cancel.method", c.Cancel.Method, "is not a method")
	ps.Require(c.Cancel.Template == "" || c.Cancel.Method != "", "cancel.method", nil, "is needed beside template")
	if err := c.Cancel.Template.Check(true); err != nil {
		say("cancel.template", string(c.Cancel.Template), err.Error())
	}
	return ps
}

// UsesTopics says whether any policy needs Topics.
func (cfg Config) UsesTopics() bool {
	base := cfg.Completion.whole()
	return base.Channel == ChannelTopic || slices.ContainsFunc(cfg.Routes, func(r Route) bool { return r.over(base).Channel == ChannelTopic })
}
