// Package schedule decides when a replayed request leaves; package
// exchange/pace waits for that moment. The schedule is absolute: request i leaves at
// t₀ + (tᵢ − t₀ᵗʳᵃᶜᵉ) / speed, whatever happened to the requests before it, so
// no error accumulates and a slow candidate meets the load of a fast one.
package schedule

import (
	"math"
	"time"
)

// Plan maps times of the trace to times of the run. It is arithmetic without
// a clock. The zero value is not usable; see New.
type Plan struct {
	start  time.Time // of the run
	speed  float64
	maxGap time.Duration
	isEven bool    // see NewRate
	rate   float64 // of an even plan
	count  uint64  // requests of an even plan

	first, last time.Time     // of the trace
	cut         time.Duration // taken out of long gaps so far
	begun       bool
	moments     []Moment

	raw    time.Time // when the last request would leave without pauses
	pauses []Pause
	passed int // of the pauses
}

// Pause is a time of the run, [From, To), in which nothing is due: what would
// leave from From on leaves later by its length.
type Pause struct{ From, To time.Time }

// Moment is a moment of the trace and the same one of the run. From it on time
// runs evenly, until the next.
type Moment struct{ Recorded, Replayed time.Time }

// maxMoments bounds those that are kept: that of the first request, and the
// latest.
const maxMoments = 32

// end is the last moment that a record can hold; what would leave later leaves
// then.
var end = time.Unix(0, math.MaxInt64)

// New makes a plan whose first request leaves at start. speed 2 is twice as
// fast as recorded. maxGap, if positive, is the longest pause of the trace
// that is kept; longer ones are cut to it.
func New(start time.Time, speed float64, maxGap time.Duration) *Plan {
	return &Plan{start: start, speed: speed, maxGap: maxGap}
}

// At is when the request recorded at t leaves. Requests must come in the order
// of their recorded times; one that is earlier than its predecessor leaves at
// once after it.
func (p *Plan) At(t time.Time) time.Time {
	anew := !p.begun
	if !p.begun {
		p.begun, p.first, p.last = true, t, t
	}
	if t.Before(p.last) {
		t = p.last
	}
	if gap := t.Sub(p.last); p.maxGap > 0 && gap > p.maxGap {
		p.cut += gap - p.maxGap
		anew = true
	}
	p.last = t
	if p.isEven {
		p.raw = end
		if d := p.even(p.count); d < end.Sub(p.start) {
			p.raw = p.start.Add(d)
		}
		p.count++
		return p.due(anew)
	}
	offset := t.Sub(p.first) - p.cut
	p.raw = end
	if d := float64(offset) / p.speed; d < float64(end.Sub(p.start)) {
		p.raw = p.start.Add(time.Duration(d))
	}
	return p.due(anew)
}

// Pause says which pauses there are, oldest first, none overlapping; those that
// were given before are among them. It returns when the last request leaves now.
func (p *Plan) Pause(all []Pause) time.Time {
	p.pauses = all
	return p.due(false)
}

// due is when the last request leaves; anew says that time begins anew with it.
func (p *Plan) due(anew bool) time.Time {
	at, t := p.raw, p.last
	passed := 0
	for _, x := range p.pauses {
		if at.Before(x.From) {
			break
		}
		if passed++; at.Before(end.Add(x.From.Sub(x.To))) {
			at = at.Add(x.To.Sub(x.From))
		} else {
			at = end
		}
	}
	if passed != p.passed {
		p.passed, anew = passed, true
	}
	if anew {
		if len(p.moments) == maxMoments {
			p.moments = append(p.moments[:1:1], p.moments[2:]...)
		}
		p.moments = append(p.moments[:len(p.moments):len(p.moments)], Moment{t, at})
	}
	return at
}

// Moments are those since which the schedule runs evenly, oldest first: that of
// the first request, and those after the latest pauses that were cut, at most
// 32. What is returned does not change.
func (p *Plan) Moments() []Moment { return p.moments }
