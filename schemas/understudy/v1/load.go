package understudyv1

import (
	"fmt"
	"strings"
	"time"
)

// Modes of a run beside the open loop, whose mode is empty.
const (
	ModeClosed   = "closed"
	ModeAdaptive = "adaptive"
)

// Load says in words what a run sent that was not simply what was recorded, when
// it was; empty if there was nothing of the kind.
func (x *Run) Load() string {
	s := x.GetSpec()
	var parts []string
	say := func(is bool, format string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	say(s.GetRate() > 0, "a constant %g/s", s.GetRate())
	say(s.GetMax(), "as fast as the limits let")
	say(s.GetForNano() > 0, "for %s at most", time.Duration(s.GetForNano()))
	say(s.GetLapsEndless(), "the recording again and again")
	say(s.GetLaps() > 0, "the recording %d times", s.GetLaps())
	say(s.GetMultiply() > 1, "each user as %d (seed %d)", s.GetMultiply(), s.GetSeed())
	const waited = "what was due waited for them, and its latency counts from then"
	say(s.GetMode() == ModeClosed, "closed loop of %d users: %s", s.GetUsers(), waited)
	say(s.GetMode() == ModeAdaptive, "adaptive from %d users, backed off %d times, %d at the end: %s", s.GetUsers(), x.GetBackoffs(), x.GetUsers(), waited)
	return strings.Join(parts, "; ")
}
