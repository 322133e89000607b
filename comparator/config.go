package comparator

import (
	"fmt"
	"os"
	"strings"
	"time"

	"understudy.dev/comparator/media"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/timestamp"
	"understudy.dev/setting"
)

// Config says how replays are judged. Everything that decides a verdict is in
// it.
type Config struct {
	// Skew is how far apart the clocks of the two systems may be: by so much may
	// the times of one event differ; default 1 s.
	Skew time.Duration `yaml:"skew"`
	// IgnoreHeaders are names of response headers and trailers (lower case, * at
	// the end allowed) whose differences are noise of class rule:ignore_headers.
	IgnoreHeaders []string `yaml:"ignore_headers"`
	// DefaultRulesOff are names of default rules that do not hold; see
	// understudy rules list.
	DefaultRulesOff []string `yaml:"default_rules_off"`
	// ExactStatus compares the status of a polled or called-back completion
	// exactly instead of by success or failure.
	ExactStatus bool `yaml:"exact_status"`
	// MaxDifferences is how many differences are kept of one replay; the rest
	// is counted. 1 or more, default 100.
	MaxDifferences int `yaml:"max_differences"`
	// MaxDecoded bounds a body after its content coding is removed, in bytes;
	// default 8 MiB.
	MaxDecoded int64 `yaml:"max_decoded"`
	// DescriptorSet is the path of a file with the protobuf descriptors of gRPC
	// services (protoc --include_imports --descriptor_set_out). Messages of
	// methods that it knows are compared field by field, others by length and
	// hash.
	DescriptorSet string `yaml:"descriptor_set"`
	// Rules change how places are compared.
	Rules []Rule `yaml:"rules"`
}

// Rule changes the judgement of places. It has an owner and a reason, and it
// can expire, so that no rule hides something for ever.
type Rule struct {
	// Name of the rule, unique: what it covers has the noise class rule:NAME.
	Name string `yaml:"name"`
	// Owner and Reason say whom to ask, and why the difference is harmless.
	// Both are needed.
	Owner  string `yaml:"owner"`
	Reason string `yaml:"reason"`
	// Expires is a day, YYYY-MM-DD; replays closed after it are judged without
	// the rule, and a comparison is not started with it. Empty never expires.
	Expires string `yaml:"expires"`
	// Route is a pattern of routes, "POST /orders/*"; empty is every route.
	Route string `yaml:"route"`
	// Path is a pattern for the folded path: * stands for one segment or a part
	// of one, ** for any number of segments; ["a.b"] is a name as it stands.
	Path string `yaml:"path"`
	// Action is ignore (the difference is noise), tolerance (numbers may
	// differ by Tolerance), unordered or keyed (how the array is aligned).
	Action string `yaml:"action"`
	// Kinds are the kinds of difference that an ignore covers: value, order,
	// body, type, missing, extra, unparsable or all; default value, order and
	// body.
	Kinds []string `yaml:"kinds"`
	// Tolerance is absolute; with a % at the end it is relative to the
	// baseline.
	Tolerance string `yaml:"tolerance"`
	// Key is the member by which the objects of an array are paired; it belongs
	// to the action keyed, and only to it.
	Key string `yaml:"key"`
}

// headersRule is the name under which Config.IgnoreHeaders is a rule.
const headersRule = "ignore_headers"

// The actions of rules.
const (
	actionIgnore    = "ignore"
	actionTolerance = "tolerance"
	actionUnordered = "unordered"
	actionKeyed     = "keyed"
)

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	return Config{Skew: timestamp.DefaultSkew, MaxDifferences: 100, MaxDecoded: 8 << 20}
}

