package comparator

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"understudy.dev/comparator/diff"
	"understudy.dev/exchange/route"
)

// rule is a Rule made ready.
type rule struct {
	Rule
	expires   time.Time
	routes    route.Pattern
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
		if strings.HasPrefix(r.Path, headerPath) {
			r.Path = strings.ToLower(r.Path) // as names of fields are
		}
		c := rule{Rule: r, segments: split(r.Path)}
		var err error
		if c.expires, err = r.expiry(); err != nil {
			return nil, err
		}
		if c.routes, err = route.ParsePattern(r.Route); err != nil {
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
	if strings.HasPrefix(p, headerPath) {
		return []string{p}
	}
	p = strings.ReplaceAll(p, "[]", ".[]")
	return strings.Split(p, ".")
}

// rules are those that hold for one replay.
type rules []*rule

func (j *Judge) rulesFor(name string, closed time.Time) rules {
	var out rules
	for i := range j.rules {
		r := &j.rules[i]
		if !r.expires.IsZero() && !closed.Before(r.expires) {
			continue
		}
		if r.routes.Match(name) {
			out = append(out, r)
		}
	}
	return out
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

// matches: * is any part of a segment, ** any number of segments.
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
		if len(segments) == 0 || !segmentMatches(pattern[0], segments[0]) {
			return false
		}
		pattern, segments = pattern[1:], segments[1:]
	}
	return len(segments) == 0
}

// segmentMatches: x-*-id covers x-a-id. Array positions are not names, so only
// [] and a * on its own cover them.
func segmentMatches(pattern, segment string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == segment
	}
	if pattern == "*" {
		return true
	}
	if segment == "[]" || !strings.HasPrefix(segment, parts[0]) {
		return false
	}
	segment = segment[len(parts[0]):]
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(segment, part)
		if i < 0 {
			return false
		}
		segment = segment[i+len(part):]
	}
	return strings.HasSuffix(segment, parts[last])
}

// arrays gives the policy of the rules for the array at a folded path; nil if
// no rule speaks of arrays.
func (rs rules) arrays() func(folded string) diff.Policy {
	if !slices.ContainsFunc(rs, func(r *rule) bool { return r.Action == actionKeyed || r.Action == actionUnordered }) {
		return nil
	}
	return func(folded string) diff.Policy {
		if r := rs.forPath(actionKeyed, folded); r != nil {
			return diff.Policy{Key: r.Key}
		}
		return diff.Policy{Unordered: rs.forPath(actionUnordered, folded) != nil}
	}
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
