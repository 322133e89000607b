package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Recorder makes exchanges of what passes through the handlers it wraps.
type Recorder struct {
	config   Config
	instance string
	started  time.Time
	sink     Sink
	logger   *slog.Logger
	metrics  *metrics

	redactor *redact.Redactor
	session  *session.Extractor
	routes   *route.Templater

	ledger   *ledger
	pending  chan *exchange
	inFlight atomic.Int64
	paused   atomic.Bool
	tallies  uint64 // written by Run only
}

// New makes a Recorder; nothing is written until Run.
func New(c Config, sink Sink, logger *slog.Logger, reg prometheus.Registerer) (*Recorder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	key, err := token.New([]byte(c.Key))
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	sessions, err := session.New(c.Session, key)
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	routes, err := route.New(c.Routes)
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	now := time.Now()
	r := &Recorder{
		config: c, instance: c.instance(now), started: now, sink: sink, logger: logger,
		redactor: redact.New(c.Redact, key), session: sessions, routes: routes,
		ledger: newLedger(), pending: make(chan *exchange, c.QueueSize),
	}
	if r.metrics, err = newMetrics(r, reg); err != nil {
		return nil, err
	}
	return r, nil
}

// Instance is the name that this recorder's exchanges and tallies carry.
func (r *Recorder) Instance() string { return r.instance }

// Counts are the books at this moment.
func (r *Recorder) Counts() Counts { return r.ledger.counts() }

// Pause is the kill switch: while it is on, requests pass, consume their
// sequence numbers, and are counted as dropped.
func (r *Recorder) Pause(on bool) { r.paused.Store(on) }

// Wrap returns a handler that records what next does. Every handler that one
// Recorder wraps counts in the same books. Stop the HTTP server before ending
// Run's context: what is served after the final tally is in none.
func (r *Recorder) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		sequence, open := r.ledger.open()
		if !open {
			next.ServeHTTP(w, in)
			return
		}
		x := &exchange{r: r, w: w, in: in, sequence: sequence, start: time.Now()}
		if reason := r.begin(x); reason != "" {
			x.drop(reason)
			next.ServeHTTP(w, in)
			return
		}
		r.inFlight.Add(1)
		defer x.end()
		next.ServeHTTP(x, x.bodyOf(in))
		x.finished = true
	})
}

// begin takes the request's head; a reason says why it is not recorded.
func (r *Recorder) begin(x *exchange) string {
	if r.paused.Load() {
		return ReasonPaused
	}
	var size int64
	x.requestHead, size = snapshot(x.in.Header)
	size += int64(len(x.in.RequestURI) + len(x.in.Host))
	if !r.ledger.reserve(size, r.config.MemoryLimit) {
		return ReasonMemory
	}
	x.headBytes = size
	limit := r.config.CaptureLimit
	if len(r.config.CaptureLimits) > 0 {
		if own, ok := r.config.CaptureLimits[r.routes.Route(x.in.Method, targetOf(x.in))]; ok {
			limit = own
		}
	}
	x.request.limit, x.response.limit = limit, limit
	x.request.declared, x.response.declared = x.in.ContentLength, -1
	if x.in.ContentLength == 0 {
		x.request.declared = declaredLength(x.requestHead)
	}
	return ""
}

// bodyOf is the request that the handler sees. It is a copy, because net/http
// looks at the type of the body of the one it made.
func (x *exchange) bodyOf(in *http.Request) *http.Request {
	if in.Body == nil || in.Body == http.NoBody {
		return in
	}
	out := new(http.Request)
	*out = *in
	out.Body = &requestBody{ReadCloser: in.Body, x: x, out: out}
	return out
}

// targetOf is the raw request target; a request that no server parsed has only
// its URL.
func targetOf(in *http.Request) string {
	if in.RequestURI != "" {
		return in.RequestURI
	}
	return in.URL.RequestURI()
}

