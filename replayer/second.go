package replayer

import (
	"iter"
	"math/rand/v2"
	"slices"
	"time"
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
	spread func() // called for each that is

	isCoarse bool
	held     []recorded // began at one whole second
	bytes    int64
	within   time.Duration // how much of that second is spent
}

func (s *seconds) of(in <-chan recorded, used func(recorded)) iter.Seq2[recorded, time.Time] {
	return func(yield func(recorded, time.Time) bool) {
		for e := range in {
			used(e)
			start := time.Unix(0, e.GetStartUnixNano())
			if len(s.held) > 0 && !start.Equal(s.start()) {
				s.flush(start.Before(s.start().Add(time.Second)), yield)
				s.within = 0
			}
			if start.Nanosecond() != 0 {
				yield(e, start)
				continue
			}
			s.held = append(s.held, e)
			if s.bytes += weight(e.Exchange); len(s.held) == maxSecond || s.bytes > maxSecondBytes {
				s.flush(false, yield)
			}
		}
		s.flush(false, yield)
	}
}

// start is the second of what is held.
func (s *seconds) start() time.Time { return time.Unix(0, s.held[0].GetStartUnixNano()) }

// flush gives what is held; isFine says that something else began within that
// second.
func (s *seconds) flush(isFine bool, yield func(recorded, time.Time) bool) {
	if len(s.held) == 0 {
		return
	}
	start := s.start()
	s.isCoarse = !isFine && (s.isCoarse || len(s.held) > 1)
	moments := make([]time.Duration, len(s.held))
	if s.isCoarse {
		random := rand.New(rand.NewPCG(uint64(start.Unix()), uint64(s.within)))
		for i := range moments {
			moments[i] = s.within + time.Duration(random.Int64N(int64(time.Second-s.within)))
			s.spread()
		}
		slices.Sort(moments)
		s.within = moments[len(moments)-1]
	}
	for i, e := range s.held {
		yield(e, start.Add(moments[i]))
	}
	s.held, s.bytes = nil, 0
}
