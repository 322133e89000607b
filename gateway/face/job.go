package face

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/target"
	"understudy.dev/exchange/uuid"
	"understudy.dev/exchange/visit"
	"understudy.dev/gateway/flight"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// job is one request that the candidate is given. It goes on when its client has
// left.
type job struct {
	f      *Face
	p      *policy
	req    target.Request
	head   *http.Request // as it came, for the baseline; nil if it is an earlier life's
	body   []byte
	isSafe bool
	key    string // idempotency key
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when there is an outcome

	legs      legs
	mu        sync.Mutex
	ack       *understudyv1.Response
	work      *flight.Work // nil until the candidate has accepted it
	waits     bool         // the client
	canceling bool
	seen      *understudyv1.Observation // came while it was being canceled
	out       *outcome
}

// outcome is what a job has come to.
type outcome struct {
	o        *understudyv1.Observation
	isAnswer bool
	isUnsent bool   // not a byte went out
	giveBack string // the candidate has canceled it: by this decision it is the baseline's
	reason   string // why there is no answer
}

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

// newJob makes one of a request; false if it cannot be sent.
func (f *Face) newJob(p *policy, in *http.Request, v *visit.Visit, body []byte) (*job, bool) {
	leg := v.Leg()
	head, ok := f.with.Candidate.Head(in, leg)
	if !ok {
		return nil, false // leg is not ended, and so is no span
	}
	if len(in.Trailer) > 0 {
		head.Trailer, head.TransferEncoding = in.Trailer, []string{"chunked"}
	}
	for name, value := range f.cfg.Headers {
		head.Header.Set(name, value)
	}
	j := &job{f: f, p: p, head: in, body: body, isSafe: message.IsSafe(in.Method), key: message.IdempotencyKey(in.Header), waits: true, done: make(chan struct{}), legs: legs{request: v.Trace, leg: leg}}
	j.ctx, j.cancel = context.WithCancelCause(f.ctx)
	j.req = target.Request{
		ID: uuid.New(time.Now()), Session: v.Session, HTTP: head, Body: body, Route: v.Route, Scheduled: time.Now(),
		Sent: func(time.Time) {}, Acked: j.accepted, Final: func(*understudyv1.Response) {},
	}
	return j, true
}

// begin runs a job: do returns when nothing more is to be seen.
func (f *Face) begin(j *job, do func() *understudyv1.Observation) {
	f.count.Add(1)
	size := int64(len(j.body))
	f.running.Go(func() {
		defer f.count.Add(-1)
		defer f.memory.Add(-size)
		defer j.cancel(target.ErrSettled)
		j.ended(do())
	})
}

// send sends the request and waits.
func (j *job) send() *understudyv1.Observation {
	o, _ := j.f.client.Do(j.ctx, j.req)
	j.legs.end(o)
	if j.f.ctx.Err() == nil {
		j.f.breaker.said(o.GetError() == nil && !isUnable(o.GetAck().GetStatus()), time.Now())
	}
	return o
}

// accepted is called with the promise of a completion.
func (j *job) accepted(ack *understudyv1.Response) {
	j.legs.accepted(ack)
	e := &understudyv1.InFlight{
		Id: j.req.ID, Session: j.req.Session, Route: j.req.Route, Method: j.req.HTTP.Method, Policy: j.p.atRollback, Keyed: j.key != "",
	}
	if m, ok := j.f.client.MonitorOf(j.req, ack); ok {
		if address := relative(m.Location, j.f.client.Base().Host); address != "" && j.f.with.IsClean(address) {
			e.Location, e.Monitor = address, monitorAnswer
			if m.Document {
				e.Monitor = monitorOperation
			}
			if m.Azure {
				e.Monitor = monitorAzure
			}
		}
		// Clients that have the address, from a log or a link, find who has it.
		j.f.with.Accepted.NoteAddress(m.Location, understudyv1.Side_SIDE_CANDIDATE)
	}
	j.took()
	j.mu.Lock() // so a rollback finds the entry
	defer j.mu.Unlock()
	j.ack, j.work = ack, j.f.with.Ledger.Accept(e, j)
}

// took remembers that the candidate has acted on the idempotency key.
func (j *job) took() {
	if j.key != "" {
		j.f.with.Accepted.NoteKey(j.req.Session, j.req.Route, j.key, understudyv1.Side_SIDE_CANDIDATE)
	}
}

// ended is called with all that was seen.
func (j *job) ended(o *understudyv1.Observation) {
	j.mu.Lock()
	if j.canceling {
		j.seen = o
		j.mu.Unlock()
		return
	}
	j.mu.Unlock()
	j.settle(o)
}

// settle makes an outcome of what was seen.
func (j *job) settle(o *understudyv1.Observation) {
	d := o.GetCompletion()
	out := &outcome{o: o}
	stopped := j.f.ctx.Err() != nil
	switch kind := o.GetError().GetKind(); {
	case kind == understudyv1.TransportError_KIND_CONNECT, kind == understudyv1.TransportError_KIND_REFUSED:
		out.isUnsent = true
	case kind != 0:
		out.reason = understudyv1.Label(kind)
	case o.GetAck() == nil:
		out.reason = decisionStopped
	case d == nil || d.GetSeen() > 0:
		out.isAnswer = true
		if o.GetAck().GetStatus() < 400 {
			j.took()
		}
	default:
		out.reason = d.GetReason()
	}
	work := j.entry()
	switch {
	case work == nil, !j.undecided(): // somebody has seen to it
	case out.isAnswer && j.head == nil && j.f.client.IsCanceled(j.req, o):
		work.Hold("the candidate has canceled it; whether the baseline got it from the life before is not known")
	case out.isAnswer && d.GetFailed():
		work.End(flight.Failed)
	case out.isAnswer:
		work.End(flight.Completed)
	case !stopped:
		reason := "no completion: " + out.reason
		if status := d.GetCancelStatus(); status != 0 {
			reason += "; told to cancel it, the candidate answered " + strconv.Itoa(int(status))
		}
		work.Hold(reason)
	}
	j.decide(out)
}

