package replayer

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"understudy.dev/replayer/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Config says how a run replays.
type Config struct {
	// Run is the name of the run; Candidate the URL of the system to drive.
	Run       string `yaml:"-"`
	Candidate string `yaml:"candidate"`
	// Speed scales the recorded schedule; default 1.
	Speed float64 `yaml:"speed"`
	// MaxGap cuts longer pauses of the recording to it; 0 keeps them.
	MaxGap time.Duration `yaml:"max_gap"`
	// Follow is shadow mode: each exchange is sent Delay after its recorded
	// start, for as long as the source goes on. Speed must be 1.
	Follow bool          `yaml:"-"`
	Delay  time.Duration `yaml:"delay"`
	// Headers are set on every request; they may be secrets.
	Headers map[string]string `yaml:"headers"`
	// PreserveHost sends the recorded Host instead of the candidate's.
	PreserveHost bool `yaml:"preserve_host"`
	// Isolated says that the candidate has no effect outside the rehearsal, so
	// that unsafe methods may be sent. A candidate on the loopback address is
	// taken to be isolated.
	Isolated bool `yaml:"isolated"`
	// InFlight bounds the requests that have been sent and are not finished;
	// what is due beyond it is skipped and counted. Default 10,000.
	InFlight int `yaml:"in_flight"`
	// InFlightBytes bounds about how much memory they take together, likewise;
	// default 512 MiB.
	InFlightBytes int64 `yaml:"in_flight_bytes"`
	// Order sends a request of a session only after the one before it is
	// finished; latency still counts from the intended time.
	Order bool `yaml:"order"`
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

	target.Config `yaml:",inline"`
}

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	return Config{
		Speed: 1, Delay: 2 * time.Second, InFlight: 10_000, InFlightBytes: 512 << 20, OrderTolerance: 10 * time.Millisecond, Drain: 10 * time.Second,
		Config: target.DefaultConfig(),
	}
}

// Validate reports every mistake in the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.Run == "" {
		errs = append(errs, errors.New("replay: the run needs a name"))
	}
	if !(c.Speed > 0 && c.Speed <= 10_000) {
		errs = append(errs, fmt.Errorf("replay: speed %g must be above 0 and at most 10000", c.Speed))
	}
	if c.Follow && c.Speed != 1 {
		errs = append(errs, errors.New("replay: shadow mode runs at speed 1"))
	}
	for name, value := range c.Headers {
		if !sendableField(&understudyv1.Header{Name: name, Value: []byte(value)}) || name[0] == ':' {
			errs = append(errs, fmt.Errorf("replay: header %q is no valid field name, or its value holds control characters", name))
		}
	}
	if c.InFlightBytes < 1 || c.InFlight < 1 || c.MaxGap < 0 || c.Delay < 0 || c.Drain < 0 || c.LagBudget < 0 || c.OrderTolerance < 0 {
		errs = append(errs, errors.New("replay: in_flight and in_flight_bytes must be at least 1; max_gap, delay, drain, lag_budget, order_tolerance not negative"))
	}
	errs = append(errs, c.client().Validate())
	return errors.Join(errs...)
}

// client is the configuration of the candidate's client.
func (c Config) client() target.Config {
	out := c.Config
	out.URL, out.Headers, out.Run = c.Candidate, c.Headers, c.Run
	return out
}

// isolated says whether unsafe methods may be sent.
func (c Config) isolated() bool {
	if c.Isolated {
		return true
	}
	u, err := url.Parse(c.Candidate)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
