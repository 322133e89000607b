package explain

import (
	"fmt"
	"strings"
	"time"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// whose says for which request an orphan was.
func whose(o *understudyv1.Orphan) string {
	switch {
	case o.GetExchangeId() == "":
		return "that belongs to no request of the run"
	case o.GetLateAfter() == "timeout":
		return "for exchange " + o.GetExchangeId() + " after the timeout of its completion"
	}
	return "for exchange " + o.GetExchangeId() + ", whose end was no longer waited for"
}

// because says why a finding holds.
func because(v comparator.Verdict, r *understudyv1.Replay, c comparator.Comparison) string {
	o := r.GetCandidate()
	done := o.GetCompletion()
	switch v {
	case comparator.Skipped:
		return "it was not sent: " + r.GetSkipped() + prefixed(" — ", r.GetSkippedDetail())
	case comparator.Orphan:
		return "a completion came by " + understudyv1.Label(r.GetOrphan().GetChannel()) + " " + whose(r.GetOrphan())
	case comparator.Error:
		return "no answer of the " + without(r) + "; see the place transport"
	case comparator.Rejected:
		return fmt.Sprintf("the %s refused what the other side accepted: baseline %d, candidate %d", c.RejectedBy, c.BaselineStatus, c.CandidateStatus)
	case comparator.Lost:
		return fmt.Sprintf("accepted with %d and not completed: %s%s", o.GetAck().GetStatus(), done.GetReason(), prefixed(" — ", done.GetDetail()))
	case comparator.Contradictory:
		return "a later completion says something else than the first; see the place completion"
	case comparator.Mismatch:
		return count(c.Totals.Counting, "place counts", "places count")
	case comparator.Duplicate:
		return fmt.Sprintf("%d completions came by %s, and more than one says what the first one said", done.GetSeen(), understudyv1.Label(done.GetChannel()))
	case comparator.Late:
		return fmt.Sprintf("its deadline was %s after the actual send, and a client that asks without a pause could not have known the answer before %s",
			span(done.GetDeadlineNano()), span(comparator.Earliest(o)))
	case comparator.OutOfOrder:
		return "it completed while earlier requests of its session were provably unfinished, which the baseline had finished before this one began: " + strings.Join(done.GetOvertook(), ", ")
	case comparator.Incomplete:
		return "not compared: " + c.Incomplete
	case comparator.Presumed:
		return count(c.Totals.Presumed, "place differs", "places differ") + " for which only a name or a shape speaks"
	case comparator.Match:
		if c.Totals.Harmless == 0 {
			return "everything was compared, and nothing differs"
		}
		return "everything was compared; " + count(c.Totals.Harmless, "place differs and is", "places differ and are") + " proven harmless"
	}
	return ""
}

// without names the side that gave no answer.
func without(r *understudyv1.Replay) string {
	switch {
	case r.GetCandidate().GetAck() != nil:
		return "baseline"
	case r.GetExchange().GetResponse() != nil:
		return "candidate"
	}
	return "baseline, nor of the candidate"
}

// Completion is how an accepted request ended. Times are from the actual send.
type Completion struct {
	Channel string `json:"channel"`
	Status  uint32 `json:"status"`
	// Failed: the operation itself reported failure.
	Failed bool   `json:"failed"`
	Seen   uint32 `json:"seen"`
	Polls  uint32 `json:"polls"`
	// Location was polled, or is the path of the callback.
	Location string `json:"location,omitempty"`
	// CompletedNS is the first completion, PendingNS the start of the last poll
	// that was told "not yet", AskedNS the start of the one that was told
	// "done"; 0 = none.
	CompletedNS int64 `json:"completed_ns"`
	PendingNS   int64 `json:"pending_ns"`
	AskedNS     int64 `json:"asked_ns"`
	DeadlineNS  int64 `json:"deadline_ns"`
	// EarliestNS is when a client that asks without a pause could have known.
	EarliestNS int64    `json:"earliest_ns"`
	Reason     string   `json:"reason,omitempty"`
	Detail     string   `json:"detail,omitempty"`
	Overtook   []string `json:"overtook,omitempty"`
}

func completionOf(o *understudyv1.Observation) *Completion {
	done := o.GetCompletion()
	if done == nil || done.GetChannel() == understudyv1.Channel_CHANNEL_IMMEDIATE {
		return nil
	}
	c := &Completion{
		Channel: understudyv1.Label(done.GetChannel()), Status: done.GetPayload().GetStatus(), Failed: done.GetFailed(),
		Seen: done.GetSeen(), Polls: done.GetPolls(), Location: done.GetLocation(),
		CompletedNS: done.GetServiceNano(), PendingNS: done.GetPendingNano(), AskedNS: done.GetAskedNano(), DeadlineNS: done.GetDeadlineNano(),
		Reason: done.GetReason(), Detail: done.GetDetail(), Overtook: done.GetOvertook(),
	}
	if c.Seen > 0 {
		c.EarliestNS = comparator.Earliest(o)
	}
	return c
}

func span(nano int64) string { return time.Duration(nano).Round(10 * time.Microsecond).String() }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
