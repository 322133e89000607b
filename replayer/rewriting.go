package replayer

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"understudy.dev/replayer/rewrite"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// rewrite changes a request that was built by the rules of the run, and notes in
// the replay what they changed.
func (r *Replayer) rewrite(replay *understudyv1.Replay, q *http.Request, body []byte) ([]byte, error) {
	if len(r.rules) == 0 {
		return body, nil
	}
	before := targetOf(q.URL, r.to.base())
	x := &rewrite.Request{Host: q.Host, Target: before, Header: q.Header, Body: body}
	told, err := r.rules.Apply(replay.GetExchange().GetRoute(), x)
	replay.Rewrites = told
	if err == nil && !sendableTarget([]byte(x.Target)) {
		err = errors.New("rewrite: no request line can carry the target that comes out")
	}
	if err != nil {
		return body, err
	}
	q.Host = x.Host
	if x.Target != before {
		u := r.to.base()
		aim(u, x.Target)
		q.URL = u
	}
	return x.Body, nil
}

// targetOf is what aim has pointed a base address at.
func targetOf(u, base *url.URL) string {
	path := u.Opaque
	if path == "" {
		path = u.EscapedPath()
	}
	if path != "*" {
		path = strings.TrimPrefix(path, strings.TrimSuffix(base.EscapedPath(), "/"))
	}
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + u.RawQuery
	}
	return path
}

// kindRewrite is how the books call requests that were not sent because a rule
// failed on them.
var kindRewrite = understudyv1.Label(understudyv1.TransportError_KIND_REWRITE)

// notRewritten says of a request that a rule failed on it, and so nothing was sent.
func notRewritten(err error) *understudyv1.Observation {
	return &understudyv1.Observation{Error: &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_REWRITE, Message: "the request was not sent: " + err.Error()}}
}