// descriptors reads the file DescriptorSet; nil if there is none.
func (c Config) descriptors() (*media.Descriptors, error) {
	if c.DescriptorSet == "" {
		return nil, nil
	}
	set, err := os.ReadFile(c.DescriptorSet)
	if err == nil {
		var d *media.Descriptors
		if d, err = media.ParseDescriptors(set); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("descriptor_set: %w", err)
}

// Validate reports every mistake in the configuration. It looks at no clock;
// see Expired.
func (c Config) Validate() error {
	var ps setting.Problems
	ps.Require(c.Skew >= 0, "skew", c.Skew, "is negative")
	ps.Require(c.MaxDifferences >= 1, "max_differences", c.MaxDifferences, "is less than 1")
	ps.Require(c.MaxDecoded >= 1, "max_decoded", c.MaxDecoded, "is less than 1")
	for i, name := range c.IgnoreHeaders {
		ps.Require(message.IsToken(name), setting.Index("ignore_headers", i), name, "is not the name of a header")
	}
	for i, name := range c.DefaultRulesOff {
		ps.OneOf(setting.Index("default_rules_off", i), name, defaultRuleNames()...)
	}
	seen := map[string]bool{}
	for i, r := range c.Rules {
		at := setting.Index("rules", i)
		ps.Under(at, r.problems().Err())
		ps.Require(r.Name == "" || !seen[r.Name], at+".name", r.Name, "is used twice")
		ps.Require(r.Name != headersRule, at+".name", r.Name, "is what the setting ignore_headers is listed as; use another")
		seen[r.Name] = true
		for _, other := range c.Rules[:i] {
			if fault := r.conflict(other); fault != "" {
				ps.Require(false, at+".path", r.Path, fault)
				break
			}
		}
	}
	return ps.Err()
}

// Expired reports the rules whose last day has passed. They are mistakes where
// a comparison is started, since they would cease to hold without a word.
func (c Config) Expired(now time.Time) error {
	var ps setting.Problems
	for i, r := range c.Rules {
		end, err := r.expiry()
		ps.Require(err != nil || end.IsZero() || now.Before(end), setting.Index("rules", i)+".expires", r.Expires,
			"has passed; extend the rule or delete it")
	}
	return ps.Err()
}

func (r Rule) problems() setting.Problems {
	var ps setting.Problems
	ps.Require(r.Name != "", "name", nil, "is needed")
	ps.Require(r.Owner != "", "owner", nil, "is needed")
	ps.Require(r.Reason != "", "reason", nil, "is needed")
	_, err := route.ParsePattern(r.Route)
	ps.Require(err == nil, "route", r.Route, "is not a pattern")
	begins := strings.HasPrefix(r.Path, "$") || isFieldPath(r.Path)
	ps.Require(begins, "path", r.Path, "does not begin with $, or with header: or trailer: and a name")
	pattern, err := splitPath(r.Path)
	ps.Require(err == nil || !begins, "path", r.Path, "is not a path; "+errPath.Error())
	if err == nil && begins && r.aligns() {
		ps.Require(!isFieldPath(r.Path), "path", r.Path, "names a field; "+r.Action+" belongs to arrays of bodies only")
		ps.Require(isFieldPath(r.Path) || ofElements(pattern), "path", r.Path, "names no elements, so that "+r.Action+" would do nothing; want "+r.Path+"[]")
	}
	_, err = r.expiry()
	ps.Require(err == nil, "expires", r.Expires, "is not a day; want YYYY-MM-DD")
	ps.OneOf("action", r.Action, actionIgnore, actionTolerance, actionUnordered, actionKeyed)
	for i, k := range r.Kinds {
		ps.OneOf(setting.Index("kinds", i), k, kindNames()...)
	}
	ps.Require(len(r.Kinds) == 0 || r.Action == actionIgnore, "kinds", nil, "belong to the action ignore only")
	ps.Require(r.Tolerance == "" || r.Action == actionTolerance, "tolerance", r.Tolerance, "belongs to the action tolerance only")
	_, err = parseTolerance(r.Tolerance)
	ps.Require(err == nil || r.Action != actionTolerance, "tolerance", r.Tolerance, "is not a number that is not negative, or a percentage")
	ps.Require(r.Key != "" || r.Action != actionKeyed, "key", nil, "is needed by the action keyed")
	ps.Require(r.Key == "" || r.Action == actionKeyed, "key", r.Key, "belongs to the action keyed only")
	return ps
}

// aligns: the rule says how an array is aligned, and so is about its elements.
func (r Rule) aligns() bool { return r.Action == actionKeyed || r.Action == actionUnordered }

// expiry is the first moment at which the rule no longer holds; zero is never.
func (r Rule) expiry() (time.Time, error) {
	if r.Expires == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, r.Expires)
	return day.AddDate(0, 0, 1), err
}

// kindNames are the members that Rule.Kinds may have.
func kindNames() []string {
	out := []string{anyKind}
	for _, k := range ruleKinds() {
		out = append(out, string(k))
	}
	return out
}
