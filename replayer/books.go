package replayer

import (
	"cmp"
	"crypto/rand"
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
	handing   int   // of those, records that wait for the sink to take them
	held      int64 // bytes in flight, see weight
	completed uint64
	unwritten uint64
	lastError error
	lag       *hdrhistogram.Histogram // microseconds
	first     [2]time.Time            // planned, sent
	last      [2]time.Time
	took      func() []*understudyv1.RouteCompletion
	isShared  bool   // what is selected is counted when it is done
	mine      uint64 // sent by this process
	freed     chan struct{}
	latencies Latencies
}

// Progress is a snapshot of a running run.
type Progress struct {
	Selected, Sent, InFlight, Completed, Skipped, Written, Orphans uint64
	// Failed are the requests that ended in a transport error.
	Failed uint64
	// LagP99 and LagMax are actual minus intended send time.
	LagP99, LagMax time.Duration
	// Planned and Achieved are sends per second so far.
	Planned, Achieved float64
}

// lagLimit bounds what the histogram tells apart; more counts as this much.
const lagLimit = time.Hour

// newBooks begins those of a run, or goes on with those of begun.
func newBooks(spec *understudyv1.RunSpec, name string, start time.Time, begun *understudyv1.Run) *books {
	if begun.GetSpec() != nil {
		spec = begun.GetSpec()
	}
	if begun.GetStartUnixNano() != 0 {
		start = time.Unix(0, begun.GetStartUnixNano())
	}
	return &books{
		run: &understudyv1.Run{
			Name: name, Spec: spec, State: understudyv1.Run_STATE_RUNNING, StartUnixNano: start.UnixNano(),
			Extents: begun.GetExtents(), Shared: begun.GetShared(), Version: begun.GetVersion(), Writer: rand.Text(),
			Skipped: map[string]uint64{}, Unselected: map[string]uint64{}, Completed: map[string]uint64{},
			Uncontrolled: map[string]uint64{}, Errors: map[string]uint64{},
		},
		lag: hdrhistogram.New(1, lagLimit.Microseconds(), 3), freed: make(chan struct{}), latencies: newLatencies(),
	}
}

func (b *books) selected() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.Selected++
}

// admit takes a place in flight for an exchange of size bytes, unless that
// exceeds either limit; one exchange always has a place. Otherwise it says why
// there is none.
func (b *books) admit(size int64, limit int, bytes int64) (reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inFlight >= limit || b.inFlight > 0 && b.held+size > bytes {
		if b.handing > 0 {
			return skipWaiting
		}
		return skipInFlight
	}
	b.inFlight++
	b.held += size
	return ""
}

func (b *books) sent(planned, sent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mine++
	b.left(planned, sent)
}

// own is what only this process knows of what it did.
func (b *books) own() (sent, redacted uint64, routes []*understudyv1.RouteCompletion) {
	if b.took != nil {
		routes = b.took()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mine, b.run.Redacted, routes
}

func (b *books) writer() string { return b.run.Writer }

// left counts a request that was sent. b.mu is held.
func (b *books) left(planned, sent time.Time) {
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

// ended counts one replay whose record is about to be handed over.
func (b *books) ended(r *understudyv1.Replay) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(r)
}

// told counts one replay that another worker has written.
func (b *books) told(r *understudyv1.Replay) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.GetSkipped() == "" && r.GetSentUnixNano() != 0 {
		b.left(time.Unix(0, r.GetScheduledUnixNano()), time.Unix(0, r.GetSentUnixNano()))
	}
	b.count(r)
	b.run.Written++
}

// count counts one replay that is done. b.mu is held.
func (b *books) count(r *understudyv1.Replay) {
	if b.isShared {
		b.run.Selected++
	}
	if r.GetAttempt() > 1 {
		b.run.Repeated++
	}
	if r.Skipped != "" {
		b.run.Skipped[r.Skipped]++
		return
	}
	b.run.Replayed++
	b.latencies.add(r.GetCandidate())
	if r.GetControl() != nil {
		b.run.Controlled++
	}
	if r.GetCandidate().GetAck() == nil {
		b.run.Errors[kindOf(r.GetCandidate().GetError())]++
		return
	}
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

// hand calls do, which hands over the record of a replay that has a place in
// flight of that size, and frees the place only then: so what waits for the sink
// is bounded as what waits for the candidate is.
func (b *books) hand(size int64, do func()) {
	b.mu.Lock()
	b.handing++
	b.mu.Unlock()
	do()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handing--
	b.inFlight--
	b.held -= size
	close(b.freed)
	b.freed = make(chan struct{})
}

// awaitFree is closed when a place in flight is given back.
func (b *books) awaitFree() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.freed
}

func kindOf(e *understudyv1.TransportError) string {
	return cmp.Or(understudyv1.Label(e.GetKind()), "unknown")
}

// errors is how many requests have ended, and how many of them in a transport
// error. Those on which a rule failed were not sent, and say nothing of a candidate.
func (b *books) errors() (failed, ended uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	unsent := b.run.Errors[kindRewrite]
	return total(b.run.Errors) - unsent, b.run.Replayed - unsent
}

// unwritable is how many requests were not sent because a rule failed on them.
func (b *books) unwritable() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.run.Errors[kindRewrite]
}

func total(counts map[string]uint64) (n uint64) {
	for _, v := range counts {
		n += v
	}
	return n
}

func (b *books) uncontrolled(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.Uncontrolled[reason]++
}

// redacted counts a request that is sent with tokens in the place of secrets.
func (b *books) redacted() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.Redacted++
}

// unselected counts an exchange that the selection leaves out.
func (b *books) unselected(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.Unselected[reason]++
}

func (b *books) spread() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.Spread++
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
	p.Skipped, p.Failed = total(b.run.Skipped), total(b.run.Errors)
	p.Planned, p.Achieved = rate(p.Sent, b.first[0], b.last[0]), rate(p.Sent, b.first[1], b.last[1])
	return p
}

// record is the run's next record, of a version above that.
func (b *books) record(now time.Time, epoch *understudyv1.Epoch, version uint64) *understudyv1.Run {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.run
	r.Version = max(r.Version, version) + 1
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
		LocationsRefused: r.LocationsRefused, Controlled: r.Controlled, Late: r.Late, Spread: r.Spread, Redacted: r.Redacted,
		Skipped: maps.Clone(r.Skipped), Unselected: maps.Clone(r.Unselected), Completed: maps.Clone(r.Completed),
		Uncontrolled: maps.Clone(r.Uncontrolled), Errors: maps.Clone(r.Errors),
		Extents: r.Extents, Epoch: epoch, Writer: r.Writer, Shared: r.Shared, Repeated: r.Repeated,
	}
	if copied.State == understudyv1.Run_STATE_RUNNING && isPaused(epoch) {
		copied.State = understudyv1.Run_STATE_PAUSED
	}
	if b.took != nil {
		copied.Routes = b.took()
	}
	return copied
}

// end settles the state of the run.
func (b *books) end(state understudyv1.Run_State, detail string, unselected map[string]uint64, late uint64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run.State, b.run.Detail, b.run.EndUnixNano, b.run.Late = state, detail, now.UnixNano(), late
	maps.Copy(b.run.Unselected, unselected)
}

// failure is how many records could not be written, and the last reason.
func (b *books) failure() (unwritten uint64, last error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unwritten, b.lastError
}
