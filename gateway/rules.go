package gateway

import (
	"net/http"
	"slices"

	"understudy.dev/exchange/session"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

var baseline, candidate = understudyv1.Label(understudyv1.Side_SIDE_BASELINE), understudyv1.Label(understudyv1.Side_SIDE_CANDIDATE)

// pins are the rules, those of each side together.
type pins struct{ baseline, candidate []Rule }

func newPins(rules []Rule) pins {
	var p pins
	for _, r := range rules {
		r.Header = http.CanonicalHeaderKey(r.Header)
		if r.Side == candidate {
			p.candidate = append(p.candidate, r)
		} else {
			p.baseline = append(p.baseline, r)
		}
	}
	return p
}

func pinned(rules []Rule, token string, from session.Source) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.match(token, from) })
}

func (r Rule) match(token string, from session.Source) bool {
	fits := func(v string) bool { return len(r.Values) == 0 || slices.Contains(r.Values, v) }
	switch {
	case r.Header != "":
		return slices.ContainsFunc(from.Header(r.Header), fits)
	case r.Cookie != "":
		return slices.ContainsFunc(from.Header("Cookie"), func(line string) bool {
			v := session.Cookie(line, r.Cookie)
			return v != "" && fits(v)
		})
	}
	return slices.Contains(r.Sessions, token)
}
