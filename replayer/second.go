package replayer

import (
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// What of one second is held to be spread over it; what is beyond either bound
// follows in the rest of the second.
const (
	maxSecond      = 65_536
	maxSecondBytes = 32 << 20
)

// seconds gives the exchanges of a recording with the moment at which each is
// taken to have begun. Where a log knows seconds only, all that began in one
// would leave in a burst that no user has made: they are spread over their
// second, in their order, at random but for one recording always alike. It is
// such a log where several exchanges began at one whole second and none within
// it.
type seconds struct {
	isCoarse bool
	held     []timed // began at one whole second
	bytes    int64
	within   time.Duration // how much of that second is spent
}

func (s *seconds) of(in iter.Seq[*understudyv1.Exchange]) iter.Seq[timed] {
	return func(yield func(timed) bool) {
		for e := range in {
			start := time.Unix(0, e.GetStartUnixNano())
			if len(s.held) > 0 && !start.Equal(s.start()) {
				if !s.flush(start.Before(s.start().Add(time.Second)), yield) {
					return
				}
				s.within = 0
			}
			if start.Nanosecond() != 0 {
				if !yield(timed{Exchange: e, start: start}) {
					return
				}
				continue
			}
			s.held = append(s.held, timed{Exchange: e, start: start})
			if s.bytes += weight(e); (len(s.held) == maxSecond || s.bytes > maxSecondBytes) && !s.flush(false, yield) {
				return
			}
		}
		s.flush(false, yield)
	}
}

// start is the second of what is held.
func (s *seconds) start() time.Time { return time.Unix(0, s.held[0].GetStartUnixNano()) }

// flush gives what is held; isFine says that something else began within that
// second. It returns false if it is to end.
func (s *seconds) flush(isFine bool, yield func(timed) bool) bool {
	held := s.held
	if len(held) == 0 {
		return true
	}
	start := s.start()
	s.isCoarse = !isFine && (s.isCoarse || len(s.held) > 1)
	moments := make([]time.Duration, len(s.held))
	if s.isCoarse {
		random := rand.New(rand.NewPCG(uint64(start.Unix()), uint64(s.within)))
		for i := range moments {
			moments[i] = s.within + time.Duration(random.Int64N(int64(time.Second-s.within)))
		}
		slices.Sort(moments)
		s.within = moments[len(moments)-1]
	}
	s.held, s.bytes = nil, 0
	for i, x := range held {
		x.start, x.isSpread = start.Add(moments[i]), s.isCoarse
		if !yield(x) {
			return false
		}
	}
	return true
}
