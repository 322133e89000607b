package comparator

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"understudy.dev/comparator/diff"
	"understudy.dev/exchange/route"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// rule is a Rule made ready.
type rule struct {
	Rule
	expires   time.Time
	routes    route.Pattern
	pattern   []segment
	tolerance tolerance
}

// tolerance is an exact bound for numbers.
type tolerance struct {
	bound    *big.Rat
	relative bool
}

func parseTolerance(s string) (tolerance, error) {
	text, relative := strings.CutSuffix(s, "%")
	bound, ok := exact(text)
	if !ok || bound.Sign() < 0 {
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

// exact reads a decimal number: digits, one point, a sign.
func exact(text string) (*big.Rat, bool) {
	digits := strings.TrimPrefix(text, "-")
	if len(text) > maxExact || strings.Trim(digits, "0123456789.") != "" {
		return nil, false // an exponent, a fraction, or digits of another base
	}
	return new(big.Rat).SetString(text)
}

func (t tolerance) within(baseline, candidate string) bool {
	b, okB := exact(baseline)
	c, okC := exact(candidate)
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
		if isFieldPath(r.Path) {
			r.Path = strings.ToLower(r.Path) // as names of fields are
		}
		c := rule{Rule: r}
		var err error
		if c.pattern, err = splitPath(r.Path); err != nil {
			return nil, err
		}
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

// rules are those that hold for one replay: the user's own and those that
// hold by default.
type rules struct {
	own      []*rule
	defaults defaults
	marks    marks
	oneKey   bool // made all tokens of redaction, so that they are compared as what they stand for
}

func (j *Judge) rulesFor(r *understudyv1.Replay) rules {
	out := rules{defaults: j.defaults, marks: marksOf(r), oneKey: underOneKey(r)}
	name, closed := r.GetExchange().GetRoute(), time.Unix(0, r.GetClosedUnixNano())
	for i := range j.rules {
		r := &j.rules[i]
		if !r.expires.IsZero() && !closed.Before(r.expires) {
			continue
		}
		if r.routes.Match(name) {
			out.own = append(out.own, r)
		}
	}
	return out
}

// underOneKey: the tokens of the two answers were made with the same key.
func underOneKey(r *understudyv1.Replay) bool {
	return r.GetRedactionKey() != "" && r.GetExchange().GetRedactionKey() == r.GetRedactionKey()
}

// forPath gives the first rule of an action that covers a path.
func (rs rules) forPath(action, folded string, also func(*rule) bool) *rule {
	var path []segment
	for _, r := range rs.own {
		if r.Action != action || also != nil && !also(r) {
			continue
		}
		if path == nil {
			var err error
			if path, err = splitPath(folded); err != nil {
				return nil // it is no path of a document
			}
		}
		if covers(r.pattern, path) {
			return r
		}
	}
	return nil
}

// arrays gives the policy of the rules for the array at a folded path; nil if
// no rule speaks of arrays.
func (rs rules) arrays() func(folded string) diff.Policy {
	if !slices.ContainsFunc(rs.own, func(r *rule) bool { return r.aligns() }) {
		return nil
	}
	return func(folded string) diff.Policy {
		if r := rs.forPath(actionKeyed, folded, nil); r != nil {
			return diff.Policy{Key: r.Key}
		}
		return diff.Policy{Unordered: rs.forPath(actionUnordered, folded, nil) != nil}
	}
}

// class is the noise class that the rules give a difference, "" for none. The
// user's own rules come first.
func (rs rules) class(d Difference) string {
	ignores := func(r *rule) bool { return r.covers(d.Kind) }
	if r := rs.forPath(actionIgnore, d.Path, ignores); r != nil {
		return ruleClass + r.Name
	}
	if d.Kind == Value {
		if r := rs.forPath(actionTolerance, d.Path, nil); r != nil && r.tolerance.within(d.Baseline, d.Candidate) {
			return ruleClass + r.Name
		}
	}
	if d.Place == InBody && rs.marks.echoed(d) {
		return rs.defaults.class(ownMarks)
	}
	return ""
}

// ruleClass begins the noise class of what a rule of the user covers.
const ruleClass = "rule:"

// anyKind is the member of Rule.Kinds that stands for all.
const anyKind = "all"

// defaultKinds are those that an ignore covers when it names none: another
// value or spelling, not that something is there, is not there, or is another
// thing.
func defaultKinds() []Kind { return []Kind{Value, Order, Body} }

// ruleKinds are those that a rule may name.
func ruleKinds() []Kind { return []Kind{Value, Order, Body, Type, Missing, Extra, Unparsable} }

// covers says whether an ignore covers a kind of difference.
func (r Rule) covers(k Kind) bool {
	if len(r.Kinds) == 0 {
		return slices.Contains(defaultKinds(), k)
	}
	return slices.ContainsFunc(r.Kinds, func(name string) bool { return name == anyKind || name == string(k) })
}

// conflict says why two rules for one place cannot both hold, "" if they can.
func (r Rule) conflict(other Rule) string {
	if normalPath(r.Path) != normalPath(other.Path) || strings.TrimSpace(r.Route) != strings.TrimSpace(other.Route) {
		return r.dead(other)
	}
	one := func(a, b string) bool {
		return r.Action == a && other.Action == b || r.Action == b && other.Action == a
	}
	overlap := slices.ContainsFunc(ruleKinds(), func(k Kind) bool { return r.covers(k) && other.covers(k) })
	switch {
	case r.Action == actionIgnore && other.Action == actionIgnore && overlap,
		r.Action == other.Action && r.Action != actionIgnore:
		return "has the path, route and action of rule " + other.Name
	case one(actionIgnore, actionTolerance) && (r.covers(Value) && r.Action == actionIgnore || other.covers(Value) && other.Action == actionIgnore):
		return "is ignored as well as held to a tolerance: see rule " + other.Name
	case one(actionKeyed, actionUnordered):
		return "is keyed as well as unordered: see rule " + other.Name
	}
	return ""
}

// dead says which of two rules can never take effect, because the other one comes
// before it wherever it holds; "" if none is. A narrower rule may well differ from a
// wider one that comes after it.
func (r Rule) dead(other Rule) string {
	for _, pair := range [...][2]Rule{{r, other}, {other, r}} {
		wide, narrow := pair[0], pair[1]
		before := wide.Action == actionIgnore && wide.covers(Value) && narrow.Action == actionTolerance ||
			wide.Action == actionKeyed && narrow.Action == actionUnordered
		if !before || !wide.includes(narrow) {
			continue
		}
		if narrow.Name == r.Name {
			return "never takes effect: rule " + wide.Name + " comes before it wherever it holds"
		}
		return "comes before rule " + narrow.Name + " wherever that holds, which never takes effect"
	}
	return ""
}

// includes says whether a rule holds at every place of every route at which
// another holds.
func (r Rule) includes(other Rule) bool {
	pattern, err := splitPath(r.Path)
	if err != nil {
		return false
	}
	path, err := splitPath(other.Path)
	if err != nil || !covers(pattern, path) {
		return false
	}
	routes, err := route.ParsePattern(strings.TrimSpace(r.Route))
	return err == nil && (strings.TrimSpace(r.Route) == "" || other.Route != "" && routes.Match(strings.TrimSpace(other.Route)))
}

// normalPath spells equal patterns equally.
func normalPath(p string) string {
	segments, err := splitPath(p)
	if err != nil {
		return p
	}
	if isFieldPath(p) {
		return strings.ToLower(p)
	}
	var b strings.Builder
	for _, s := range segments {
		plain := s.exact && !strings.Contains(s.name, "*")
		fmt.Fprintf(&b, "/%t %t %q", s.element, s.exact && !plain, s.name)
	}
	return b.String()
}

// ignores says whether a rule of the user's covers any place whole.
func (rs rules) ignores() bool {
	return slices.ContainsFunc(rs.own, func(r *rule) bool { return r.Action == actionIgnore })
}
