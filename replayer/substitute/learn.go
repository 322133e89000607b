package substitute

import (
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Learn takes the candidate's final answer, and what it had said when it
// promised one; nil if it answered at once. frame is when both sides worked on
// it. Those who wait for the exchange go on then.
func (x *Exchange) Learn(promise, answer *understudyv1.Response, frame timestamp.Frame) {
	if x == nil {
		return
	}
	s, recorded := x.session, x.recorded.GetResponse()
	x.keepCredentials(promise, answer)
	accepted := answer != nil && answer.GetStatus() < 400 && recorded.GetStatus() < 400
	if accepted {
		body := plain(answer.GetHeaders(), answer.GetBody())
		lesson := x.lesson(promise, answer, body)
		lesson.Frame = &frame
		pairs := names.Learn(lesson)
		stood := x.stood(promise, answer, body)
		s.mu.Lock()
		for _, p := range pairs {
			if p, ok := x.checked(p); ok {
				s.add(p)
				if p.Proof == names.Created {
					s.memory.created.add(p)
				}
			}
		}
		for _, n := range stood {
			s.stand(n, x.origin)
		}
		x.answerVersions(answer)
		s.mu.Unlock()
		s.memory.trim()
	}
	x.origin.settle(accepted)
}

// Settle ends what is known of an exchange; without an answer learned before,
// it counts as never done.
func (x *Exchange) Settle() {
	if x != nil {
		x.origin.settle(false)
	}
}

func (x *Exchange) lesson(promise, answer *understudyv1.Response, body []byte) names.Lesson {
	q, recorded := x.recorded.GetRequest(), x.recorded.GetResponse()
	location := message.First(answer.GetHeaders(), "Location")
	if location == "" {
		location = message.First(promise.GetHeaders(), "Location")
	}
	return names.Lesson{
		Exchange: x.recorded.GetId(), Method: q.GetMethod(), Target: string(q.GetTarget()), Sent: x.sent(),
		Baseline: names.Answer{
			Status: recorded.GetStatus(), Location: message.First(recorded.GetHeaders(), "Location"), Body: plain(recorded.GetHeaders(), recorded.GetBody()),
		},
		Candidate: names.Answer{Status: answer.GetStatus(), Location: location, Body: body},
	}
}

// checked makes a created pair an aligned one if an earlier answer of the
// session had shown the name: then it was not made now.
func (x *Exchange) checked(p names.Pair) (names.Pair, bool) {
	if p.Proof != names.Created {
		return p, true
	}
	for _, e := range x.session.made.find(names.Place{Kind: p.Kind, Named: true}, p.Baseline.Text) {
		if e.by == nil || e.by.sequence < x.origin.sequence {
			p.Proof = names.Aligned
		}
	}
	return p, p.Proof == names.Created || p.Renames()
}

// stood are the names in the candidate's answer.
func (x *Exchange) stood(promise, answer *understudyv1.Response, body []byte) []names.Name {
	q := x.recorded.GetRequest()
	f := names.NewFinder(string(q.GetTarget()), nil).Answering(q.GetMethod())
	if isJSON(answer.GetHeaders(), body) {
		f.JSON(body)
	}
	fields(f, answer.GetHeaders())
	if promise != nil && promise != answer {
		fields(f, promise.GetHeaders())
	}
	found, _ := f.Found()
	return found
}

func (s *session) stand(n names.Name, by *origin) {
	kind := kindAt(n.Place)
	for _, e := range s.stood.find(n.Place, n.Value.Text) {
		if e.by == by && e.kind == kind {
			return
		}
	}
	grown, _ := s.stood.add(n.Value.Text, entry{kind: kind, by: by}, MaxNames)
	s.grow(grown)
}
