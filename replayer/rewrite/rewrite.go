// Package rewrite changes requests by rules of the user's, after names are
// replaced and before anything is sent.
package rewrite

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/route"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Rule changes the requests of some routes. All rules that match a route are
// applied, in their order.
type Rule struct {
	// Route is a pattern of routes, "POST /orders/{id}"; empty is all.
	Route string `yaml:"route"`
	// Host is what the candidate is asked under; where it is does not change.
	Host string `yaml:"host"`
	// Path replaces what it matches of the path, which is percent-encoded.
	Path Replacement `yaml:"path"`
	// Query changes parameters, Headers header fields.
	Query   Query  `yaml:"query"`
	Headers Fields `yaml:"headers"`
	// Body is a jq filter whose first output becomes the JSON of the body. It gets a
	// second and 1 MiB. A request without a body stays as it is.
	Body string `yaml:"body"`
}

// Replacement replaces what a regular expression (RE2) matches.
type Replacement struct {
	// Match is the expression, To what takes the place of each match; $1 is what its
	// first group matched.
	Match string `yaml:"match"`
	To    string `yaml:"to"`
}

// Query changes the parameters of a query.
type Query struct {
	// Set sets parameters, Remove takes them out first.
	Set    map[string]string `yaml:"set"`
	Remove []string          `yaml:"remove"`
}

// Fields change header fields.
type Fields struct {
	// Set sets fields, whose values may be secrets; Remove takes fields out first.
	Set    map[string]Secret `yaml:"set"`
	Remove []string          `yaml:"remove"`
}

// Secret is a text that is not shown.
type Secret string

// String implements fmt.Stringer.
func (s Secret) String() string { return "(secret)" }

// MarshalYAML implements yaml.InterfaceMarshaler.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// Validate reports every mistake in rules.
func Validate(rules []Rule) error {
	var ps setting.Problems
	for i, r := range rules {
		ps.Under(setting.Index("", i), r.problems())
	}
	return ps.Err()
}

func (r Rule) problems() error {
	var ps setting.Problems
	_, err := route.ParsePattern(r.Route)
	ps.Require(err == nil, "route", r.Route, "is not a pattern")
	ps.Require(r.Host != "" || r.Path != Replacement{} || len(r.Query.Set)+len(r.Query.Remove)+len(r.Headers.Set)+len(r.Headers.Remove) > 0 || r.Body != "",
		"route", nil, "changes nothing: none of host, path, query, headers and body is given")
	ps.Require(message.IsField("Host", []byte(r.Host)) && !strings.ContainsAny(r.Host, " /?#@"), "host", r.Host, "is not a host, with a port or without")
	_, err = regexp.Compile(r.Path.Match)
	ps.Require(err == nil, "path.match", r.Path.Match, "is not a regular expression: "+fault(err))
	ps.Require(r.Path.Match != "" || r.Path.To == "", "path.match", nil, "is needed beside to")
	for _, name := range slices.Sorted(maps.Keys(r.Headers.Set)) {
		ps.Require(message.IsField(name, []byte(r.Headers.Set[name])), setting.Member("headers.set", name), nil, "is not a valid field name, or its value holds control characters")
		ps.Require(!isReserved(name), setting.Member("headers.set", name), nil, "is a field that the replay makes itself; host is a key of its own")
	}
	for i, name := range r.Headers.Remove {
		ps.Require(message.IsToken(name) && !isReserved(name), setting.Index("headers.remove", i), name, "is not the name of a field that a rule can take out")
	}
	if r.Body != "" {
		_, err := operation.NewEdit(r.Body)
		ps.Require(err == nil, "body", r.Body, fault(err))
	}
	return ps.Err()
}

