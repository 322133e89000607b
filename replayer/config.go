package replayer

import (
	"context"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/target"
	"understudy.dev/replayer/control"
	"understudy.dev/replayer/rewrite"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Config says how a run replays.
type Config struct {
	// Run is the name of the run.
	Run string `yaml:"-"`
	// Candidate is the URL of the system to drive: http or https, with at most
	// a path.
	Candidate string `yaml:"candidate"`
	// Speed scales the recorded schedule: 5 is five times as fast. Above 0, at
	// most 10,000; default 1.
	Speed float64 `yaml:"speed"`
	// MaxGap cuts longer pauses of the recording to it; 0 keeps them.
	MaxGap time.Duration `yaml:"max_gap"`
	// Follow is shadow mode: each exchange is sent Delay after its recorded
	// start, for as long as the source goes on. Speed must be 1.
	Follow bool `yaml:"-"`
	// Delay is how long after its recorded start an exchange is sent in shadow
	// mode; default 2 s.
	Delay time.Duration `yaml:"delay"`
	// Headers are set on every request; they may be secrets.
	Headers map[string]string `yaml:"headers"`
	// PreserveHost sends the recorded Host instead of the candidate's.
	PreserveHost bool `yaml:"preserve_host"`
	// Isolation says what the run may touch.
	Isolation `yaml:",inline"`
	// InFlight bounds the requests that have been sent and are not finished;
	// what is due beyond it is skipped and counted. 1 or more, default 10,000.
	InFlight int `yaml:"in_flight"`
	// InFlightBytes bounds about how much memory they take together, likewise;
	// default 512 MiB.
	InFlightBytes int64 `yaml:"in_flight_bytes"`
	// Order says after what of the request before it in its session a request is
	// sent: none (default) waits for nothing, acknowledged for its direct answer,
	// completed for how it ended. The wait is neither latency nor lag.
	Order Order `yaml:"order"`
	// KeepValues sends recorded identifiers as they are instead of the
	// candidate's own.
	KeepValues bool `yaml:"keep_values"`
	// OrderTolerance is how much later an earlier callback must come to prove
	// that it was overtaken; default 10 ms.
	OrderTolerance time.Duration `yaml:"order_tolerance"`
	// Drain is how long an interrupted run waits for what is in flight;
	// default 10 s.
	Drain time.Duration `yaml:"drain"`
	// LagBudget fails the run when the 99th percentile of actual minus
	// intended send time exceeds it; 0 has no budget.
	LagBudget time.Duration `yaml:"lag_budget"`
	// ErrorBudget fails the run, and ends it at once, when more than this share
	// of at least 100 requests ended in transport errors; default 0.9, and 1
	// never ends it.
	ErrorBudget float64 `yaml:"error_budget"`
	// Redactor is that of the recording, nil if it has none: the candidate's
	// answers are compared with recorded ones as they would have been recorded.
	Redactor *redact.Redactor `yaml:"-"`
	// Rewrite changes the requests to the candidate by rules, after names are replaced.
	// What the control is asked is not changed.
	Rewrite []rewrite.Rule `yaml:"rewrite"`
	// Select says which exchanges of the recording are replayed.
	Select Selection `yaml:"select"`
	// Chosen are those that Select takes by the verdicts of an earlier run; nil if
	// it does not say one.
	Chosen *Chosen `yaml:"-"`
	// Resume is the last record of the run if it has begun, else what is known of
	// it before it does; nil is nothing.
	Resume *understudyv1.Run `yaml:"-"`
	// Board is what others say of the run; nil is nobody.
	Board Board `yaml:"-"`
	// Team are the workers that share the run, of which this is one of the name
	// Worker; nil runs it alone. It needs Resume and Board.
	Team   Team   `yaml:"-"`
	Worker string `yaml:"-"`
	// Stop tells all who work at the run to stop; nil if nobody else can.
	Stop func(context.Context) error `yaml:"-"`
	// Control asks the baseline again for a share of the replays.
	Control control.Config `yaml:"control"`

	Load          `yaml:",inline"`
	target.Config `yaml:",inline"`
}

// Order is what a request of a session waits for.
type Order string

// The orders.
const (
	OrderNone         Order = "none"
	OrderAcknowledged Order = "acknowledged"
	OrderCompleted    Order = "completed"
)

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	return Config{
		Speed: 1, Order: OrderNone, Delay: 2 * time.Second, InFlight: 10_000, InFlightBytes: 512 << 20, OrderTolerance: 10 * time.Millisecond, Drain: 10 * time.Second,
		ErrorBudget: 0.9, Isolation: defaultIsolation(), Control: control.DefaultConfig(), Load: defaultLoad(), Config: target.DefaultConfig(),
	}
}

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Require(cfg.Run != "", "run", nil, "the run needs a name")
	ps.Require(cfg.Speed > 0 && cfg.Speed <= 10_000, "speed", cfg.Speed, "is not above 0 and at most 10000")
	ps.Require(!cfg.Follow || cfg.Speed == 1, "speed", cfg.Speed, "is not 1, at which shadow mode runs")
	for _, name := range slices.Sorted(maps.Keys(cfg.Headers)) {
		ps.Require(message.IsField(name, cfg.Headers[name]), setting.Member("headers", setting.Field(name)), nil, "is not a valid field name, or its value holds control characters")
	}
	ps.Require(cfg.Team == nil || !cfg.Follow, "follow", nil, "is shadow mode, which workers cannot share")
	ps.Require(cfg.InFlight >= 1, "in_flight", cfg.InFlight, "is less than 1")
	ps.Require(cfg.InFlightBytes >= 1, "in_flight_bytes", cfg.InFlightBytes, "is less than 1")
	ps.Require(cfg.MaxGap >= 0, "max_gap", cfg.MaxGap, "is negative")
	ps.Require(cfg.Delay >= 0, "delay", cfg.Delay, "is negative")
	ps.Require(cfg.Drain >= 0, "drain", cfg.Drain, "is negative")
	ps.Require(cfg.LagBudget >= 0, "lag_budget", cfg.LagBudget, "is negative")
	ps.Require(cfg.ErrorBudget > 0 && cfg.ErrorBudget <= 1, "error_budget", cfg.ErrorBudget, "is not above 0 and at most 1")
	ps.Require(cfg.OrderTolerance >= 0, "order_tolerance", cfg.OrderTolerance, "is negative")
	ps.OneOf("order", string(cfg.Order), string(OrderNone), string(OrderAcknowledged), string(OrderCompleted))
	cfg.validateLoad(&ps)
	ps.Under("select", cfg.Select.Validate())
	ps.Under("", cfg.Isolation.problems())
	ps.Under("rewrite", rewrite.Validate(cfg.Rewrite))
	ps.Under("control", cfg.Control.Validate())
	ps.Require(!sameSystem(cfg.Control.URL, cfg.Candidate), "control.url", setting.Address(cfg.Control.URL), "is the candidate; a control is the baseline, or another instance of it")
	var candidate setting.Problems
	candidate.Under("", cfg.client().Validate())
	for _, p := range candidate {
		if p.Path == "url" {
			p.Path = "candidate" // as this section calls it
		}
		ps = append(ps, p)
	}
	return ps.Err()
}

// client is the configuration of the candidate's client.
func (cfg Config) client() target.Config {
	out := cfg.Config
	out.URL, out.Headers, out.Run, out.RunMark, out.Places = cfg.Candidate, cfg.Headers, cfg.Run, cfg.mark(), cfg.Allow
	return out
}

// patience is how long a request waits for an answer that it needs: as long as
// one can take on any route, acknowledgement and completion.
func (cfg Config) patience() time.Duration {
	longest := cfg.Completion.Timeout
	for _, r := range cfg.Routes {
		longest = max(longest, r.Timeout)
	}
	return cfg.Timeout + longest
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameSystem says whether two URLs lead to one system, as far as they show.
func sameSystem(a, b string) bool {
	path := func(s string) string {
		u, err := url.Parse(s)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(u.Path, "/")
	}
	return sameHost(a, b) && path(a) == path(b)
}
