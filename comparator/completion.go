package comparator

import (
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Both values of a contradiction are the candidate's own, and say so.
const (
	firstCompletion = "first completion: "
	laterCompletion = "later completion: "
)

// completion judges how a completion came about: what the record says of when
// the operation ended, and of the completions after the first.
func (j *Judge) completion(c *collector, r *understudyv1.Replay, done *understudyv1.Completion) {
	again := j.again(c, r, done)
	// Completions that were not kept were seen all the same.
	again = again || int(done.GetSeen()) > 1+len(done.GetLater())
	if again && done.GetChannel() != understudyv1.Channel_CHANNEL_POLL {
		c.find(Duplicate) // a monitor repeats itself because we ask again
	}
	if d := done.GetDeadlineNano(); d > 0 && Earliest(r.GetCandidate()) > d {
		c.find(Late)
	}
	if len(done.GetOvertook()) > 0 {
		c.find(OutOfOrder)
	}
}

// again judges the completions after the first and says whether one agrees with
// it. Each that does not is a difference.
func (j *Judge) again(c *collector, r *understudyv1.Replay, done *understudyv1.Completion) (agreed bool) {
	contradicted := false
	for _, s := range done.GetLater() {
		if s.GetFailed() == done.GetFailed() && j.agree(r, s) {
			agreed = true
			continue
		}
		other := s.GetPayload()
		if other == nil { // the same words, the other outcome
			other = done.GetPayload()
		}
		c.add(Difference{
			Place: InCompletion, Path: "completion", Location: "completion", Kind: Outcome,
			Baseline: firstCompletion + describe(done.GetPayload()), Candidate: laterCompletion + describe(other),
		})
		contradicted = true
	}
	if contradicted {
		c.find(Contradictory)
	}
	return agreed
}

// agree says whether a later completion says what the first one said. They are
// compared as two answers to one request, with all rules, the default ones too;
// no name may be another, and no token, because one side gave both: only a time
// that it may have made anew, and the fields of what delivered them.
func (j *Judge) agree(r *understudyv1.Replay, s *understudyv1.Sighting) bool {
	if s.GetPayload() == nil {
		return true
	}
	x, done := r.GetExchange(), r.GetCandidate().GetCompletion()
	two := &understudyv1.Replay{
		Exchange: &understudyv1.Exchange{
			Id: x.GetId(), Session: x.GetSession(), Route: x.GetRoute(), Request: x.GetRequest(), Response: done.GetPayload(),
			StartUnixNano: r.GetSentUnixNano(), DurationNano: done.GetServiceNano(),
		},
		SentUnixNano: r.GetSentUnixNano(), ClosedUnixNano: r.GetClosedUnixNano(), Speed: 1,
		Candidate: &understudyv1.Observation{Completion: &understudyv1.Completion{Channel: done.GetChannel(), ServiceNano: s.GetServiceNano()}},
	}
	found := &collector{max: 1} // one that counts takes the place of noise
	j.compareOwn(found, two, done.GetPayload(), s.GetPayload())
	all := found.out.Totals
	return all.Counting == 0 && all.Presumed == 0 && len(found.reasons) == 0
}

// Earliest is the least time from the actual send at which a client that had
// asked without a pause would have known how its request ended, nanoseconds;
// that we sent late, or asked late, is not the candidate's. A client cannot ask
// before the acknowledgement has told it where, nor know while the answer is
// "not yet", and has to wait as long for the final answer as we did. What our
// process did not run is not the candidate's either.
func Earliest(o *understudyv1.Observation) int64 {
	done := o.GetCompletion()
	if done.GetChannel() != understudyv1.Channel_CHANNEL_POLL {
		return done.GetServiceNano() - done.GetStallNano()
	}
	pending := max(done.GetPendingNano(), o.GetAckServiceNano())
	if asked := done.GetAskedNano(); asked > 0 {
		pending += done.GetServiceNano() - asked
	}
	return max(pending-done.GetStallNano(), 0)
}
