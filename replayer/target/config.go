// Package target sends requests to the system under rehearsal and waits for
// how they end: at once, by polling a status monitor (RFC 9110 section 15.3.3;
// the Azure and Google conventions for long-running operations), or by a
// callback to a receiver of ours.
//
// Everything that the candidate says is hostile input: where it points, how
// much it sends, how long it takes.
package target

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
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

// Condition holds when the text of the JSON value at Pointer (RFC 6901) is one
// of Values.
type Condition struct {
	Pointer string   `yaml:"pointer"`
	Values  []string `yaml:"values"`
}

// Completion says how to learn how a request ended.
type Completion struct {
	// Channel is auto, none, poll or callback; default auto.
	Channel string `yaml:"channel"`
	// Timeout is how long after the send a completion is waited for; then the
	// request counts as lost. Default 30 s.
	Timeout time.Duration `yaml:"timeout"`
	// Deadline after which a completion is late, from the intended send time;
	// 0 is none.
	Deadline time.Duration `yaml:"deadline"`
	// Linger is how long after a completion another one is watched for;
	// default 1 s, 0 does not watch.
	Linger *time.Duration `yaml:"linger"`
	// PollInterval is the first pause between polls, which grows by half each
	// time up to PollMax, unless the candidate says Retry-After. Defaults
	// 25 ms and 1 s.
	PollInterval time.Duration `yaml:"poll_interval"`
	PollMax      time.Duration `yaml:"poll_max"`
	// Pending, Done and Failed read the state out of a polled or called-back
	// document. Without them the conventions decide.
	Pending Condition `yaml:"pending"`
	Done    Condition `yaml:"done"`
	Failed  Condition `yaml:"failed"`
	// Status and Result are JSON pointers to the answer's status and body
	// within the operation's document; empty is the document itself.
	Status string `yaml:"status"`
	Result string `yaml:"result"`
	// Accepted are further statuses, beside 202, with which this route promises
	// to answer later.
	Accepted []uint32 `yaml:"accepted"`
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
	// Route is method and path template, "POST /orders/{id}"; * stands for a
	// segment.
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
	// Timeout bounds one HTTP exchange; default 30 s.
	Timeout time.Duration `yaml:"timeout"`
	// CaptureLimit bounds the bytes kept of a body; default 512 KiB.
	CaptureLimit int64 `yaml:"capture_limit"`
	// H2C speaks HTTP/2 without TLS to a candidate that is known to.
	H2C bool `yaml:"h2c"`
	// Connections bounds the idle connections kept; default 1024.
	Connections int `yaml:"connections"`
	// Locations are further hosts ("host:port") that a Location may name.
	Locations []string `yaml:"locations"`
	// CallbackListen is where callbacks are received, only while a policy uses
	// them; default 127.0.0.1:0. CallbackURL is how the candidate reaches it;
	// default http:// and the address listened on.
	CallbackListen string `yaml:"callback_listen"`
	CallbackURL    string `yaml:"callback_url"`
	// Completion is the policy, Routes its exceptions.
	Completion Completion `yaml:"completion"`
	Routes     []Route    `yaml:"routes"`
}

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	linger := time.Second
	return Config{
		Timeout: 30 * time.Second, CaptureLimit: 512 << 10, Connections: 1024, CallbackListen: "127.0.0.1:0",
		Completion: Completion{
			Channel: ChannelAuto, Timeout: 30 * time.Second, Linger: &linger,
			PollInterval: 25 * time.Millisecond, PollMax: time.Second, CallbackHeader: "Callback-Url",
		},
	}
}

// Validate reports every mistake in the configuration.
func (c Config) Validate() error {
	_, err := parseBase(c.URL)
	errs := []error{err}
	if c.Timeout <= 0 || c.CaptureLimit < 0 || c.Connections < 1 {
		errs = append(errs, errors.New("candidate: timeout and connections must be positive, capture_limit not negative"))
	}
	if b, err := url.Parse(c.URL); c.H2C && err == nil && b.Scheme == "https" {
		errs = append(errs, errors.New("candidate: h2c is HTTP/2 without TLS; https negotiates HTTP/2 by itself"))
	}
	if err := callbackURLProblem(c.CallbackURL); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, c.Completion.problems("completion", true)...)
	for i, r := range c.Routes {
		errs = append(errs, r.problems(fmt.Sprintf("routes[%d] %q", i, r.Route), false)...)
		if r.Route == "" {
			errs = append(errs, fmt.Errorf("routes[%d]: route is empty; write \"POST /orders/{id}\"", i))
		}
	}
	return errors.Join(errs...)
}

func callbackURLProblem(s string) error {
	if u, err := url.Parse(s); s != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("candidate: callback_url %q: want http://host:port or https://host:port", redactURL(s))
	}
	return nil
}

func (c Completion) problems(where string, whole bool) []error {
	var errs []error
	channels := []string{ChannelAuto, ChannelNone, ChannelPoll, ChannelCallback}
	if !slices.Contains(channels, c.Channel) && (whole || c.Channel != "") {
		errs = append(errs, fmt.Errorf("%s: channel %q is none of auto, none, poll, callback", where, c.Channel))
	}
	if c.Timeout < 0 || c.Deadline < 0 || c.PollInterval < 0 || c.PollMax < 0 || c.Linger != nil && *c.Linger < 0 ||
		whole && (c.Timeout == 0 || c.PollInterval == 0 || c.PollMax == 0) {
		errs = append(errs, fmt.Errorf("%s: timeout, poll_interval and poll_max must be positive, deadline and linger not negative", where))
	}
	for _, a := range c.Accepted {
		if a < 200 || a > 299 {
			errs = append(errs, fmt.Errorf("%s: accepted %d is no status of success", where, a))
		}
	}
	for name, pointer := range map[string]string{
		"pending": c.Pending.Pointer, "done": c.Done.Pointer, "failed": c.Failed.Pointer, "status": c.Status, "result": c.Result,
		"callback": c.CallbackPointer,
	} {
		if pointer != "" && pointer[0] != '/' {
			errs = append(errs, fmt.Errorf("%s: %s pointer %q must begin with / (RFC 6901)", where, name, pointer))
		}
	}
	return errs
}

// policy gives the completion policy of a route.
func (c Config) policy(route string) Completion {
	for _, r := range c.Routes {
		if routeMatches(r.Route, route) {
			return r.over(c.Completion)
		}
	}
	return c.Completion
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
	condition := func(a, b Condition) Condition {
		if a.Pointer != "" {
			return a
		}
		return b
	}
	out := Completion{
		Channel: text(c.Channel, base.Channel), Timeout: or(c.Timeout, base.Timeout), Deadline: or(c.Deadline, base.Deadline),
		Linger: c.Linger, PollInterval: or(c.PollInterval, base.PollInterval), PollMax: or(c.PollMax, base.PollMax),
		Pending: condition(c.Pending, base.Pending), Done: condition(c.Done, base.Done), Failed: condition(c.Failed, base.Failed),
		Status: text(c.Status, base.Status), Result: text(c.Result, base.Result),
		Accepted: c.Accepted, CallbackPointer: text(c.CallbackPointer, base.CallbackPointer),
		CallbackHeader: text(c.CallbackHeader, base.CallbackHeader), Unordered: c.Unordered || base.Unordered,
	}
	if out.Accepted == nil {
		out.Accepted = base.Accepted
	}
	if out.Linger == nil {
		out.Linger = base.Linger
	}
	return out
}
