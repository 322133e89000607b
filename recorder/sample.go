package recorder

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	"understudy.dev/setting"
)

// SampleConfig says which requests are recorded.
type SampleConfig struct {
	// Rate is the share that is recorded, 0 to 1; default 1.
	Rate float64 `yaml:"rate"`
	// By is of what it is the share, so that what belongs together is recorded
	// or left out together: session (default), or header:NAME. Recorders with
	// the same key choose the same sessions.
	By string `yaml:"by"`
	// Routes have rates of their own; the first pattern that matches decides. A
	// rate of 0 excludes a route; with rate 0 above, rates of 1 here include some.
	Routes []SampleRoute `yaml:"routes"`
}

// SampleRoute is the rate of some routes.
type SampleRoute struct {
	// Route is a pattern of routes, such as "GET /health".
	Route string `yaml:"route"`
	// Rate is the share that is recorded, 0 to 1.
	Rate float64 `yaml:"rate"`
}

func (c SampleConfig) validate(ps *setting.Problems) {
	rate := func(path string, v float64) {
		ps.Require(v >= 0 && v <= 1, path, v, "is not between 0 and 1")
	}
	rate("sample.rate", c.Rate)
	name, isHeader := strings.CutPrefix(c.By, "header:")
	ps.Require(c.By == "session" || isHeader && message.IsToken(name), "sample.by", c.By, "is not session or header:NAME")
	for i, r := range c.Routes {
		at := setting.Index("sample.routes", i)
		rate(at+".rate", r.Rate)
		_, err := route.ParsePattern(r.Route)
		ps.Under(at+".route", err)
	}
}

// sampler decides at the door, before anything is captured.
type sampler struct {
	rate   float64
	header string // canonical name; empty is by session
	routes []sampleRoute
}

type sampleRoute struct {
	pattern route.Pattern
	rate    float64
}

// newSampler returns nil when everything is recorded. The configuration is
// valid.
func newSampler(c SampleConfig) *sampler {
	if c.Rate == 1 && len(c.Routes) == 0 {
		return nil
	}
	s := &sampler{rate: c.Rate}
	if name, ok := strings.CutPrefix(c.By, "header:"); ok {
		s.header = http.CanonicalHeaderKey(name)
	}
	for _, r := range c.Routes {
		p, _ := route.ParsePattern(r.Route)
		s.routes = append(s.routes, sampleRoute{p, r.Rate})
	}
	return s
}

// takes says whether a request is recorded.
func (s *sampler) takes(method string, from session.Source, routes *route.Templater, sessionOf func(session.Source) string) bool {
	rate := s.rate
	if len(s.routes) > 0 {
		name := routes.Route(method, from.Target)
		for _, r := range s.routes {
			if r.pattern.Match(name) {
				rate = r.rate
				break
			}
		}
	}
	switch rate {
	case 0:
		return false
	case 1:
		return true
	}
	value := ""
	if s.header == "" {
		value = sessionOf(from)
	} else if values := from.Header(s.header); len(values) > 0 {
		value = values[0]
	}
	if value == "" { // it belongs to nothing
		return rand.Float64() < rate
	}
	return share(value) < rate
}

// share is the place of a value in [0, 1), the same in every process.
func share(value string) float64 {
	h := fnv.New128a()
	_, _ = h.Write([]byte(value))
	n := binary.BigEndian.Uint64(h.Sum(nil)[8:])
	n ^= n >> 33 // FNV alone spreads short texts unevenly
	n *= 0xff51afd7ed558ccd
	n ^= n >> 33
	n *= 0xc4ceb9fe1a85ec53
	n ^= n >> 33
	return float64(n>>11) / (1 << 53)
}
