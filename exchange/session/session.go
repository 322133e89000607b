// Package session finds out whose request an exchange is. Order must hold
// within a session, so the session is the key of the Kafka record; it is a
// keyed token, which gives nothing away.
package session

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// domain labels the tokens made here; see token.Key.Token.
const domain = "s"

// DefaultRules suit common web applications.
func DefaultRules() []string {
	return []string{
		"header:X-Session-Id", "cookie:session", "cookie:sessionid", "cookie:sid", "cookie:connect.sid",
		"cookie:JSESSIONID", "cookie:PHPSESSID", "header:Authorization", "header:X-Api-Key", "ip",
	}
}

// Source is what rules look at in a request. Header returns the values of a
// header by its canonical name.
type Source struct {
	Header func(name string) []string
	// Target is the raw request target.
	Target string
	// Client is the client's address, with or without a port.
	Client string
	// Answer is what the request got; nil while that is not known.
	Answer *understudyv1.Response
}

// Extractor applies rules in order; the first that finds a value decides. It is
// safe for concurrent use.
type Extractor struct {
	rules   []rule
	cookies bool // some rule looks at cookies
	key     *token.Key
}

type rule struct{ kind, name string }

// New parses rules: header:NAME, cookie:NAME, query:NAME or ip. "ip" is the
// first address of X-Forwarded-For, else the client's own.
func New(rules []string, key *token.Key) (*Extractor, error) {
	e := &Extractor{key: key}
	for _, text := range rules {
		kind, name, found := strings.Cut(strings.TrimSpace(text), ":")
		switch {
		case kind == "ip" && !found:
		case (kind == "header" || kind == "cookie" || kind == "query") && name != "":
		default:
			return nil, fmt.Errorf("session rule %q is not one of header:NAME, cookie:NAME, query:NAME, ip", text)
		}
		if kind == "header" {
			name = http.CanonicalHeaderKey(name)
		}
		e.cookies = e.cookies || kind == "cookie"
		e.rules = append(e.rules, rule{kind, name})
	}
	return e, nil
}

// Session returns the token of the first value that a rule finds, "" if none
// finds one. Of a request that none knows but by its address it is that of the
// value which the answer makes the client send from then on, if there is one: a
// login belongs to what follows it.
func (e *Extractor) Session(s Source) string {
	var cookies []string
	if e.cookies {
		cookies = s.Header("Cookie")
	}
	for _, r := range e.rules {
		v := r.find(s, cookies)
		if v == "" {
			continue
		}
		if r.kind == "ip" {
			if known := e.given(s.Answer); known != "" {
				return known
			}
		}
		return e.token(r, v)
	}
	return e.given(s.Answer)
}

func (e *Extractor) token(r rule, value string) string {
	return e.key.Token(domain, r.kind+":"+r.name+"="+value)
}

// given is the session that an answer begins, "" if it begins none.
func (e *Extractor) given(a *understudyv1.Response) string {
	if a == nil {
		return ""
	}
	for _, r := range e.rules {
		if v := r.given(a); v != "" {
			return e.token(r, v)
		}
	}
	return ""
}

func (r rule) find(s Source, cookies []string) string {
	switch r.kind {
	case "header":
		if v := s.Header(r.name); len(v) > 0 {
			return v[0]
		}
	case "cookie":
		for _, line := range cookies {
			if v := Cookie(line, r.name); v != "" {
				return v
			}
		}
	case "query":
		_, query, _ := strings.Cut(s.Target, "?")
		return parameter(query, r.name)
	case "ip":
		return address(s)
	}
	return ""
}

// Cookie is the value of a cookie in a line of Cookie, "" if it is not there.
func Cookie(line, name string) string {
	for pair := range strings.SplitSeq(line, ";") {
		if k, v, ok := strings.Cut(strings.TrimLeft(pair, " \t"), "="); ok && k == name {
			return strings.Trim(v, " \t\"")
		}
	}
	return ""
}

func parameter(query, name string) string {
	for p := range message.Parameters(query) {
		if p.Name == name || p.Decoded() == name {
			return p.Value
		}
	}
	return ""
}

func address(s Source) string {
	for first := range message.Elements(s.Header("X-Forwarded-For")) {
		return first
	}
	if host, _, err := net.SplitHostPort(s.Client); err == nil {
		return host
	}
	return s.Client
}
