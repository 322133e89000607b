package face

import (
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/target"
	"understudy.dev/gateway/flight"
	"understudy.dev/setting"
)

// Config of a face. How the candidate completes is said as for a replay, see
// docs/protocols.md; a completion's deadline is how long a client waits, its
// timeout how long the completion is awaited at all.
type Config struct {
	// Routes are those whose clients get a synchronous answer of the asynchronous
	// candidate; with none there is no face.
	Routes []Route `yaml:"routes"`
	// Completion is what routes inherit. Defaults are those of a replay, but
	// deadline 10 s and linger 0.
	Completion target.Completion `yaml:"completion"`
	// Headers are set on every request to the candidate, polls included; they may
	// be secrets.
	Headers map[string]string `yaml:"headers"`
	// Timeout bounds one HTTP exchange with the candidate; above 0, default 30 s.
	Timeout time.Duration `yaml:"timeout"`
	// BodyLimit bounds a request body, in bytes, default 1 MiB: it is kept until the
	// candidate has completed the request. A longer one goes to the baseline.
	BodyLimit int64 `yaml:"body_limit"`
	// AnswerLimit bounds an answer's body, in bytes, default 8 MiB; a longer one is
	// refused with 502.
	AnswerLimit int64 `yaml:"answer_limit"`
	// Waiting bounds the requests that the candidate has been given and not
	// completed, default 10,000; what comes beyond goes to the baseline.
	Waiting int `yaml:"waiting"`
	// Memory bounds the bodies of all of them together, in bytes, default 256 MiB.
	Memory int64 `yaml:"memory"`
	// BreakerFailures is after how many failures in a row the candidate is not asked
	// for BreakerPause; defaults 5 and 5 s. 0 asks always.
	BreakerFailures int           `yaml:"breaker_failures"`
	BreakerPause    time.Duration `yaml:"breaker_pause"`
	// Remembered bounds the addresses and idempotency keys of which it is known
	// which side accepted them, default 65,536; the oldest are forgotten.
	Remembered int `yaml:"remembered"`
	// Locations, CallbackListen, CallbackURL, TopicBrokers and TLS are as in section
	// replay.
	Locations      []string   `yaml:"locations"`
	CallbackListen string     `yaml:"callback_listen"`
	CallbackURL    string     `yaml:"callback_url"`
	TopicBrokers   []string   `yaml:"topic_brokers"`
	TLS            target.TLS `yaml:"tls"`
}

// Route is one route of the face.
type Route struct {
	// Route is a pattern of routes, "POST /orders/{id}"; * stands for any text
	// within a segment.
	Route string `yaml:"route"`
	// AtRollback is finish (default), hand_back or hold: what is done at a rollback
	// with what the candidate has accepted. hand_back needs cancel.
	AtRollback string `yaml:"at_rollback"`
	// DoneStatus is the status of the answer to what was promised and is done; 0
	// leaves that of the completion.
	DoneStatus int `yaml:"done_status"`
	// FailedStatus is that of an operation that has failed, unless its answer has
	// one from 400 on; default 502.
	FailedStatus int `yaml:"failed_status"`
	// Completion is what is said of this route alone.
	target.Completion `yaml:",inline"`
}

// DefaultConfig holds the documented defaults; it has no routes.
func DefaultConfig() Config {
	of, linger := target.DefaultConfig(), time.Duration(0)
	of.Completion.Linger, of.Completion.Deadline = &linger, 10*time.Second
	return Config{
		Completion: of.Completion, Timeout: of.Timeout, CallbackListen: of.CallbackListen,
		BodyLimit: 1 << 20, AnswerLimit: 8 << 20, Waiting: 10_000, Memory: 256 << 20,
		BreakerFailures: 5, BreakerPause: 5 * time.Second, Remembered: 1 << 16,
	}
}

// UsesTopics says whether a route's completions come on Kafka.
func (cfg Config) UsesTopics() bool { return len(cfg.Routes) > 0 && cfg.target("").UsesTopics() }

// target is how the candidate at a URL is driven.
func (cfg Config) target(url string) target.Config {
	t := target.DefaultConfig()
	t.URL, t.Headers, t.Timeout, t.CaptureLimit = url, cfg.Headers, cfg.Timeout, cfg.AnswerLimit
	t.Locations, t.CallbackListen, t.CallbackURL, t.TopicBrokers, t.TLS = cfg.Locations, cfg.CallbackListen, cfg.CallbackURL, cfg.TopicBrokers, cfg.TLS
	t.Completion = cfg.Completion
	for _, r := range cfg.Routes {
		t.Routes = append(t.Routes, target.Route{Route: r.Route, Completion: r.Completion})
	}
	return t
}

// Validate reports every mistake.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Under("", cfg.target("http://127.0.0.1:1").Validate())
	ps.Require(cfg.Completion.Deadline > 0, "completion.deadline", cfg.Completion.Deadline, "is not positive: it is how long a client waits")
	ps.Require(cfg.BodyLimit >= 0, "body_limit", cfg.BodyLimit, "is negative")
	ps.Require(cfg.AnswerLimit >= 0, "answer_limit", cfg.AnswerLimit, "is negative")
	ps.Require(cfg.Waiting >= 1, "waiting", cfg.Waiting, "is less than 1")
	ps.Require(cfg.Memory >= cfg.BodyLimit, "memory", cfg.Memory, "is less than body_limit")
	ps.Require(cfg.BreakerFailures >= 0, "breaker_failures", cfg.BreakerFailures, "is negative")
	ps.Require(cfg.BreakerPause > 0, "breaker_pause", cfg.BreakerPause, "is not positive")
	ps.Require(cfg.Remembered >= 1, "remembered", cfg.Remembered, "is less than 1")
	for name := range cfg.Headers {
		ps.Require(message.IsToken(name), "headers", name, "is not the name of a field")
	}
	policies := cfg.target("").Policies()
	for i, r := range cfg.Routes {
		at := setting.Index("routes", i)
		if r.AtRollback != "" {
			ps.OneOf(at+".at_rollback", r.AtRollback, flight.Policies()...)
		}
		ps.Require(r.DoneStatus == 0 || r.DoneStatus >= 200 && r.DoneStatus <= 299, at+".done_status", r.DoneStatus, "is not a status of success, 200 to 299")
		ps.Require(r.FailedStatus == 0 || r.FailedStatus >= 400 && r.FailedStatus <= 599, at+".failed_status", r.FailedStatus, "is not a status of failure, 400 to 599")
		if i < len(policies) {
			p := policies[i]
			ps.Require(r.AtRollback != flight.HandBack || p.Cancel.Method != "", at+".at_rollback", r.AtRollback,
				"needs cancel: what the candidate has not canceled cannot be given to the baseline without happening twice")
			ps.Require(p.Timeout >= p.Deadline, at+".timeout", p.Timeout, "is less than the deadline")
		}
	}
	return ps.Err()
}
