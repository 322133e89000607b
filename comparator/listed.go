package comparator

import (
	"slices"
	"strings"
	"time"
)

// ListedRule is a rule as it is shown to people: one that holds by default or
// one of the user.
type ListedRule struct {
	Name string `json:"name"`
	// Class is the noise class of what it covers, which is where it is seen.
	Class string `json:"class"`
	// State is on, off (switched off by Config.DefaultRulesOff) or expired.
	State string `json:"state"`
	// Owner is OwnRules for a default rule.
	Owner   string `json:"owner"`
	Covers  string `json:"covers"`
	Reason  string `json:"reason"`
	Expires string `json:"expires,omitempty"`
}

// OwnRules is the owner of the default rules.
const OwnRules = "understudy"

// The states of a ListedRule.
const (
	RuleOn      = "on"
	RuleOff     = "off"
	RuleExpired = "expired"
)

// List lists the user's rules, which are asked first, and the default ones, as
// they stand at a moment.
func (c Config) List(now time.Time) []ListedRule {
	out := []ListedRule{}
	for _, r := range c.Rules {
		l := ListedRule{
			Name: r.Name, Class: ruleClass + r.Name, State: RuleOn, Owner: r.Owner, Covers: r.describe(), Reason: r.Reason, Expires: r.Expires,
		}
		if end, err := r.expiry(); err == nil && !end.IsZero() && !now.Before(end) {
			l.State = RuleExpired
		}
		out = append(out, l)
	}
	if len(c.IgnoreHeaders) > 0 {
		out = append(out, ListedRule{
			Name: headersRule, Class: ruleClass + headersRule, State: RuleOn, Covers: "headers and trailers " + strings.Join(c.IgnoreHeaders, ", "), Reason: "configured",
		})
	}
	for _, r := range DefaultRules() {
		l := ListedRule{Name: r.Name, Class: defaultClass + r.Name, State: RuleOn, Owner: OwnRules, Covers: r.Covers, Reason: r.Reason}
		if slices.Contains(c.DefaultRulesOff, r.Name) {
			l.State = RuleOff
		}
		out = append(out, l)
	}
	return out
}

// describe says what a rule does and where.
func (r Rule) describe() string {
	what := r.Action
	switch r.Action {
	case actionIgnore:
		kinds := r.Kinds
		if len(kinds) == 0 {
			for _, k := range defaultKinds() {
				kinds = append(kinds, string(k))
			}
		}
		what += " " + strings.Join(kinds, ", ")
	case actionTolerance:
		what += " " + r.Tolerance
	case actionKeyed:
		what += " by " + r.Key
	}
	what += " at " + r.Path
	if r.Route != "" {
		what += " of " + r.Route
	}
	return what
}
