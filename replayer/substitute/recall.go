package substitute

import (
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/timestamp"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Recall is Learn from a replay's record, which another process has written with
// tokens in the place of secrets: names are learned, but the credentials that
// the candidate gave are not known here. A request that shows one is unresolved.
func (x *Exchange) Recall(promise, answer *understudyv1.Response, frame timestamp.Frame) {
	if x == nil {
		return
	}
	x.Leave()
	c := &x.memory.credentials
	x.session.mu.Lock()
	c.mu.Lock()
	for _, g := range x.gives {
		g.credential.elsewhere = true
	}
	for _, a := range []*understudyv1.Response{promise, answer} {
		if message.First(a.GetHeaders(), "Set-Cookie") != "" {
			x.session.jar.elsewhere = x.recorded.GetId()
		}
	}
	c.mu.Unlock()
	x.session.mu.Unlock()
	x.learn(promise, answer, frame, func(p names.Pair) bool { return !redact.HasToken(p.Candidate.Text) })
}

// withheld says which credential the request shows that the candidate gave to
// another process; nil if there is none. The session's mu is held.
func (x *Exchange) withheld() *Unresolved {
	if from := x.session.jar.elsewhere; from != "" && message.First(x.recorded.GetRequest().GetHeaders(), "Cookie") != "" {
		return &Unresolved{"cookie", secret, from, whyElsewhere}
	}
	c := &x.memory.credentials
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range x.shows {
		if v.elsewhere && v.value == "" && v.cookie == nil {
			return &Unresolved{"credential", secret, v.by.exchange, whyElsewhere}
		}
	}
	return nil
}
