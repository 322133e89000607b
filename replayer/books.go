package replayer

import (
	"maps"
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// books keep the counts of a run: selected = replayed + Σ skipped, and each of
// them written.
type books struct {
	mu        sync.Mutex
	run       *understudyv1.Run
	inFlight  int
	held      int64 // bytes in flight, see weight
	completed uint64
	unwritten uint64
	lastError error
	lag       *hdrhistogram.Histogram // microseconds
	first     [2]time.Time            // planned, sent
	last      [2]time.Time
}

// Progress is a snapshot of a running run.
type Progress struct {
	Selected, Sent, InFlight, Completed, Skipped, Written, Orphans uint64
	// LagP99 and LagMax are actual minus intended send time.
	LagP99, LagMax time.Duration
	// Planned and Achieved are sends per second so far.
	Planned, Achieved float64
}

// lagLimit bounds what the histogram tells apart; more counts as this much.
const lagLimit = time.Hour

func newBooks(spec *understudyv1.RunSpec, name string, start time.Time) *books {
	return &books{
		run: &understudyv1.Run{
			Name: name, Spec: spec, State: understudyv1.Run_STATE_RUNNING, StartUnixNano: start.UnixNano(),
			Skipped: map[string]uint64{}, Unselected: map[string]uint64{}, Completed: map[string]uint64{},
		},
		lag: hdrhistogram.New(1, lagLimit.Microseconds(), 3),
	}
}

func (b *books) selected() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.Selected++
	return b.run.Selected
}

// admit takes a place in flight for an exchange of size bytes unless that
// exceeds either limit; one exchange always has a place.
func (b *books) admit(size int64, limit int, bytes int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inFlight >= limit || b.inFlight > 0 && b.held+size > bytes {
		return false
	}
	b.inFlight++
	b.held += size
	return true
}

func (b *books) sent(planned, sent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.lag.RecordValue(min(max(sent.Sub(planned), 0), lagLimit).Microseconds())
	if b.first[0].IsZero() {
		b.first = [2]time.Time{planned, sent}
	}
	if planned.After(b.last[0]) {
		b.last[0] = planned
	}
	if sent.After(b.last[1]) {
		b.last[1] = sent
	}
}

// finished counts one replay at its end; admitted says that it had a place in
// flight.
func (b *books) finished(r *understudyv1.Replay, admitted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if admitted {
		b.inFlight--
		b.held -= weight(r.GetExchange())
	}
	if r.Skipped != "" {
		b.run.Skipped[r.Skipped]++
		return
	}
	b.run.Replayed++
	done := r.GetCandidate().GetCompletion()
	switch {
	case done == nil:
	case done.GetSeen() == 0:
		if done.GetReason() == "location_refused" {
			b.run.LocationsRefused++
		}
	default:
		b.completed++
		b.run.Completed[understudyv1.Label(done.GetChannel())]++
	}
}

func (b *books) orphan() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.Orphans++
}

// written counts a record that Kafka has, or has not.
func (b *books) written(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.unwritten++
		b.lastError = err
		return
	}
	b.run.Written++
}

func rate(n uint64, from, to time.Time) float64 {
	if n < 2 || !to.After(from) {
		return 0
	}
	return float64(n-1) / to.Sub(from).Seconds()
}

// Progress is the state of the run now.
func (b *books) progress() Progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := Progress{
		Selected: b.run.Selected, Sent: uint64(b.lag.TotalCount()), InFlight: uint64(b.inFlight), Completed: b.completed,
		Written: b.run.Written, Orphans: b.run.Orphans,
		LagP99: time.Duration(b.lag.ValueAtQuantile(99)) * time.Microsecond, LagMax: time.Duration(b.lag.Max()) * time.Microsecond,
	}
	for _, n := range b.run.Skipped {
		p.Skipped += n
	}
	p.Planned, p.Achieved = rate(p.Sent, b.first[0], b.last[0]), rate(p.Sent, b.first[1], b.last[1])
	return p
}

// record is the run's next record.
func (b *books) record(now time.Time) *understudyv1.Run {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.run
	r.Version++
	r.TimeUnixNano = now.UnixNano()
	n := uint64(b.lag.TotalCount())
	r.PlannedRate, r.AchievedRate = rate(n, b.first[0], b.last[0]), rate(n, b.first[1], b.last[1])
	r.LagP50Nano = b.lag.ValueAtQuantile(50) * 1000
	r.LagP99Nano = b.lag.ValueAtQuantile(99) * 1000
	r.LagMaxNano = b.lag.Max() * 1000
	if math.IsNaN(r.AchievedRate) {
		r.AchievedRate = 0
	}
	copied := &understudyv1.Run{
		Name: r.Name, State: r.State, Detail: r.Detail, Spec: r.Spec, StartUnixNano: r.StartUnixNano, TimeUnixNano: r.TimeUnixNano,
		EndUnixNano: r.EndUnixNano, Version: r.Version, Selected: r.Selected, Replayed: r.Replayed, Written: r.Written, Orphans: r.Orphans,
		PlannedRate: r.PlannedRate, AchievedRate: r.AchievedRate, LagP50Nano: r.LagP50Nano, LagP99Nano: r.LagP99Nano, LagMaxNano: r.LagMaxNano,
		LocationsRefused: r.LocationsRefused,
		Skipped:          maps.Clone(r.Skipped), Unselected: maps.Clone(r.Unselected), Completed: maps.Clone(r.Completed),
	}
	return copied
}

// end settles the state of the run.
func (b *books) end(state understudyv1.Run_State, detail string, unselected map[string]uint64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.State, b.run.Detail, b.run.EndUnixNano = state, detail, now.UnixNano()
	maps.Copy(b.run.Unselected, unselected)
}

// failure is how many records could not be written, and the last reason.
func (b *books) failure() (unwritten uint64, last error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unwritten, b.lastError
}
