package demo

import (
	"fmt"
	"slices"
	"time"

	"understudy.dev/demo/fault"
)

// Slack is how much later than planned things may happen while the faults of
// time and order (late, duplicate, reordered, slow-tail, …) still look as they
// were planted: a fifth of the shortest thinking time, less the longest work.
const Slack = 100 * time.Millisecond

// Pace is how a run kept up with its schedule.
type Pace struct {
	// LagP99 of the actual after the intended send times.
	LagP99 time.Duration
	// Tails are the candidate's 99th percentiles by route.
	Tails map[string]time.Duration
}

// Busy says what was slower than the planted timings allow, "" if nothing was.
// Routes with planted faults are slow on purpose and do not count.
func (p Pace) Busy() string {
	if p.LagP99 > Slack {
		return fmt.Sprintf("one request in a hundred was sent %s late or more, and %s is allowed", p.LagP99.Round(time.Millisecond), Slack)
	}
	route, tail := "", Slack
	for r, t := range p.Tails {
		planted := slices.ContainsFunc(fault.Catalogue(), func(f fault.Fault) bool { return f.Route == r })
		if !planted && t > tail {
			route, tail = r, t
		}
	}
	if route == "" {
		return ""
	}
	return fmt.Sprintf("one %s in a hundred took %s or more, and %s is allowed", route, tail.Round(time.Millisecond), Slack)
}
