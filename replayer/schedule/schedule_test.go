package schedule_test

import (
	"math"
	"testing"
	"time"

	"understudy.dev/replayer/schedule"
)

func TestPlan(t *testing.T) {
	start := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	trace := time.Date(2015, 5, 17, 10, 5, 0, 0, time.UTC)
	f := func(speed float64, maxGap time.Duration, in, want []time.Duration) {
		t.Helper()
		p := schedule.New(start, speed, maxGap)
		for i := range in {
			if got := p.At(trace.Add(in[i])).Sub(start); got != want[i] {
				t.Errorf("request %d leaves at %s, want %s", i, got, want[i])
			}
		}
	}
	const s = time.Second
	f(1, 0, []time.Duration{0, s, 3 * s}, []time.Duration{0, s, 3 * s})
	f(5, 0, []time.Duration{0, s, 3 * s}, []time.Duration{0, s / 5, 3 * s / 5})
	f(0.5, 0, []time.Duration{0, s, 3 * s}, []time.Duration{0, 2 * s, 6 * s})
	// What comes late in the trace leaves with its predecessor, not before it.
	f(1, 0, []time.Duration{0, 2 * s, s, 3 * s}, []time.Duration{0, 2 * s, 2 * s, 3 * s})
	f(2, s, []time.Duration{0, 10 * s, 10*s + s/2}, []time.Duration{0, s / 2, s/2 + s/4})
}

// TestAPauseOfALifetime leaves in its order, however slow the run is: a zero
// start before a real one is 56 years of pause.
func TestAPauseOfALifetime(t *testing.T) {
	start := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for _, speed := range []float64{1e-9, 0.1, 1} {
		p := schedule.New(start, speed, 0)
		last := p.At(time.Unix(0, 0))
		for _, at := range []time.Time{start, start.AddDate(200, 0, 0), start.AddDate(500, 0, 0)} {
			got := p.At(at)
			if got.Before(last) || got.Sub(start) < 50*365*24*time.Hour || got.UnixNano() < start.UnixNano() {
				t.Errorf("speed %g: %s leaves at %s", speed, at, got)
			}
			last = got
		}
	}
}

// TestMoments: time runs evenly between those of a plan; the first and the
// latest are kept.
func TestMoments(t *testing.T) {
	start, trace := time.Unix(1000, 0), time.Unix(0, 0)
	p := schedule.New(start, 2, time.Second)
	at := trace
	for i := range 100 {
		at = at.Add(time.Second)
		p.At(at)
		if i%2 == 1 {
			at = at.Add(time.Minute)
		}
	}
	all := p.Moments()
	if len(all) != 32 || !all[0].Recorded.Equal(trace.Add(time.Second)) || !all[0].Replayed.Equal(start) {
		t.Fatalf("%d moments, the first %v", len(all), all[0])
	}
	q := schedule.New(start, 2, time.Second)
	q.At(trace)
	began := q.At(trace.Add(time.Hour)) // a cut pause
	anchor := q.Moments()[1]
	if got := q.At(trace.Add(time.Hour + time.Second)); !anchor.Replayed.Equal(began) || got.Sub(anchor.Replayed) != time.Second/2 || len(q.Moments()) != 2 {
		t.Errorf("%v, %s after it", q.Moments(), got.Sub(anchor.Replayed))
	}
}

// TestNoDrift: the millionth request is as exact as the first, at any speed.
func TestNoDrift(t *testing.T) {
	start := time.Unix(0, 0)
	for _, speed := range []float64{0.1, 1, 3, 7.77, 20} {
		p := schedule.New(start, speed, 0)
		for i := range 1_000_000 {
			at := time.Duration(i) * 1_234_567
			got := p.At(time.Unix(100, 0).Add(at)).Sub(start)
			if want := float64(at) / speed; math.Abs(float64(got)-want) > 1000 {
				t.Fatalf("speed %g: request %d leaves %.0f ns off", speed, i, float64(got)-want)
			}
		}
	}
}

// TestAnEvenRate has no drift either, knows no recorded times, and pauses.
func TestAnEvenRate(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, rate := range []float64{0.01, 1, 3, 7.77, 1000, 16_000, 1e6} {
		p := schedule.NewRate(start, rate)
		for i := range 300_000 {
			got := p.At(time.Unix(int64(i*i%977), 0)).Sub(start)
			if want := float64(i) / rate * 1e9; math.Abs(float64(got)-want) > 1 || p.Elapsed() != got {
				t.Fatalf("%g/s: request %d leaves after %s", rate, i, got)
			}
		}
	}
	p := schedule.NewRate(start, 10)
	p.At(start)
	if got := p.Pause([]schedule.Pause{{From: start.Add(50 * time.Millisecond), To: start.Add(time.Second)}}); !got.Equal(start) {
		t.Errorf("what was due before a pause is due at %s", got)
	}
	if got := p.At(start).Sub(start); got != 1050*time.Millisecond || p.Elapsed() != 100*time.Millisecond {
		t.Errorf("what is due in a pause leaves after %s", got)
	}
	if at := schedule.NewRate(start, 0).At(time.Unix(5, 0)); !at.Equal(start) {
		t.Errorf("without a rate a request is due at %s", at)
	}
}
