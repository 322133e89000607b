// Package control says for which replays the baseline is asked again. What it
// answers now, beside what it answered then, shows where it differs with
// itself.
package control

import (
	"maps"
	"slices"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Config of a control sample.
type Config struct {
	// Share is how much of the replays also asks the baseline, 0 to 1; 0, the
	// default, is none.
	Share float64 `yaml:"share"`
	// URL is where the baseline is asked: the recorded one itself, or another
	// instance of it. Needed with a share.
	URL string `yaml:"url"`
	// Isolated says that URL is another instance that has no effect outside the
	// rehearsal: unsafe methods are sent too, whole sessions are taken, and names
	// are replaced by its own. Otherwise the requests with safe methods are sent
	// as they were recorded.
	Isolated bool `yaml:"isolated"`
	// PerRoute is how many replays of a route are sought at least, whatever the
	// share; default 20, 0 leaves it to the share.
	PerRoute int `yaml:"per_route"`
	// H2C speaks HTTP/2 without TLS, to an http:// URL that is known to
	// understand it.
	H2C bool `yaml:"h2c"`
	// Headers are set on every request; they may be secrets.
	Headers map[string]string `yaml:"headers"`
}

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config { return Config{PerRoute: 20} }

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Require(cfg.Share >= 0 && cfg.Share <= 1, "share", cfg.Share, "is not between 0 and 1")
	ps.Require(cfg.PerRoute >= 0, "per_route", cfg.PerRoute, "is negative")
	ps.Require(cfg.Share <= 0 || cfg.URL != "", "url", nil, "is needed with a share: where the baseline, or another instance of it, is asked again")
	if cfg.URL != "" {
		ps.Under("url", target.CheckURL(cfg.URL))
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Headers)) {
		ps.Require(message.IsField(name, cfg.Headers[name]), setting.Member("headers", setting.Field(name)), nil, "is not a valid field name, or its value holds control characters")
	}
	return ps.Err()
}

// On says whether there is a control sample.
func (cfg Config) On() bool { return cfg.Share > 0 }

// Asks says whether an exchange may be sent to the control at all.
func (cfg Config) Asks(e *understudyv1.Exchange) bool {
	return cfg.Isolated || message.IsSafe(e.GetRequest().GetMethod())
}
