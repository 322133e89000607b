// Package face answers clients of the synchronous protocol for an asynchronous
// candidate: it sends the request, awaits the completion as a replay does
// (exchange/target) and makes an answer of it, within a deadline.
//
// A request goes to the baseline instead only if it is safe, was provably not
// sent, or was canceled by the candidate's own word and carries an idempotency
// key; anything else that ends without an answer is a 503. What the candidate has
// accepted is in the ledger (gateway/flight) until it has ended, whether a client
// waits for it or not.
package face

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/target"
	"understudy.dev/exchange/visit"
	"understudy.dev/gateway/flight"
	"understudy.dev/gateway/proxy"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Door is what the face asks of the gateway beside what a proxy does.
type Door interface {
	proxy.Door
	// Fallback says that the candidate does not serve the request after all, and
	// why. If the baseline may, it changes the visit so and returns true.
	Fallback(v *visit.Visit, decision string) bool
}

// Surroundings are what a face is given.
type Surroundings struct {
	Baseline, Candidate *proxy.Upstream
	CandidateURL        string
	Door                Door
	Accepted            *Accepted
	Ledger              *flight.Ledger
	// Topics are needed if Config.UsesTopics.
	Topics target.Topics
	// IsClean says that an address holds nothing that redaction takes out.
	IsClean func(address string) bool
}

// Face is the handler for the routes of its configuration.
type Face struct {
	cfg      Config
	with     Surroundings
	routes   Routes
	policies []policy
	client   *target.Client
	direct   *proxy.Choice // to the side that the visit says
	breaker  *breaker
	log      *slog.Logger
	metrics  *metrics

	ctx     context.Context // of what is awaited
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
	count   atomic.Int64 // of jobs
	memory  atomic.Int64 // of their bodies
}

// policy is how a route is answered.
type policy struct {
	target.Completion
	atRollback   string
	done, failed int
}

// Routes are patterns of which the first that matches counts.
type Routes []route.Pattern

