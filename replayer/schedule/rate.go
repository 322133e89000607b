package schedule

import (
	"math"
	"time"
)

// NewRate makes a plan by which request i leaves at start + i / rate, rate being
// requests per second, whatever their recorded times. A rate of 0 is none at all:
// each is due at once.
func NewRate(start time.Time, rate float64) *Plan {
	return &Plan{start: start, isEven: true, rate: rate}
}

// even is how long after the start of the run request number i leaves, from 0.
func (p *Plan) even(i uint64) time.Duration {
	if p.rate == 0 {
		return 0
	}
	if d := float64(i) / p.rate * float64(time.Second); d < float64(math.MaxInt64) {
		return time.Duration(math.Round(d))
	}
	return math.MaxInt64
}

// Elapsed is how long after the begin of the run the last request leaves, pauses
// aside.
func (p *Plan) Elapsed() time.Duration { return p.raw.Sub(p.start) }
