package replayer

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/route"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Selection says which exchanges of the recording a run replays: those that meet
// every condition that is given. What is not selected is read all the same: a
// request that needs a name which it made is unresolved.
type Selection struct {
	// From and To bound when an exchange began: a time (RFC 3339), or a duration
	// before now; To is not included. Empty is open.
	From string `yaml:"from"`
	To   string `yaml:"to"`
	// Recorders are the instances to take; none means all.
	Recorders []string `yaml:"recorders"`
	// Routes are patterns of routes, of which one must match; none means all.
	Routes []string `yaml:"routes"`
	// Methods are those to take; none means all.
	Methods []string `yaml:"methods"`
	// Sessions are keys of sessions as the tables have them; none means all.
	Sessions []string `yaml:"sessions"`
	// Headers are fields that the recorded request must have, each with this value;
	// the value "*" takes any. A redacted value is its token.
	Headers map[string]string `yaml:"headers"`
	// Verdicts takes what an earlier run has judged so.
	Verdicts VerdictSelection `yaml:"verdicts"`
}

// VerdictSelection is a choice by the verdicts of an earlier run.
type VerdictSelection struct {
	// Run is the earlier run, as the tables show it; empty chooses nothing.
	Run string `yaml:"run"`
	// Of are the verdicts, at least one.
	Of []string `yaml:"of"`
	// Alone takes only the exchanges themselves. By default their sessions are
	// replayed whole, because requests need what earlier ones made.
	Alone bool `yaml:"alone"`
}

// Validate reports every mistake.
func (s Selection) Validate() error {
	var ps setting.Problems
	for path, text := range map[string]string{"from": s.From, "to": s.To} {
		_, err := Moment(text, time.Now())
		ps.Require(err == nil, path, text, "is neither a time like 2026-11-24T10:00:00Z nor a duration like 15m")
	}
	for i, pattern := range s.Routes {
		_, err := route.ParsePattern(pattern)
		ps.Require(err == nil && pattern != "", setting.Index("routes", i), pattern, "is no pattern of routes")
	}
	for i, method := range s.Methods {
		ps.Require(message.IsToken(method), setting.Index("methods", i), method, "is no method")
	}
	for i, session := range s.Sessions {
		ps.Require(session != "", setting.Index("sessions", i), nil, "is empty")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		ps.Require(message.IsField(name, s.Headers[name]), setting.Member("headers", setting.Field(name)), nil, "is not a valid field name, or its value holds control characters")
	}
	ps.Require(s.Verdicts.Run == "" || len(s.Verdicts.Of) > 0, "verdicts.of", nil, "is needed with a run: which verdicts to take")
	ps.Require(s.Verdicts.Run != "" || len(s.Verdicts.Of) == 0 && !s.Verdicts.Alone, "verdicts.run", nil, "is needed: whose verdicts are meant")
	return ps.Err()
}

// Moment reads a time, or a duration before now; empty is the zero time.
func Moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d.Abs()), nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

// Chosen are the exchanges of an earlier run that a selection by verdicts takes.
type Chosen struct {
	Sessions  map[string]bool // nil if they are chosen by themselves
	Exchanges map[string]bool
}

// Hash tells two choices apart.
func (c *Chosen) Hash() string {
	if c == nil {
		return ""
	}
	h := sha256.New()
	for _, set := range []map[string]bool{c.Sessions, c.Exchanges} {
		for _, key := range slices.Sorted(maps.Keys(set)) {
			fmt.Fprintf(h, "%q\n", key)
		}
		fmt.Fprintln(h)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// selector decides about exchanges.
type selector struct {
	routes   []route.Pattern
	methods  map[string]bool
	sessions map[string]bool
	headers  map[string]string
	chosen   *Chosen
}

func newSelector(s Selection, chosen *Chosen) (selector, error) {
	out := selector{methods: set(s.Methods), sessions: set(s.Sessions), headers: s.Headers, chosen: chosen}
	for _, text := range s.Routes {
		p, err := route.ParsePattern(text)
		if err != nil {
			return out, err
		}
		out.routes = append(out.routes, p)
	}
	return out, nil
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, x := range list {
		out[x] = true
	}
	return out
}

// leaves says why an exchange is not selected, "" if it is.
func (s selector) leaves(e *understudyv1.Exchange) string {
	switch {
	case len(s.methods) > 0 && !s.methods[e.GetRequest().GetMethod()]:
		return "method"
	case len(s.routes) > 0 && !slices.ContainsFunc(s.routes, func(p route.Pattern) bool { return p.Match(e.GetRoute()) }):
		return "route"
	case len(s.sessions) > 0 && !s.sessions[e.GetSession()]:
		return "session"
	case !s.hasHeaders(e):
		return "header"
	case s.chosen != nil && !s.chosen.Sessions[e.GetSession()] && !s.chosen.Exchanges[e.GetId()]:
		return "verdict"
	}
	return ""
}

func (s selector) hasHeaders(e *understudyv1.Exchange) bool {
	for name, want := range s.headers {
		values := message.Values(e.GetRequest().GetHeaders(), http.CanonicalHeaderKey(name))
		if len(values) == 0 || want != "*" && !slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == want }) {
			return false
		}
	}
	return true
}
