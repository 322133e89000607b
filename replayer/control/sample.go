package control

import (
	"crypto/sha256"
	"encoding/binary"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Bounds of what the share may be raised to, so that a control is never asked
// much more than its operator wanted, however many routes there are.
const (
	// maxRaised replays are taken beyond the share in any case; more than that,
	// as many as the share itself takes.
	maxRaised = 1000
	// maxRoutes are counted; those beyond have the share alone.
	maxRoutes = 10_000
	// maxSessions are remembered, in two generations; the choice of one that is
	// forgotten is the share's.
	maxSessions = 50_000
)

// Sample chooses replays. The choice depends on the name of the run, on the
// exchange and on those that were asked about before it, and so is the same when
// the run is repeated under its name. Not safe for concurrent use.
type Sample struct {
	cfg    Config
	run    string
	routes map[string]int // taken of each

	taken, raised int
	// What was chosen of sessions, if they are taken whole.
	young, old map[string]bool
}

// NewSample makes the sample of a run.
func NewSample(cfg Config, run string) *Sample {
	return &Sample{cfg: cfg, run: run, routes: map[string]int{}, young: map[string]bool{}}
}

// Take chooses; exchanges must come in the order of the run.
func (s *Sample) Take(e *understudyv1.Exchange) bool {
	if s.cfg.Isolated {
		return s.ofSession(e)
	}
	return s.one(e.GetId(), e.GetRoute())
}

// InShare says whether an exchange that the control may not be asked about would
// be chosen by the share alone.
func (s *Sample) InShare(e *understudyv1.Exchange) bool { return s.hash(e.GetId()) < s.cfg.Share }

// ofSession takes all requests of a session or none, because a later one needs
// what an earlier one has made.
func (s *Sample) ofSession(e *understudyv1.Exchange) bool {
	session := e.GetSession()
	take, known := s.young[session]
	if !known {
		if take, known = s.old[session]; !known {
			take = s.one(session, e.GetRoute())
		}
		if len(s.young) >= maxSessions/2 {
			s.old, s.young = s.young, map[string]bool{}
		}
		s.young[session] = take
	} else if take {
		s.count(e.GetRoute())
	}
	return take
}

// one chooses by the share, or because the route has few.
func (s *Sample) one(unit, route string) bool {
	switch {
	case s.hash(unit) < s.cfg.Share:
		s.taken++
	case s.routes[route] < s.cfg.PerRoute && s.raised < maxRaised+s.taken && (len(s.routes) < maxRoutes || s.routes[route] > 0):
		s.raised++
	default:
		return false
	}
	s.count(route)
	return true
}

func (s *Sample) count(route string) {
	if _, known := s.routes[route]; known || len(s.routes) < maxRoutes {
		s.routes[route]++
	}
}

// hash is evenly spread over [0, 1).
func (s *Sample) hash(unit string) float64 {
	sum := sha256.Sum256([]byte(s.run + "\x00control\x00" + unit))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
