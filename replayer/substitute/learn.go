package substitute

import (
	"net/http"
	"strings"
	"time"

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
	x.Leave()
	x.keepCredentials(promise, answer)
	x.learn(promise, answer, frame, func(names.Pair) bool { return true })
}

// learn is Learn without credentials, of the pairs that isKnown takes.
func (x *Exchange) learn(promise, answer *understudyv1.Response, frame timestamp.Frame, isKnown func(names.Pair) bool) {
	// Trees are larger than bodies, and the record may have to wait.
	defer func() { x.contents = nil }()
	s, recorded := x.session, x.recorded.GetResponse()
	accepted := answer != nil && answer.GetStatus() < 400 && recorded.GetStatus() < 400
	// What failed may have been made all the same, and two may refuse alike; what the
	// candidate alone refused is another's.
	if !accepted && answer != nil && names.IsRefusal(recorded.GetStatus()) == names.IsRefusal(outcome(recorded, promise, answer)) {
		accepted = message.First(recorded.GetHeaders(), "Location") != "" && location(promise, answer) != ""
	}
	if accepted {
		lesson, before, body := x.lesson(promise, answer)
		lesson.Frame = &frame
		lesson.Strict = !wrote(lesson.Method) && !ofThing(lesson.Target) || isSearch(lesson.Sent[1])
		shown, plain := x.asRecorded(body)
		lesson.Candidate.Tree = shown.first
		pairs := names.Learn(lesson)
		for i, p := range pairs {
			if own, ok := plain[p.Candidate.Text]; ok {
				pairs[i].Candidate.Text = own
			}
		}
		pairs = append(pairs, asClient(lesson.Target, pairs)...)
		counterpart := isCounterpart(lesson.Sent[1], before.document(), shown.document())
		stood := x.stood(promise, answer, shown)
		s.mu.Lock()
		x.finish()
		for _, p := range pairs {
			if p, ok := x.checked(p, frame.Candidate.From); ok && isKnown(p) && (counterpart && !x.isVague(p) || p.Kind == names.Moment.Kind) {
				if x.renews[thing{p.Kind, p.Baseline.Text}] {
					s.pairs.Forget(p.Kind, p.Baseline.Text)
					s.memory.created.renew(p.Kind, p.Baseline.Text)
				}
				if at := (names.Place{Kind: p.Kind, Named: true, Scope: p.Scope}); p.Proof == names.Created {
					old, has := s.memory.created.known(at, p.Candidate.Text, (*names.Pairs).For)
					switch has = has && old.Baseline.Text != p.Baseline.Text; {
					case has && s.memory.created.isOver(old):
						s.memory.created.renew(old.Kind, old.Baseline.Text)
					case has && isWhole(old) && isWhole(p):
						s.add(old) // two things of two sessions, and one name: the record says so
					}
					s.free(at, p)
				}
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
		x.answerHanded(body)
		s.mu.Unlock()
		s.memory.trim()
	}
	x.origin.settle(accepted)
}

// finish ends the pair of what the request deleted, now that both sides did. The
// session's mu is held.
func (x *Exchange) finish() {
	if p, ok := x.session.pairs.Of(names.Place{Kind: x.removes.kind, Named: true}, x.removes.name); ok && x.removes.name != "" && p.Holds() {
		x.memory.created.finish(thing{p.Kind, p.Baseline.Text}, p.Candidate.Text)
	}
}

// asRecorded is an answer of the candidate as it would have been recorded, since
// it is compared with a recorded one, and what the tokens in it stand for.
func (x *Exchange) asRecorded(c *content) (*content, map[string]string) {
	e := x.recorded
	if !x.redactsBodies() {
		return c, nil
	}
	body, plain := x.memory.Redactor.Body(e, message.First(c.of.GetHeaders(), "Content-Type"), c.plain)
	return newContent(c.of, body), plain
}

// Settle ends what is known of an exchange; without an answer learned before,
// it counts as never done.
func (x *Exchange) Settle() {
	if x != nil {
		x.Leave()
		x.origin.settle(false)
	}
}

func (x *Exchange) lesson(promise, answer *understudyv1.Response) (l names.Lesson, before, after *content) {
	q, recorded := x.recorded.GetRequest(), x.recorded.GetResponse()
	before, after = x.content(recorded), x.content(answer)
	return names.Lesson{
		Exchange: x.recorded.GetId(), Method: q.GetMethod(), Target: string(q.GetTarget()), Sent: x.sent(),
		Baseline: names.Answer{
			Status: recorded.GetStatus(), Location: message.First(recorded.GetHeaders(), "Location"), Links: linkFields(recorded),
			Tree: before.first,
		},
		Candidate: names.Answer{Status: outcome(recorded, promise, answer), Location: location(promise, answer), Links: linkFields(answer), Tree: after.first},
	}, before, after
}

// outcome is the status of the candidate's answer. What it had taken on, and has
// said nothing better of than where the job is, was not refused, whatever the
// status of its end says, and may have failed as on the baseline.
func outcome(recorded, promise, answer *understudyv1.Response) uint32 {
	status := answer.GetStatus()
	switch taken := promise != nil && promise != answer && promise.GetStatus() < 400; {
	case !taken || message.First(answer.GetHeaders(), "Location") != "":
		return status
	case recorded.GetStatus() >= 400:
		return recorded.GetStatus()
	case status >= 400:
		return http.StatusInternalServerError
	}
	return status
}

// location is where the candidate says that what it made is.
func location(promise, answer *understudyv1.Response) string {
	if at := message.First(answer.GetHeaders(), "Location"); at != "" {
		return at
	}
	return message.First(promise.GetHeaders(), "Location")
}

// linkFields are the fields of an answer that are links, such as Next-Page, and
// of a Link field the targets by their parameters.
func linkFields(a *understudyv1.Response) map[string]string {
	out := map[string]string{}
	for _, h := range a.GetHeaders() {
		name, value := http.CanonicalHeaderKey(h.GetName()), string(h.GetValue())
		switch {
		case !tellsNames(name) || name == "Location":
		case name == "Link":
			for rest := value; ; {
				_, after, opened := strings.Cut(rest, "<")
				target, parameters, closed := strings.Cut(after, ">")
				if !opened || !closed {
					break
				}
				parameters, rest, _ = strings.Cut(parameters, ",")
				out["Link"+parameters] = target
			}
		case names.IsLink(value):
			out[name] = value
		}
	}
	return out
}

// checked makes a created pair an aligned one if an earlier answer of the
// session had shown the name: then it was not made now. One that something else
// contradicts is not learned: the candidate's name is known to be that of
// another thing.
func (x *Exchange) checked(p names.Pair, sent time.Time) (names.Pair, bool) {
	s := x.session
	if p.Kind == names.Moment.Kind {
		return p, true
	}
	at := names.Place{Kind: p.Kind, Named: true, Scope: p.Scope}
	if p.Proof == names.Created {
		for _, e := range s.made.find(at, p.Baseline.Text) {
			// What was made twice contradicts itself, and both are broken.
			if e.since() < x.origin.sequence && !e.created && !s.memory.created.isGone(p.Kind, p.Baseline.Text, []entry{e}) {
				p.Proof = names.Aligned
			}
		}
		if p.Renames() && x.taken(at, p.Candidate.Text, sent) {
			return p, false
		}
	}
	if other, ok := s.memory.created.known(at, p.Candidate.Text, (*names.Pairs).For); ok && p.Proof != names.Created && other.Baseline.Text != p.Baseline.Text {
		return p, false
	}
	return p, true
}

// isVague says whether what a pair names is only known by a target that says
// little, so that it may stand nowhere.
func (x *Exchange) isVague(p names.Pair) bool {
	return x.loose && !names.IsUnmistakable(p.Baseline.Text) && p.Kind == names.Family(string(x.recorded.GetRequest().GetTarget()), nil)
}

// taken says whether a name that the candidate gave was already that of
// something: it had shown it before, or the client had used it.
func (x *Exchange) taken(at names.Place, name string, sent time.Time) bool {
	if x.session.memory.created.had(at, name, x.origin, sent) {
		return true
	}
	for _, e := range x.session.made.find(at, name) {
		if e.by == nil && e.since() < x.origin.sequence {
			return true
		}
	}
	return false
}

// isWhole says whether the candidate's name is that of one thing in all of the run: a
// short number may count within something that the pair does not say.
func isWhole(p names.Pair) bool {
	return names.IsUnmistakable(p.Candidate.Text) || names.IsDigits(p.Candidate.Text) && len(p.Candidate.Text) >= leastWhole
}

// leastWhole is how many digits a number has at least that is.
const leastWhole = 5

// stood are the names in the candidate's answer.
func (x *Exchange) stood(promise, answer *understudyv1.Response, body *content) []names.Name {
	q := x.recorded.GetRequest()
	f := names.NewFinder(string(q.GetTarget()), nil).Answering(q.GetMethod())
	answers(f, q.GetMethod(), answer.GetHeaders(), body)
	fields(f, answer.GetHeaders(), tellsNames)
	fields(f, answer.GetTrailers(), tellsNames)
	inSetCookies(f, answer.GetHeaders())
	if promise != nil && promise != answer {
		fields(f, promise.GetHeaders(), tellsNames)
	}
	found, _ := f.Found()
	if wrote(q.GetMethod()) {
		target := string(q.GetTarget())
		family := names.Family(target, nil)
		found = append(found, aliases(target, family, body)...)
		found = append(found, asCalled(target, family, found)...)
	}
	return append(found, cursors(body.document())...)
}

func (s *session) stand(n names.Name, by *origin) {
	kind := kindAt(n.Place)
	if s.stood.has(n.Place, n.Value.Text, func(e *entry) bool { return e.by == by && e.kind == kind }) {
		return
	}
	grown, _ := s.stood.add(n.Value.Text, entry{kind: kind, by: by}, MaxNames)
	s.grow(grown)
	if p, known := s.pairs.For(n.Place, n.Value.Text); known && p.Holds() && p.Baseline.Text != n.Value.Text {
		return // the baseline calls another thing so, if any
	}
	if _, made := s.memory.created.known(n.Place, n.Value.Text, (*names.Pairs).For); !made && (kind != "" || names.IsUnmistakable(n.Value.Text)) {
		s.memory.created.show(n.Value.Text, entry{kind: kind, by: by})
	}
}
