package comparator

import (
	"fmt"
	"math/big"
	"path"
	"strings"
	"time"

	"understudy.dev/comparator/diff"
)

// rule is a Rule made ready.
type rule struct {
	Rule
	expires   time.Time
	segments  []string
	tolerance tolerance
}

// tolerance is an exact bound for numbers.
type tolerance struct {
	bound    *big.Rat
	relative bool
}

func parseTolerance(s string) (tolerance, error) {
	text, relative := strings.CutSuffix(s, "%")
	bound, ok := new(big.Rat).SetString(text)
	if !ok || bound.Sign() < 0 || len(text) > 40 || strings.ContainsAny(text, "eE/") {
		return tolerance{}, fmt.Errorf("tolerance %q: want a number that is not negative, or a percentage", s)
	}
	if relative {
		bound.Quo(bound, big.NewRat(100, 1))
	}
	return tolerance{bound, relative}, nil
}

// maxExact is the length of number texts that are computed with exactly; a
// longer one, or one with an exponent, is never within a tolerance.
const maxExact = 60

func (t tolerance) within(baseline, candidate string) bool {
	if len(baseline) > maxExact || len(candidate) > maxExact || strings.ContainsAny(baseline+candidate, "eE/") {
		return false
	}
	b, okB := new(big.Rat).SetString(baseline)
	c, okC := new(big.Rat).SetString(candidate)
	if !okB || !okC {
		return false
	}
	bound := t.bound
	if t.relative {
		bound = new(big.Rat).Mul(bound, new(big.Rat).Abs(b))
	}
	return c.Sub(c, b).Abs(c).Cmp(bound) <= 0
}

func compileRules(rs []Rule) ([]rule, error) {
	var out []rule
	for _, r := range rs {
		c := rule{Rule: r, segments: split(r.Path)}
		var err error
		if c.expires, err = r.expiry(); err != nil {
			return nil, err
		}
		if r.Action == actionTolerance {
			if c.tolerance, err = parseTolerance(r.Tolerance); err != nil {
				return nil, err
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// split cuts a folded path into segments; [] is a segment of its own.
func split(p string) []string {
	p = strings.ReplaceAll(p, "[]", ".[]")
	return strings.Split(p, ".")
}

// rules are those that hold for one replay.
type rules []*rule

func (j *Judge) rulesFor(route string, closed time.Time) rules {
	var out rules
	for i := range j.rules {
		r := &j.rules[i]
		if !r.expires.IsZero() && !closed.Before(r.expires) {
			continue
		}
		if ok, err := path.Match(r.Route, route); r.Route != "" && (err != nil || !ok) && !routeMatches(r.Route, route) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// routeMatches compares segment by segment, so that * stands for {id} and the
// like.
func routeMatches(pattern, route string) bool {
	ps, rs := strings.Split(pattern, "/"), strings.Split(route, "/")
	if len(ps) != len(rs) {
		return false
	}
	for i := range ps {
		if ok, err := path.Match(ps[i], rs[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// forPath gives the first rule of an action that covers a path.
func (rs rules) forPath(action, folded string) *rule {
	var segments []string
	for _, r := range rs {
		if r.Action != action {
			continue
		}
		if segments == nil {
			segments = split(folded)
		}
		if matches(r.segments, segments) {
			return r
		}
	}
	return nil
}

// matches: * is one segment, ** any number of them.
func matches(pattern, segments []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(segments) + 1 {
				if matches(pattern[1:], segments[i:]) {
					return true
				}
			}
			return false
		}
		if len(segments) == 0 || pattern[0] != "*" && !strings.EqualFold(pattern[0], segments[0]) {
			return false
		}
		pattern, segments = pattern[1:], segments[1:]
	}
	return len(segments) == 0
}

// arrays is the policy of the rules for the array at a folded path.
func (rs rules) arrays(folded string) diff.Policy {
	if r := rs.forPath(actionKeyed, folded); r != nil {
		return diff.Policy{Key: r.Key}
	}
	return diff.Policy{Unordered: rs.forPath(actionUnordered, folded) != nil}
}

// class is the noise class that the rules give a difference, "" for none.
func (rs rules) class(d Difference) string {
	if r := rs.forPath(actionIgnore, d.Path); r != nil {
		return "rule:" + r.Name
	}
	if d.Kind == Value {
		if r := rs.forPath(actionTolerance, d.Path); r != nil && r.tolerance.within(d.Baseline, d.Candidate) {
			return "rule:" + r.Name
		}
	}
	return ""
}
