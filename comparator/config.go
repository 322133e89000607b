package comparator

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Config says how replays are judged. Everything that decides a verdict is in
// it.
type Config struct {
	// Skew is how far apart the distances of two generated times from their
	// own requests may be, beyond the durations of both; default 5 s.
	Skew time.Duration `yaml:"skew"`
	// IgnoreHeaders are response header names (lower case, * at the end
	// allowed) that are not compared, besides the built-in list; see
	// docs/compare.md.
	IgnoreHeaders []string `yaml:"ignore_headers"`
	// ExactStatus compares the status of a polled or called-back completion
	// exactly instead of by success or failure.
	ExactStatus bool `yaml:"exact_status"`
	// MaxDifferences is how many differences are kept of one replay; the rest
	// is counted. Default 100.
	MaxDifferences int `yaml:"max_differences"`
	// MaxDecoded bounds a body after its content coding is removed, in bytes;
	// default 8 MiB.
	MaxDecoded int64 `yaml:"max_decoded"`
	// Rules change how places are compared.
	Rules []Rule `yaml:"rules"`
}

// Rule changes the judgement of places. It has an owner and a reason, and it
// can expire, so that no rule hides something for ever.
type Rule struct {
	Name   string `yaml:"name"`
	Owner  string `yaml:"owner"`
	Reason string `yaml:"reason"`
	// Expires is a day, YYYY-MM-DD; replays closed after it are judged without
	// the rule. Empty never expires.
	Expires string `yaml:"expires"`
	// Route is a pattern of path.Match for the route, "POST /orders/*"; empty
	// is every route.
	Route string `yaml:"route"`
	// Path is a pattern for the folded path: * stands for one segment or a part
	// of one, ** for any number of segments.
	Path string `yaml:"path"`
	// Action is ignore (the difference is noise), tolerance (numbers may
	// differ by Tolerance), unordered or keyed (how the array is aligned).
	Action string `yaml:"action"`
	// Tolerance is absolute; with a % at the end it is relative to the
	// baseline.
	Tolerance string `yaml:"tolerance"`
	// Key is the member by which the objects of an array are paired.
	Key string `yaml:"key"`
}

// The actions of rules.
const (
	actionIgnore    = "ignore"
	actionTolerance = "tolerance"
	actionUnordered = "unordered"
	actionKeyed     = "keyed"
)

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	return Config{Skew: 5 * time.Second, MaxDifferences: 100, MaxDecoded: 8 << 20}
}

// Validate reports every mistake in the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.Skew < 0 || c.MaxDifferences < 1 || c.MaxDecoded < 1 {
		errs = append(errs, errors.New("compare: skew must not be negative, max_differences and max_decoded at least 1"))
	}
	seen := map[string]bool{}
	for i, r := range c.Rules {
		for _, err := range r.problems() {
			errs = append(errs, fmt.Errorf("compare.rules[%d] %q: %w", i, r.Name, err))
		}
		if seen[r.Name] {
			errs = append(errs, fmt.Errorf("compare.rules[%d]: name %q is used twice", i, r.Name))
		}
		seen[r.Name] = true
	}
	return errors.Join(errs...)
}

func (r Rule) problems() []error {
	var errs []error
	if r.Name == "" || r.Owner == "" || r.Reason == "" {
		errs = append(errs, errors.New("name, owner and reason are needed"))
	}
	if _, err := path.Match(r.Route, ""); err != nil {
		errs = append(errs, fmt.Errorf("route pattern %q: %w", r.Route, err))
	}
	if !strings.HasPrefix(r.Path, "$") && !strings.HasPrefix(r.Path, headerPath) {
		errs = append(errs, fmt.Errorf("path %q must begin with $ or with header: and a name", r.Path))
	}
	if _, err := r.expiry(); err != nil {
		errs = append(errs, fmt.Errorf("expires %q: want YYYY-MM-DD", r.Expires))
	}
	if !slices.Contains([]string{actionIgnore, actionTolerance, actionUnordered, actionKeyed}, r.Action) {
		errs = append(errs, fmt.Errorf("action %q is none of ignore, tolerance, unordered, keyed", r.Action))
	}
	if _, err := parseTolerance(r.Tolerance); r.Action == actionTolerance && err != nil {
		errs = append(errs, err)
	}
	if (r.Action == actionKeyed) != (r.Key != "") {
		errs = append(errs, errors.New("key belongs to the action keyed, and only to it"))
	}
	return errs
}

// expiry is the first moment at which the rule no longer holds; zero is never.
func (r Rule) expiry() (time.Time, error) {
	if r.Expires == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, r.Expires)
	return day.AddDate(0, 0, 1), err
}
