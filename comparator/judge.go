package comparator

import (
	"fmt"
	"net/url"
	"strings"

	"understudy.dev/comparator/media"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Judge judges replays. It is safe for concurrent use.
type Judge struct {
	cfg      Config
	rules    []rule
	defaults defaults
	// descriptors know gRPC messages; nil knows none.
	descriptors *media.Descriptors
}

// NewJudge checks the configuration and makes a judge.
func NewJudge(c Config) (*Judge, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	rs, err := compileRules(c.Rules)
	if err != nil {
		return nil, err
	}
	descriptors, err := c.descriptors()
	if err != nil {
		return nil, err
	}
	return &Judge{cfg: c, rules: rs, defaults: newDefaults(c), descriptors: descriptors}, nil
}

// Judge compares what the candidate did with what the baseline had answered.
// It looks at nothing but the record and the configuration, not even the
// clock: the same record always gets the same comparison.
func (j *Judge) Judge(r *understudyv1.Replay) Comparison {
	return j.judge(&collector{max: j.cfg.MaxDifferences}, r)
}

// maxExplained bounds the differences that Explain keeps.
const maxExplained = 10_000

// Explain judges like Judge and says why: it keeps every difference, up to
// 10,000, with what its class rests on, and gives the pairs of names that were
// known in the session or learned from this very exchange.
func (j *Judge) Explain(r *understudyv1.Replay) (Comparison, []names.Pair) {
	c := &collector{max: maxExplained, explains: true}
	return j.judge(c, r), c.names
}

func (j *Judge) judge(c *collector, r *understudyv1.Replay) Comparison {
	c.out.BaselineStatus = r.GetExchange().GetResponse().GetStatus()
	c.out.Controlled = r.GetControl().GetAck() != nil
	switch {
	case r.GetSkipped() != "":
		c.find(Skipped)
	case r.GetExchange() == nil:
		c.find(Orphan)
	case r.GetExchange().GetServedBy() == understudyv1.Side_SIDE_CANDIDATE:
		c.incomplete("the candidate served the recorded request too: there is no answer of the baseline to compare with")
	case r.GetCandidate().GetAck() == nil, r.GetExchange().GetResponse() == nil:
		j.transport(c, r)
	default:
		j.answer(c, r)
	}
	return c.comparison()
}

// transport judges a request that one of the sides gave no answer to.
func (j *Judge) transport(c *collector, r *understudyv1.Replay) {
	c.find(Error)
	c.out.CandidateStatus = r.GetCandidate().GetAck().GetStatus()
	c.add(Difference{
		Place: InTransport, Path: "transport", Location: "transport", Kind: Outcome,
		Baseline:  outcome(r.GetExchange().GetResponse(), r.GetExchange().GetError()),
		Candidate: outcome(r.GetCandidate().GetAck(), r.GetCandidate().GetError()),
	})
}

func outcome(r *understudyv1.Response, e *understudyv1.TransportError) string {
	if r != nil {
		return fmt.Sprint(r.GetStatus())
	}
	if e == nil {
		return "no answer"
	}
	return understudyv1.Label(e.GetKind()) + ": " + e.GetMessage()
}

// answer judges a request that the candidate answered, at once or later.
func (j *Judge) answer(c *collector, r *understudyv1.Replay) {
	done := r.GetCandidate().GetCompletion()
	later := done != nil && done.GetChannel() != understudyv1.Channel_CHANNEL_IMMEDIATE
	final, failed := r.GetCandidate().GetAck(), false
	if later && final.GetStatus() < 400 {
		final, failed = done.GetPayload(), done.GetFailed()
	}
	if later && done.GetSeen() == 0 && r.GetCandidate().GetAck().GetStatus() < 400 {
		c.find(Lost)
		c.add(Difference{
			Place: InCompletion, Path: "completion", Kind: Outcome,
			Baseline: fmt.Sprint(r.GetExchange().GetResponse().GetStatus()), Candidate: reasonText(done),
		})
		return
	}
	c.out.CandidateStatus = final.GetStatus()
	baseline := r.GetExchange().GetResponse()
	k := j.control(r)
	if reason := unasked(r.GetExchange(), final); reason != "" {
		c.incomplete(reason)
	} else if accepts(baseline) != (accepts(final) && !failed) {
		j.refusal(c, r, k, baseline, final)
	} else {
		j.compare(c, r, k, baseline, final, later, failed)
	}
	j.completion(c, r, done)
}

// refusal judges two answers of which one is a refusal. If the baseline too
// answers otherwise when it is asked again, that shows nothing of the candidate,
// and there is nothing else to compare.
func (j *Judge) refusal(c *collector, r *understudyv1.Replay, k *control, baseline, final *understudyv1.Response) {
	d := refused(baseline, final)
	if k != nil {
		candidate := newPlaces()
		candidate.refuse(d)
		c.out.Tosses = tosses(r, k.places, candidate)
	}
	if k != nil && k.places.refusal {
		d.Noise, d.Why = noise.ByControl(d.Noise), c.because(ownDifference, names.Pair{})
		c.incomplete("asked again, the baseline too refused what it had accepted, or the reverse")
	} else {
		c.rejected(map[bool]string{true: Candidate, false: Baseline}[accepts(baseline)])
	}
	c.add(d)
}

func reasonText(done *understudyv1.Completion) string {
	if done.GetDetail() == "" {
		return done.GetReason()
	}
	return done.GetReason() + ": " + done.GetDetail()
}

func describe(r *understudyv1.Response) string {
	if status := grpcStatus(r); status != "" {
		return fmt.Sprintf("%d, grpc-status %s", r.GetStatus(), status)
	}
	return fmt.Sprintf("%d %s", r.GetStatus(), sample(r.GetBody().GetContent()))
}

func (j *Judge) status(emit emitter, baseline, final uint32, later, failed bool) {
	same := baseline == final
	if later && !j.cfg.ExactStatus {
		// A poll answers 200 where the baseline had created with 201: what the
		// candidate means is success or failure. A status that the operation
		// itself carries is compared as far as failures go.
		same = same || accepted(baseline) && accepted(final) && !failed || !accepted(baseline) && accepted(final) && failed
	}
	if !same {
		emit(Difference{
			Place: InStatus, Path: "status", Location: "status", Kind: Status,
			Baseline: fmt.Sprint(baseline), Candidate: fmt.Sprint(final),
		}, noise.Value{}, noise.Value{}, "")
	}
}

// sent is all that the client sent and that an answer may repeat: the target
// first, the body, the fields that are not those of connection and tracing.
func (j *Judge) sent(q *understudyv1.Request) [][]byte {
	out := [][]byte{q.GetTarget(), q.GetBody().GetContent()}
	if plain, err := url.QueryUnescape(string(q.GetTarget())); err == nil && plain != string(q.GetTarget()) {
		out = append(out, []byte(plain))
	}
	for _, h := range q.GetHeaders() {
		if !j.defaults.ignores(strings.ToLower(h.GetName())) {
			out = append(out, h.GetValue())
		}
	}
	return out
}