// Run hands exchanges to the sink and writes tallies until ctx ends, then
// drains what is pending within the DrainTimeout and writes the final tally.
// It is called once. It returns nil after an orderly end, and an error when
// the sink did not come back or did not take the final tally.
func (r *Recorder) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- r.work(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// A sink that keeps its word returns at once; one that hangs must not keep
	// the process from ending.
	grace := time.NewTimer(2*r.config.DrainTimeout + time.Second)
	defer grace.Stop()
	select {
	case err := <-ended:
		return err
	case <-grace.C:
		r.ledger.close()
		return errors.New("stop recorder: the sink did not return; what it held is counted as dropped")
	}
}

func (r *Recorder) work(ctx context.Context) error {
	tick := time.NewTicker(r.config.TallyInterval)
	defer tick.Stop()
	gather := time.NewTimer(gatherTime)
	defer gather.Stop()
	var before Counts
	for {
		select {
		case x := <-r.pending:
			r.deliver(x)
			r.deliverWaiting()
			// Gathering for a moment costs the live path fewer wake-ups.
			gather.Reset(gatherTime)
			select {
			case <-gather.C:
			case <-ctx.Done():
			}
		case <-tick.C:
			before = r.report(before)
			r.tally(false, func(error) {})
		case <-ctx.Done():
			return r.drain(context.WithoutCancel(ctx))
		}
	}
}

// gatherTime is how long the queue fills between two rounds of delivery. At
// 100,000 requests a second that is 500 exchanges.
const gatherTime = 5 * time.Millisecond

// deliverWaiting delivers what is in the queue now, not what comes meanwhile,
// so that tallies have their turn.
func (r *Recorder) deliverWaiting() {
	for range len(r.pending) {
		r.deliver(<-r.pending)
	}
}

// report logs what was dropped since the last report, if anything.
func (r *Recorder) report(before Counts) Counts {
	now := r.ledger.counts()
	for reason, n := range now.Dropped {
		if d := n - before.Dropped[reason]; d > 0 {
			r.logger.Warn("exchanges not recorded", "reason", reason, "count", d, "recorder", r.instance)
		}
	}
	return now
}

func (r *Recorder) deliver(x *exchange) {
	t := &ticket{ledger: r.ledger, bytes: x.held()}
	if err := r.sink.Exchange(r.message(x), t.done); err != nil {
		t.done(err)
	}
}

// settlePause is how often drain looks whether handlers have returned.
const settlePause = 10 * time.Millisecond

func (r *Recorder) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.config.DrainTimeout)
	defer cancel()
	again := time.NewTicker(settlePause)
	defer again.Stop()
	for waiting := true; waiting; {
		select {
		case x := <-r.pending:
			r.deliver(x)
			continue
		default:
		}
		if r.inFlight.Load() == 0 && len(r.pending) == 0 {
			break
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			waiting = false
		}
	}
	// What the sink cannot finish in the rest of the time is settled by close.
	flushed := r.sink.Flush(ctx)
	r.ledger.close()
	return r.finalTally(flushed)
}

func (r *Recorder) finalTally(flushed error) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.config.DrainTimeout)
	defer cancel()
	written := make(chan error, 1)
	r.tally(true, func(err error) { written <- err })
	err := r.sink.Flush(ctx)
	select {
	case err = <-written:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("write final tally: %w", errors.Join(err, flushed))
	}
	return nil
}

func (r *Recorder) tally(final bool, done func(error)) {
	c := r.ledger.counts()
	r.tallies++
	t := &understudyv1.Tally{
		Recorder: r.instance, Number: r.tallies, StartUnixNano: r.started.UnixNano(), TimeUnixNano: time.Now().UnixNano(),
		Served: c.Served, Recorded: c.Recorded, Pending: c.Pending, Dropped: c.Dropped, Final: final,
	}
	err := r.sink.Tally(t, func(err error) {
		if err != nil {
			r.metrics.tallyErrors.Inc()
		}
		done(err)
	})
	if err != nil {
		r.metrics.tallyErrors.Inc()
		done(err)
	}
}
