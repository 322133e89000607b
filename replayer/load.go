package replayer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Load says how much is sent and how fast, where that is not simply what was
// recorded, when it was.
type Load struct {
	// Rate is a constant rate, as "100/s", "6000/m" or "100", at which requests
	// leave in the order of the recording, whatever their times; empty follows
	// those at Speed.
	Rate string `yaml:"rate"`
	// Max sends as fast as InFlight, or Users in another mode, lets.
	Max bool `yaml:"max"`
	// For ends the sending so long after its begin, pauses aside; 0 has no bound.
	For time.Duration `yaml:"for"`
	// Loop goes through the recording so often; 0 begins again until For is over;
	// default 1.
	Loop int `yaml:"loop"`
	// Multiply lets each recorded user stand for so many, 1 (default) to 100: each
	// clone of a session has names and credentials of its own.
	Multiply int `yaml:"multiply"`
	// MultiplySpread is over how long a time of the recording the clones begin;
	// default 10 s.
	MultiplySpread time.Duration `yaml:"multiply_spread"`
	// Seed chooses when within it each clone begins.
	Seed uint64 `yaml:"seed"`
	// Mode is open (default): what is due is sent, whatever the candidate does;
	// closed: at most Users requests are under way, and what is due beyond waits; or
	// adaptive: likewise, and their number falls when the candidate suffers and rises
	// when it does not.
	Mode Mode `yaml:"mode"`
	// Users is how many requests may be under way in a closed run, and with how many
	// an adaptive one begins; default 10.
	Users int `yaml:"users"`
}

// Mode is what a run does when the candidate cannot keep up.
type Mode string

// The modes.
const (
	ModeOpen     Mode = "open"
	ModeClosed   Mode = understudyv1.ModeClosed
	ModeAdaptive Mode = understudyv1.ModeAdaptive
)

// MaxMultiply bounds how many users a recorded one stands for.
const MaxMultiply = 100

func defaultLoad() Load {
	return Load{Loop: 1, Multiply: 1, MultiplySpread: 10 * time.Second, Mode: ModeOpen, Users: 10}
}

// rates are how long a unit of a rate is.
var rates = map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour}

// PerSecond is the rate in requests per second; 0 if there is none.
func (l Load) PerSecond() (float64, error) {
	if l.Rate == "" {
		return 0, nil
	}
	number, unit, _ := strings.Cut(l.Rate, "/")
	n, err := strconv.ParseFloat(number, 64)
	every, known := rates[unit]
	if err != nil || !known || !(n > 0) {
		return 0, fmt.Errorf("%q is no rate like 100/s, 6000/m or 0.5/s", l.Rate)
	}
	if n /= every.Seconds(); n < 1e-6 || n > 1e6 {
		return 0, fmt.Errorf("%q is not between one request in 11 days and 1,000,000/s", l.Rate)
	}
	return n, nil
}

// Waits says that a request which is due waits until the candidate has finished
// others: when it leaves is then not known beforehand.
func (l Load) Waits() bool { return l.Max || l.Mode == ModeClosed || l.Mode == ModeAdaptive }

// IsScaled says that time of the recording runs evenly in the replay.
func (l Load) IsScaled() bool { return l.Rate == "" && !l.Waits() }

// changes says that more than one run through the recording's own times is asked.
func (l Load) changes() bool {
	return !l.IsScaled() || l.For != 0 || l.Loop != 1 || l.Multiply != 1
}

// validate reports what is wrong with the load, alone and beside the rest.
func (cfg Config) validateLoad(ps *setting.Problems) {
	l := cfg.Load
	_, err := l.PerSecond()
	if err != nil {
		ps.Require(false, "rate", nil, err.Error())
	}
	ps.Require(l.Rate == "" || cfg.Speed == 1, "rate", l.Rate, "contradicts speed: the one scales the recorded times, the other does without them")
	ps.Require(l.Rate == "" || !l.Max, "rate", l.Rate, "contradicts max, which sends as fast as it can")
	ps.Require(!l.Max || cfg.Speed == 1, "max", nil, "contradicts speed: it sends as fast as it can")
	ps.Require(l.Rate == "" && !l.Max || cfg.MaxGap == 0, "max_gap", cfg.MaxGap, "contradicts rate and max, which know no pauses of the recording")
	ps.Require(l.For >= 0, "for", l.For, "is negative")
	ps.Require(l.Loop >= 0, "loop", l.Loop, "is negative; 0 begins again until for is over")
	ps.Require(l.Loop != 0 || l.For > 0, "loop", nil, "without a number of laps needs for, or it would never end")
	ps.Require(l.Multiply >= 1 && l.Multiply <= MaxMultiply, "multiply", l.Multiply, "is not 1 to 100")
	ps.Require(l.MultiplySpread >= 0, "multiply_spread", l.MultiplySpread, "is negative")
	ps.OneOf("mode", string(l.Mode), string(ModeOpen), string(ModeClosed), string(ModeAdaptive))
	ps.Require(l.Mode == ModeOpen || l.Users >= 1 && l.Users <= cfg.InFlight, "users", l.Users, "is not 1 to in_flight")
	ps.Require(l.Mode != ModeOpen || l.Users == defaultLoad().Users, "users", l.Users, "contradicts the mode open, which has no number of users; say mode: closed or adaptive")
	ps.Require(!cfg.Follow || !l.changes(), "follow", nil, "contradicts rate, max, for, loop, multiply and mode: shadow mode sends what is recorded, when it is")
	ps.Require(cfg.Team == nil || !l.Waits(), "mode", l.Mode, NotShared)
}

// NotShared is why a run that waits for the candidate has one process only.
const NotShared = "a run in the mode closed or adaptive, or with max, cannot be shared or resumed: when a request leaves depends on what one process has seen of the candidate"

// Copies is how often each exchange is replayed; 0 is as often as there is time.
func (l Load) Copies() uint64 { return uint64(l.Loop) * uint64(l.Multiply) } //nolint:gosec // neither is negative