// Patterns are those of the routes, which Validate has found to be such.
func (cfg Config) Patterns() Routes {
	var out Routes
	for _, r := range cfg.Routes {
		if p, err := route.ParsePattern(r.Route); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// Match says whether the face answers a route.
func (r Routes) Match(name string) bool { return r.index(name) >= 0 }

func (r Routes) index(name string) int {
	return slices.IndexFunc(r, func(p route.Pattern) bool { return p.Match(name) })
}

// New makes a face that Run starts.
func New(cfg Config, with Surroundings, log *slog.Logger, reg prometheus.Registerer) (*Face, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	f := &Face{
		cfg: cfg, with: with, routes: cfg.Patterns(), log: log, breaker: &breaker{limit: cfg.BreakerFailures, pause: cfg.BreakerPause},
		direct: &proxy.Choice{Baseline: with.Baseline, Candidate: with.Candidate, Door: with.Door},
	}
	f.ctx, f.cancel = context.WithCancelCause(context.Background())
	t := cfg.target(with.CandidateURL)
	t.Topics = with.Topics
	for i, p := range t.Policies() {
		own := policy{Completion: p, atRollback: cfg.Routes[i].AtRollback, done: cfg.Routes[i].DoneStatus, failed: cfg.Routes[i].FailedStatus}
		if own.atRollback == "" {
			own.atRollback = flight.Finish
		}
		if own.failed == 0 {
			own.failed = http.StatusBadGateway
		}
		f.policies = append(f.policies, own)
	}
	var err error
	if f.metrics, err = newMetrics(f, reg); err != nil {
		return nil, err
	}
	orphan := func(*understudyv1.Orphan) { f.metrics.orphans.Inc() }
	f.client, err = target.New(t, orphan, log, reg)
	return f, err
}

// Start begins to take callbacks and replies; stop ends that, and every wait.
// What the candidate has accepted by then is not canceled.
func (f *Face) Start(ctx context.Context) (stop func(), err error) {
	end, err := f.client.Start(ctx)
	if err != nil {
		return nil, err
	}
	return func() {
		f.cancel(target.ErrSettled)
		f.running.Wait()
		end()
	}, nil
}

// ServeHTTP answers one request, whose visit is in its context.
func (f *Face) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	v := visit.Of(in.Context())
	i := f.routes.index(v.Route)
	switch {
	case prefersAsync(in.Header):
		f.pass(w, in, v)
		return
	case i < 0, v.Side != understudyv1.Side_SIDE_CANDIDATE:
		f.direct.ServeHTTP(w, in)
		return
	}
	body, decision := f.take(in)
	if decision == "" {
		decision = f.admits()
	}
	if decision != "" {
		f.fall(w, in, v, decision)
		return
	}
	j, ok := f.newJob(&f.policies[i], in, v, body)
	if !ok {
		f.memory.Add(-int64(len(body)))
		f.direct.ServeHTTP(w, in) // the proxy says why it cannot be sent
		return
	}
	f.begin(j, j.send)
	f.await(w, in, v, j)
}

// Decisions by which the baseline serves what was the candidate's.
const (
	DecisionUnreached = "unreached"   // no connection was to be had
	DecisionBreaker   = "breaker"     // it has failed several times in a row
	DecisionBusy      = "busy"        // too much is awaited already
	DecisionLarge     = "large"       // the body is too long to be kept
	DecisionLate      = "late"        // not completed by the deadline
	DecisionFailed    = "failed"      // no answer, or one that says that it cannot
	DecisionCanceled  = "canceled"    // canceled by the candidate's word
	DecisionHandBack  = "handed_back" // the same, at a rollback
	decisionStopped   = "stopped"     // the gateway ends
)

// admits says why the candidate is not asked; empty if it is.
func (f *Face) admits() string {
	limit := f.cfg.Waiting
	switch {
	case f.count.Load() >= int64(limit), f.with.Ledger.Len() >= limit:
		return DecisionBusy
	case f.ctx.Err() != nil:
		return decisionStopped
	case !f.breaker.allow(time.Now()):
		return DecisionBreaker
	}
	return ""
}

// take reads the body, and leaves it in the request for whoever asks for it
// later. decision says why it cannot be kept.
func (f *Face) take(in *http.Request) (body []byte, decision string) {
	limit := f.cfg.BodyLimit
	if in.Body == nil || in.Body == http.NoBody {
		return nil, ""
	}
	want := in.ContentLength
	if want > limit {
		return nil, DecisionLarge
	}
	if want < 0 {
		want = limit
	}
	if f.memory.Add(want) > f.cfg.Memory {
		f.memory.Add(-want)
		return nil, DecisionBusy
	}
	body, err := io.ReadAll(io.LimitReader(in.Body, limit+1))
	rest := in.Body
	again := func() { in.Body = &joined{io.MultiReader(newReader(body), rest), rest} }
	switch {
	case err != nil:
		f.memory.Add(-want)
		in.Body = &joined{&broken{newReader(body), err}, rest}
		return nil, DecisionFailed
	case int64(len(body)) > limit:
		f.memory.Add(-want)
		again()
		return nil, DecisionLarge
	}
	f.memory.Add(int64(len(body)) - want)
	again()
	return body, ""
}

// await waits for how the job ends, for as long as the client does.
func (f *Face) await(w http.ResponseWriter, in *http.Request, v *visit.Visit, j *job) {
	timer := time.NewTimer(j.p.Deadline)
	defer timer.Stop()
	select {
	case <-j.done:
	case <-timer.C:
		if f.late(w, in, v, j) {
			return
		}
	case <-in.Context().Done():
		if j.leave() {
			// Else a recorder would see an empty 200.
			proxy.Refuse(w, http.StatusBadGateway, message.TransportError(message.ErrClientGone), 0)
			return
		}
	}
	f.deliver(w, in, v, j)
}

// deliver gives the client what the job has come to.
func (f *Face) deliver(w http.ResponseWriter, in *http.Request, v *visit.Visit, j *job) {
	out := j.outcome()
	v.Completion = completionOf(out.o)
	switch {
	case out.giveBack != "":
		j.handOver(w, in, v, out.giveBack)
	case out.isAnswer && (!j.isSafe || !isUnable(out.o.GetAck().GetStatus())):
		answer, err := j.p.answerOf(out.o)
		if err != nil {
			v.Completion.Reason = "unusable"
			f.refuse(w, http.StatusBadGateway, understudyv1.TransportError_KIND_PROTOCOL, err.Error(), 0)
			return
		}
		f.metrics.answered.Inc()
		write(w, in.Method, answer)
	case out.isUnsent:
		v.Completion.Reason = DecisionUnreached
		f.fall(w, in, v, DecisionUnreached)
	case j.isSafe:
		v.Completion.Reason = out.reason
		f.fall(w, in, v, DecisionFailed)
	default:
		v.Completion.Reason = out.reason
		f.refuse(w, http.StatusServiceUnavailable, understudyv1.TransportError_KIND_RESET, "whether the candidate has done it is not known: "+out.reason, retryAfter)
	}
}

// late is the end of the client's wait before the job's; false says that the job
// has ended all the same.
func (f *Face) late(w http.ResponseWriter, in *http.Request, v *visit.Visit, j *job) bool {
	if j.isSafe {
		if !j.leave() {
			return false
		}
		v.Completion = &understudyv1.Awaited{AckStatus: j.acknowledged().GetStatus(), Reason: DecisionLate}
		f.fall(w, in, v, DecisionLate)
		return true
	}
	if j.key != "" && f.client.CanCancel(v.Route) && j.cancelFor(DecisionCanceled) {
		return false // the outcome says that the baseline is to have it
	}
	if !j.leave() {
		return false
	}
	v.Completion = &understudyv1.Awaited{AckStatus: j.acknowledged().GetStatus(), Reason: DecisionLate}
	f.refuse(w, http.StatusServiceUnavailable, understudyv1.TransportError_KIND_TIMEOUT, "the candidate has not completed it in time, and may yet", retryAfter)
	return true
}

// retryAfter is when a client may ask again, unless something else is known.
const retryAfter = 2 * time.Second

// fall gives a request to the baseline that the candidate does not serve, and
// that can be.
func (f *Face) fall(w http.ResponseWriter, in *http.Request, v *visit.Visit, decision string) {
	if !f.with.Door.Fallback(v, decision) {
		pause := retryAfter
		if decision == DecisionBreaker {
			pause = f.cfg.BreakerPause
		}
		f.refuse(w, http.StatusServiceUnavailable, understudyv1.TransportError_KIND_CONNECT, "the candidate cannot be asked now ("+decision+"), and there is no baseline any more", pause)
		return
	}
	f.metrics.fallbacks.WithLabelValues(decision).Inc()
	f.with.Baseline.ServeHTTP(w, in)
}

// refuse answers for nobody.
func (f *Face) refuse(w http.ResponseWriter, status int, kind understudyv1.TransportError_Kind, text string, pause time.Duration) {
	f.metrics.refused.Inc()
	proxy.Refuse(w, status, &understudyv1.TransportError{Kind: kind, Message: text}, pause)
}

// isUnable: by this status a server says that it cannot serve now.
func isUnable(status uint32) bool {
	return status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout
}

// prefersAsync says that the client asks for an asynchronous answer (RFC 7240,
// 4.1).
func prefersAsync(h http.Header) bool { return message.HasToken(h["Prefer"], "respond-async") }

// joined is a reader with the Close of another.
type joined struct {
	io.Reader
	io.Closer
}

// broken is a body that breaks off.
type broken struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (b *broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.err
	}
	return n, err
}