// decide sets the outcome unless there is one.
func (j *job) decide(out *outcome) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.decideLocked(out)
}

func (j *job) decideLocked(out *outcome) bool {
	if j.out != nil {
		return false
	}
	j.out = out
	close(j.done)
	return true
}

func (j *job) undecided() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out == nil
}

func (j *job) outcome() *outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out
}

func (j *job) entry() *flight.Work {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.work
}

func (j *job) acknowledged() *understudyv1.Response {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ack
}

// leave ends the client's wait; false if there is an outcome already, which is
// then the client's.
func (j *job) leave() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.out != nil {
		return false
	}
	j.waits = false
	return true
}

// Rollback implements flight.Keeper.
func (j *job) Rollback(policy string) {
	switch policy {
	case flight.Hold:
		j.hold("rolled back; what was sent is left to a person")
	case flight.HandBack:
		if j.head != nil {
			j.f.running.Go(j.handBack)
		}
	}
}

// Resolved implements flight.Keeper.
func (j *job) Resolved() {
	j.decide(&outcome{reason: "resolved"})
	j.cancel(target.ErrSettled)
}

// hold leaves it to a person.
func (j *job) hold(reason string) {
	if work := j.entry(); work != nil && j.decide(&outcome{reason: flight.Hold}) {
		work.Hold(reason)
	}
	j.cancel(target.ErrSettled)
}

// handBack gives the baseline what the candidate cancels.
func (j *job) handBack() {
	if !j.cancelFor(DecisionHandBack) {
		return // it is finished
	}
	j.mu.Lock()
	waits := j.waits
	j.mu.Unlock()
	if waits {
		return // who serves the client sees the outcome
	}
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
			panic(p)
		}
	}()
	v := &visit.Visit{Session: j.req.Session, Route: j.req.Route, Side: understudyv1.Side_SIDE_CANDIDATE, Attempts: 1}
	j.handOver(new(nowhere), j.head.WithContext(visit.With(context.WithoutCancel(j.head.Context()), v)), v, DecisionHandBack)
}

// cancelFor has the candidate cancel it. If the candidate says that it did, the
// outcome is that the baseline gets it, by that decision.
func (j *job) cancelFor(decision string) bool {
	j.mu.Lock()
	if j.ack == nil || j.out != nil || j.canceling {
		j.mu.Unlock()
		return false
	}
	j.canceling = true
	ack := j.ack
	j.mu.Unlock()
	canceled := j.f.client.Cancel(j.f.ctx, j.req, ack) // the job may end meanwhile
	j.mu.Lock()
	j.canceling = false
	seen := j.seen
	if canceled = canceled || seen != nil && j.f.client.IsCanceled(j.req, seen); canceled {
		canceled = j.decideLocked(&outcome{o: &understudyv1.Observation{Ack: ack}, giveBack: decision})
	}
	j.mu.Unlock()
	if canceled {
		j.cancel(target.ErrSettled)
	} else if seen != nil {
		j.settle(seen)
	}
	return canceled
}

// handOver gives the baseline what the candidate has canceled, and does not stop
// when the client goes.
func (j *job) handOver(w http.ResponseWriter, in *http.Request, v *visit.Visit, decision string) {
	work := j.entry()
	if !j.f.with.Door.Fallback(v, decision) {
		work.Hold("the candidate has canceled it, and there is no baseline any more")
		j.f.refuse(w, http.StatusServiceUnavailable, understudyv1.TransportError_KIND_CONNECT, "the candidate has canceled it, and there is no baseline any more", retryAfter)
		return
	}
	j.f.metrics.fallbacks.WithLabelValues(decision).Inc()
	work.Hold("the candidate has canceled it, and the baseline was being given it") // for the next life, if this one ends here
	ctx, cancel := context.WithTimeout(context.WithoutCancel(in.Context()), j.p.Timeout)
	defer cancel()
	in = in.WithContext(ctx)
	in.Body = io.NopCloser(newReader(j.body))
	if len(j.body) == 0 {
		in.Body = http.NoBody
	}
	watched := &watched{ResponseWriter: w}
	defer func() {
		if watched.status == 0 || watched.failure != nil {
			work.Hold("the candidate has canceled it, and the baseline has not answered it")
			return
		}
		if work.End(flight.HandedBack); j.key != "" {
			j.f.with.Accepted.NoteKey(j.req.Session, j.req.Route, j.key, understudyv1.Side_SIDE_BASELINE)
		}
	}()
	j.f.with.Baseline.ServeHTTP(watched, in)
}

// watched sees how an answer begins.
type watched struct {
	http.ResponseWriter
	status  int
	failure *understudyv1.TransportError
}

// WriteHeader implements http.ResponseWriter.
func (w *watched) WriteHeader(status int) {
	if status >= 200 && w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// TransportError notes that there is no answer.
func (w *watched) TransportError(e *understudyv1.TransportError) { w.failure = e }

// Unwrap gives http.ResponseController the writer underneath.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// nowhere takes an answer for which nobody waits.
type nowhere struct{ h http.Header }

// Header implements http.ResponseWriter.
func (w *nowhere) Header() http.Header {
	if w.h == nil {
		w.h = http.Header{}
	}
	return w.h
}

// Write implements http.ResponseWriter.
func (*nowhere) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (*nowhere) WriteHeader(int) {}

// Flush implements http.Flusher.
func (*nowhere) Flush() {}
