package audit

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Survey looks once at all replays of a run: it chooses the sample, spread over
// the routes, and gathers the names that the candidate has for things, by which
// one thing's name can be replaced by another's. Its memory does not grow with
// the run. It belongs to one goroutine.
type Survey struct {
	seed    uint64
	sample  *spread[string] // exchange ids by route
	names   *spread[names.Value]
	replays uint64
	skipped map[string]uint64
}

// DefaultSample is how many replays are audited unless told otherwise.
const DefaultSample = 2000

// maxNames bounds the names that a survey keeps, of all kinds together.
const maxNames = 4096

// NewSurvey makes a survey that chooses at most sample replays. One seed and
// one run give one choice.
func NewSurvey(seed uint64, sample int) *Survey {
	return &Survey{seed: seed, sample: newSpread[string](sample), names: newSpread[names.Value](maxNames), skipped: map[string]uint64{}}
}

// Add looks at a replay.
func (s *Survey) Add(r *understudyv1.Replay) {
	s.replays++
	x := r.GetExchange()
	switch {
	case x == nil:
		s.skipped["orphan"]++
		return
	case r.GetSkipped() != "":
		s.skipped["skipped"]++
		return
	}
	for _, p := range pairsOf(r) {
		name := names.Value{Text: p.GetCandidate(), Number: p.GetCandidateNumber()}
		if p.GetKind() != "" && p.GetBrokenBy() == "" && names.CanName(name) {
			s.names.add(p.GetKind(), s.hash(fmt.Sprintf("%q %t", name.Text, name.Number)), name)
		}
	}
	s.sample.add(x.GetRoute(), s.hash(x.GetId()), x.GetId())
}

func (s *Survey) hash(text string) uint64 {
	h := fnv.New64a()
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], s.seed)
	_, _ = h.Write(seed[:])
	_, _ = h.Write([]byte(text))
	return scramble(h.Sum64())
}

// scramble spreads a hash whose high bits say little of short texts.
func scramble(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// random is the source of all that is chosen for one replay.
func (s *Survey) random(exchange string) *rand.Rand {
	return rand.New(rand.NewPCG(s.seed, s.hash(exchange)))
}

// perKind is how many faults of one kind are planted in a replay of a route: a
// route with few replays gets more in each, so that its places are covered too.
func (s *Survey) perKind(route string) int {
	n := len(s.sample.of(route))
	return min(max(enough/max(n, 1), 1), mostOfKind)
}

// enough faults of a kind are planted on a route, where its replays have places
// for them; mostOfKind bounds those in one replay.
const (
	enough     = 48
	mostOfKind = 8
)

// other is the name of another thing of a kind than those given, if the run has
// one.
func (s *Survey) other(random *rand.Rand, kind string, number bool, than ...string) (names.Value, bool) {
	all := s.names.of(kind)
	if len(all) == 0 {
		return names.Value{}, false
	}
	for at, tries := random.IntN(len(all)), 0; tries < min(len(all), 32); tries++ {
		v := all[(at+tries)%len(all)].item
		same := v.Number != number
		for _, t := range than {
			same = same || v.Text == t
		}
		if !same {
			return v, true
		}
	}
	return names.Value{}, false
}