func fault(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// isReserved says whether a field is about the connection or the framing.
func isReserved(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return message.IsHopByHop(name) || name == "Host" || name == "Content-Length" || name == "Content-Encoding"
}

// Rules are those of a run, ready for use.
type Rules []rule

type rule struct {
	Rule
	route  route.Pattern
	match  *regexp.Regexp
	body   *operation.Edit
	number uint32
}

// New prepares rules.
func New(rules []Rule) (Rules, error) {
	if err := Validate(rules); err != nil {
		return nil, err
	}
	var out Rules
	for i, r := range rules {
		one := rule{Rule: r, number: uint32(i)}
		one.route, _ = route.ParsePattern(r.Route)
		if r.Path.Match != "" {
			one.match = regexp.MustCompile(r.Path.Match)
		}
		if r.Body != "" {
			one.body, _ = operation.NewEdit(r.Body)
		}
		out = append(out, one)
	}
	return out, nil
}

// Request is one as it is about to be sent.
type Request struct {
	Host string
	// Target is in origin form.
	Target string
	Header http.Header
	Body   []byte
}

// Bounds of what a rule makes and of what is told.
const (
	maxTarget = 64 << 10
	maxBody   = 1 << 20
	maxTold   = 128
)

// Apply changes a request of a route by all rules that match, and says what was
// changed. The error says which rule failed, and holds nothing of the request.
func (rules Rules) Apply(of string, q *Request) (told []*understudyv1.Rewrite, err error) {
	for _, r := range rules {
		if !r.route.Match(of) {
			continue
		}
		tell := func(place, name string) {
			if len(told) < maxTold {
				told = append(told, &understudyv1.Rewrite{Rule: r.number, Place: place, Name: name})
			}
		}
		if err := r.apply(q, tell); err != nil {
			return told, fmt.Errorf("rewrite[%d]: %w", r.number, err)
		}
	}
	return told, nil
}

func (r rule) apply(q *Request, tell func(place, name string)) error {
	if r.Host != "" && r.Host != q.Host {
		q.Host = r.Host
		tell("host", "")
	}
	if err := r.target(q, tell); err != nil {
		return err
	}
	r.fields(q.Header, tell)
	return r.document(q, tell)
}

func (r rule) target(q *Request, tell func(place, name string)) error {
	path, query, hasQuery := strings.Cut(q.Target, "?")
	if r.match != nil {
		if to := r.match.ReplaceAllString(path, r.Path.To); to != path {
			if !strings.HasPrefix(to, "/") || strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '?' || c == '#' }) {
				return errors.New("path gives what is no path: it must begin with / and hold no blank, ? or #")
			}
			path = to
			tell("path", "")
		}
	}
	set := func(name, to string) {
		if to != query {
			query = to
			tell("query", name)
		}
	}
	for _, name := range r.Query.Remove {
		set(name, message.RemoveParameter(query, name))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query.Set)) {
		set(name, message.SetParameter(query, name, r.Query.Set[name]))
	}
	if q.Target = path; query != "" || hasQuery && len(r.Query.Remove) == 0 {
		q.Target += "?" + query
	}
	if len(q.Target) > maxTarget {
		return fmt.Errorf("the target has %d bytes, more than %d", len(q.Target), maxTarget)
	}
	return nil
}

func (r rule) fields(h http.Header, tell func(place, name string)) {
	for _, name := range r.Headers.Remove {
		if len(h.Values(name)) > 0 {
			h.Del(name)
			tell("header", http.CanonicalHeaderKey(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers.Set)) {
		if value := string(r.Headers.Set[name]); len(h.Values(name)) != 1 || h.Get(name) != value {
			h.Set(name, value)
			tell("header", http.CanonicalHeaderKey(name))
		}
	}
}

// document changes the JSON of a body. One with content codings that changes is
// sent without them, and without digests of itself.
func (r rule) document(q *Request, tell func(place, name string)) error {
	if r.body == nil || len(q.Body) == 0 {
		return nil
	}
	plain, err := message.Decode(q.Body, strings.Join(q.Header.Values("Content-Encoding"), ","), maxBody)
	if err != nil {
		return errors.New("the body's content coding cannot be undone within 1 MiB")
	}
	out, paths, err := r.body.Apply(plain, maxTold)
	if err != nil || bytes.Equal(out, plain) {
		return err
	}
	q.Body = out
	for _, name := range append(message.DigestFields(), "Content-Encoding") {
		q.Header.Del(name)
	}
	for _, path := range paths {
		tell("body", path)
	}
	return nil
}
