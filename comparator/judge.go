package comparator

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"understudy.dev/comparator/noise"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Judge judges replays. It is safe for concurrent use.
type Judge struct {
	cfg     Config
	rules   []rule
	headers headerFilter
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
	return &Judge{cfg: c, rules: rs, headers: newHeaderFilter(c.IgnoreHeaders)}, nil
}

// Judge compares what the candidate did with what the baseline had answered.
// It looks at nothing but the record and the configuration, not even the
// clock: the same record always gets the same comparison.
func (j *Judge) Judge(r *understudyv1.Replay) Comparison {
	c := &collector{max: j.cfg.MaxDifferences}
	c.out.BaselineStatus = r.GetExchange().GetResponse().GetStatus()
	switch {
	case r.GetSkipped() != "":
		c.find(Skipped)
	case r.GetExchange() == nil:
		c.find(Orphan)
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
	return e.GetKind().String() + ": " + e.GetMessage()
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
	if accepted(baseline.GetStatus()) != (accepted(final.GetStatus()) && !failed) {
		// A refusal has nothing in common with an answer: field by field they
		// would only bury what happened.
		c.find(Rejected)
		c.add(Difference{
			Place: InStatus, Path: "status", Location: "status", Kind: Status,
			Baseline: describe(baseline), Candidate: describe(final),
		})
	} else {
		j.compare(c, r, baseline, final, later, failed)
	}
	j.completion(c, r, done)
}

func accepted(status uint32) bool { return status > 0 && status < 400 }

func reasonText(done *understudyv1.Completion) string {
	if done.GetDetail() == "" {
		return done.GetReason()
	}
	return done.GetReason() + ": " + done.GetDetail()
}

func describe(r *understudyv1.Response) string {
	return fmt.Sprintf("%d %s", r.GetStatus(), sample(r.GetBody().GetContent()))
}

// compare looks for differences between two final answers.
func (j *Judge) compare(c *collector, r *understudyv1.Replay, baseline, final *understudyv1.Response, later, failed bool) {
	rs := j.rulesFor(r.GetExchange().GetRoute(), time.Unix(0, r.GetClosedUnixNano()))
	var e *noise.Evidence
	emit := func(d Difference, b, f noise.Value, name string) bool {
		if d.Noise == "" {
			d.Noise = rs.class(d)
		}
		if d.Noise == "" && d.Kind == Value {
			if e == nil {
				e = j.evidence(r)
			}
			d.Noise = e.Class(name, b, f)
		}
		return c.add(d)
	}
	j.status(emit, baseline.GetStatus(), final.GetStatus(), later, failed)
	j.compareHeaders(emit, baseline, final, later)
	j.compareBodies(emit, rs, baseline, final)
}

// emitter takes a difference with its values for the noise classes.
type emitter func(d Difference, baseline, candidate noise.Value, name string) bool

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

// evidence gathers what the record tells about values that may differ.
func (j *Judge) evidence(r *understudyv1.Replay) *noise.Evidence {
	x, o := r.GetExchange(), r.GetCandidate()
	slack := x.GetDurationNano() + max(o.GetAckServiceNano(), o.GetCompletion().GetServiceNano())
	e := &noise.Evidence{
		BaselineTime: time.Unix(0, x.GetStartUnixNano()), CandidateTime: time.Unix(0, r.GetSentUnixNano()),
		Slack: time.Duration(slack), Skew: j.cfg.Skew, Speed: r.GetSpeed(),
		BaselineHost: x.GetRequest().GetAuthority(),
		Sent:         j.sent(x.GetRequest()),
	}
	for _, s := range r.GetSubstitutions() {
		e.Rename(s.GetRecorded(), s.GetCandidate())
	}
	return e
}

// sent is all that the client sent and that an answer may repeat: the target
// first, the body, the fields that are not those of connection and tracing.
func (j *Judge) sent(q *understudyv1.Request) [][]byte {
	out := [][]byte{q.GetTarget(), q.GetBody().GetContent()}
	if plain, err := url.QueryUnescape(string(q.GetTarget())); err == nil && plain != string(q.GetTarget()) {
		out = append(out, []byte(plain))
	}
	for _, h := range q.GetHeaders() {
		if !j.headers.ignores(strings.ToLower(h.GetName())) {
			out = append(out, h.GetValue())
		}
	}
	return out
}
