package accuracy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/token"
	"understudy.dev/exchange/uuid"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// world is one recording of one baseline, and the candidate that it is replayed
// to.
type world struct {
	seed                           uint64
	random                         *rand.Rand
	baseline, secondary, candidate *side
	speed                          float64
	pairs                          []*pair
	decks                          map[carrier]*deck
	// strangers are things of other clients, known to both systems before the
	// recording.
	strangers map[string][]*entity
	products  []*entity
	layout    string // of times
	now       time.Time
	// controlled says for which replays the baseline is asked again; nil for none.
	controlled func(e *understudyv1.Exchange) bool
	// redactor of the recording; nil if it keeps secrets.
	redactor *redact.Redactor
}

// The names that a world has, by what they name.
var kindsOfThings = []string{"order", "item", "customer", "note", "payment", "parcel"}

func newSide(host string, r *rand.Rand, start time.Time, choose func(kind string) (scheme, int)) *side {
	s := &side{
		host: host, mints: map[string]*minter{}, names: map[*entity]value{}, owners: map[string]map[string]*entity{},
		stamps: map[*stamp]time.Time{}, random: rand.New(rand.NewPCG(r.Uint64(), r.Uint64())), secret: pick(r, base62, 20),
	}
	for _, kind := range kindsOfThings {
		how, from := choose(kind)
		s.mints[kind] = &minter{scheme: how, kind: kind, counter: from, random: s.random, now: start}
	}
	s.mints["token"] = &minter{scheme: opaque, kind: "token", random: s.random}
	return s
}

// gap is the usual time between two requests of a session in the replay.
const gap = 60 * time.Millisecond

// newWorld makes both systems and n pairs, one each time that long in the
// replay.
func newWorld(seed uint64, n int, speed float64, each time.Duration, start time.Time) *world {
	r := rand.New(rand.NewPCG(seed, 7))
	w := &world{seed: seed, random: r, speed: speed, decks: map[carrier]*deck{}, strangers: map[string][]*entity{}, now: start}
	w.layout = []string{millis, "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000000Z07:00", "ms"}[seed%4]
	if seed%3 == 0 {
		key, err := token.New(bytesOf(r, 32))
		must(err)
		w.redactor = redact.New(redact.Config{}, key)
	}
	theirs := map[string]scheme{}
	from := map[string]int{}
	for i, kind := range kindsOfThings {
		theirs[kind] = schemes[(int(seed)+i*2)%len(schemes)]
		from[kind] = 1000 * (1 + r.IntN(20))
	}
	as := func(kind string) (scheme, int) { return theirs[kind], from[kind] }
	w.baseline = newSide("shop.internal:8080", r, start, as)
	w.secondary = newSide("shop.internal:8080", r, start, as)
	w.secondary.secret = w.baseline.secret
	w.candidate = newSide("", r, start, func(kind string) (scheme, int) {
		i := slices.Index(kindsOfThings, kind)
		// Counters overlap: what one system calls 2017 is another thing there.
		which := (int(seed)*5 + i*4 + int(seed)/9) % len(schemes)
		for theirs[kind].digits && schemes[which].digits && theirs[kind].number != schemes[which].number {
			which = (which + 1) % len(schemes) // a number as a text is another type, not another name
		}
		return schemes[which], from[kind] + 3 + r.IntN(40)
	})
	for i := range 40 {
		w.products = append(w.products, &entity{kind: "product", name: fmt.Sprint(100 + 7*i)})
	}
	for _, kind := range kindsOfThings {
		for range 30 {
			e := &entity{kind: kind}
			w.strangers[kind] = append(w.strangers[kind], e)
			for _, s := range []*side{w.baseline, w.secondary, w.candidate} {
				s.name(e, start)
			}
		}
	}
	w.record(n, each)
	return w
}

// pause is one that the replay cuts. There is one in the middle of a recording.
const pause = 10 * time.Minute

func (w *world) record(n int, each time.Duration) {
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) * w.speed) }
	begin, before := w.now, 0
	for number := 0; len(w.pairs) < n; number++ {
		if before == 0 && len(w.pairs) >= n/2 {
			begin, before = begin.Add(scaled(time.Duration(n/2)*each+time.Second)+pause), len(w.pairs)
		}
		at := begin.Add(scaled(time.Duration(len(w.pairs)-before) * each))
		s := newSession(w, number, at)
		s.gap = func() time.Duration {
			if s.hurried {
				return scaled(time.Duration(1+s.r.IntN(3)) * time.Millisecond)
			}
			return scaled(gap/2 + time.Duration(s.r.Int64N(int64(gap))))
		}
		s.play()
		w.pairs = append(w.pairs, s.pairs...)
	}
	slices.SortStableFunc(w.pairs, func(a, b *pair) int { return a.start.Compare(b.start) })
	for _, p := range w.pairs {
		p.id = uuid.From(p.start, bytesOf(w.random, 16))
		w.write(p)
	}
}
