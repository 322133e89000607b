package audit

import (
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// outcomeKind is a kind of fault in what became of a request; the verdict must
// be among the findings.
func outcomeKind(name string, v comparator.Verdict, fits func(s *subject) bool, put func(r *understudyv1.Replay)) kind {
	return kind{name, Outcomes, func(s *subject, _ int) []plant {
		if !fits(s) {
			return nil
		}
		return []plant{{place: comparator.InCompletion, path: "completion", finding: v, put: put}}
	}}
}

func accepted(s *subject) bool { return s.final.GetStatus() < 400 }
func refused(s *subject) bool  { return !accepted(s) }
func later(s *subject) bool    { return s.later }

func calledBack(s *subject) bool {
	return s.later && s.completion().GetChannel() != understudyv1.Channel_CHANNEL_POLL
}

func (s *subject) completion() *understudyv1.Completion {
	return s.replay.GetCandidate().GetCompletion()
}

var outcomeKinds = []kind{
	{"another status", Outcomes, func(s *subject, _ int) []plant {
		return []plant{{place: comparator.InStatus, path: "status", put: func(r *understudyv1.Replay) {
			final, _ := finalOf(r)
			final.Status = anotherStatus(final.GetStatus())
		}}}
	}},
	outcomeKind("refused", comparator.Rejected, accepted, func(r *understudyv1.Replay) { answerWith(r, 409, `{"error":"planted by the audit"}`) }),
	outcomeKind("accepted what the baseline refused", comparator.Rejected, refused, func(r *understudyv1.Replay) {
		answerWith(r, 200, `{"planted":"by the audit"}`)
	}),
	outcomeKind("no answer", comparator.Error, func(*subject) bool { return true }, func(r *understudyv1.Replay) {
		r.Candidate.Ack, r.Candidate.Completion = nil, nil
		r.Candidate.Error = &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_RESET, Message: "planted by the audit"}
	}),
	{"gRPC status", Outcomes, func(s *subject, _ int) []plant {
		if message.First(s.final.GetTrailers(), "Grpc-Status") != "0" {
			return nil
		}
		return []plant{{place: comparator.InTrailer, path: "trailer:grpc-status", finding: comparator.Rejected, put: func(r *understudyv1.Replay) {
			final, _ := finalOf(r)
			for _, h := range final.GetTrailers() {
				if message.First([]*understudyv1.Header{h}, "Grpc-Status") != "" {
					h.Value = []byte("13")
				}
			}
		}}}
	}},
	outcomeKind("completion lost", comparator.Lost, later, func(r *understudyv1.Replay) {
		done := r.GetCandidate().GetCompletion()
		done.Seen, done.Payload, done.Later, done.Reason = 0, nil, nil, "timeout"
	}),
	outcomeKind("operation failed", comparator.Rejected, func(s *subject) bool { return s.later && accepted(s) && !s.completion().GetFailed() }, func(r *understudyv1.Replay) {
		r.GetCandidate().GetCompletion().Failed = true
	}),
	outcomeKind("completed late", comparator.Late, func(s *subject) bool { return s.later && s.completion().GetDeadlineNano() > 0 }, func(r *understudyv1.Replay) {
		const second = 1_000_000_000
		done := r.GetCandidate().GetCompletion()
		more := done.GetDeadlineNano() + second - done.GetServiceNano()
		done.PendingNano, done.AskedNano = done.GetDeadlineNano()+second, 0
		done.ServiceNano += more
		done.LatencyNano += more
	}),
	outcomeKind("completed before an earlier request", comparator.OutOfOrder, later, func(r *understudyv1.Replay) {
		r.GetCandidate().GetCompletion().Overtook = []string{"planted by the audit"}
	}),
	outcomeKind("completed twice", comparator.Duplicate, calledBack, func(r *understudyv1.Replay) {
		again(r, &understudyv1.Sighting{})
	}),
	outcomeKind("completed twice, the second time otherwise", comparator.Contradictory, later, func(r *understudyv1.Replay) {
		other := proto.CloneOf(r.GetCandidate().GetCompletion().GetPayload())
		setBody(other, []byte(`{"planted":"by the audit"}`), "")
		again(r, &understudyv1.Sighting{Payload: other})
	}),
	outcomeKind("completed twice, the second time failed", comparator.Contradictory, later, func(r *understudyv1.Replay) {
		again(r, &understudyv1.Sighting{Failed: !r.GetCandidate().GetCompletion().GetFailed()})
	}),
}

func again(r *understudyv1.Replay, s *understudyv1.Sighting) {
	done := r.GetCandidate().GetCompletion()
	s.ServiceNano = done.GetServiceNano()
	done.Later = append(done.Later, s)
	done.Seen++
}

// answerWith gives another answer altogether.
func answerWith(r *understudyv1.Replay, status uint32, body string) {
	final, _ := finalOf(r)
	final.Status, final.Trailers = status, nil
	final.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}
	final.Body = message.BodyOf([]byte(body))
}

// anotherStatus is one of the same class.
func anotherStatus(status uint32) uint32 {
	other := map[uint32]uint32{2: 203, 3: 307, 4: 418, 5: 507}[status/100]
	if other == status || other == 0 {
		return status + 1
	}
	return other
}
