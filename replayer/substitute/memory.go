package substitute

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Bounds of what is remembered. What goes over one is forgotten, the oldest
// first, and a name that may have been forgotten is not known: a request that
// needs it is unresolved.
const (
	// MaxSessions are known; of those beyond, the one unused for longest is
	// forgotten as if it had never been.
	MaxSessions = 50_000
	// MaxPairs of one session are kept, times apart from names.
	MaxPairs = 8192
	// MaxNames of one session are kept, for each side: those that its recorded
	// answers hold, and those that the candidate's do.
	MaxNames = 65_536
	// MaxTotal entries of all sessions together are kept, at about 200 bytes;
	// beyond them the session unused for longest loses what it holds.
	MaxTotal = 1_000_000
	// MaxCreated names, and as many pairs, of things that were made are kept for
	// the whole run: what one session made, another may use.
	MaxCreated = 200_000
)

// Memory holds what a run knows. It is safe for concurrent use.
type Memory struct {
	total    atomic.Int64 // entries
	sequence atomic.Uint64
	created  created
	host     string // of the candidate

	credentials credentials

	mu       sync.Mutex
	sessions map[string]*list.Element
	recent   list.List // of *session, the most recently used first
}

// NewMemory makes an empty memory of a run against a candidate on that host.
func NewMemory(host string) *Memory {
	return &Memory{host: host, sessions: map[string]*list.Element{}}
}

// session is what is known of one session.
type session struct {
	memory *Memory
	key    string

	mu      sync.Mutex
	held    int64                 // entries
	pairs   *names.Pairs          // of names
	moments *names.Pairs          // of times
	made    index                 // names in the recorded requests and answers, and who made them
	stood   index                 // names in the candidate's answers
	kinds   map[string]bool       // of what was made or listed
	tags    map[string][]*version // by the baseline's entity tag or date
	jar     map[string]*cookie    // what the candidate set
	login   *credential           // the latest that an answer gave for Authorization
	forgot  bool                  // something
	gone    bool                  // from the memory
}

func newSession(m *Memory, key string) *session {
	return &session{memory: m, key: key, pairs: &names.Pairs{}, moments: &names.Pairs{}, kinds: map[string]bool{}, tags: map[string][]*version{}}
}

// session finds or begins a session.
func (m *Memory) session(key string) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.sessions[key]; ok {
		m.recent.MoveToFront(el)
		return el.Value.(*session)
	}
	s := newSession(m, key)
	m.sessions[key] = m.recent.PushFront(s)
	if m.recent.Len() > MaxSessions {
		old := m.recent.Remove(m.recent.Back()).(*session)
		delete(m.sessions, old.key)
		old.clear(true)
	}
	return s
}

// trim makes room; no session may be locked.
func (m *Memory) trim() {
	if m.total.Load() <= MaxTotal {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for el := m.recent.Back(); el != nil && m.total.Load() > MaxTotal; el = el.Prev() {
		el.Value.(*session).clear(false)
	}
}

// clear forgets what the session holds.
func (s *session) clear(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory.total.Add(-s.held)
	fresh := newSession(s.memory, s.key)
	s.held, s.forgot, s.gone = 0, true, gone
	s.pairs, s.moments, s.made, s.stood, s.kinds, s.tags, s.jar, s.login = fresh.pairs, fresh.moments, index{}, index{}, fresh.kinds, fresh.tags, nil, nil
}

// grow counts entries.
func (s *session) grow(n int) {
	if s.gone {
		return // what is in flight keeps it
	}
	s.held += int64(n)
	s.memory.total.Add(int64(n))
}

// add takes a pair. When there are too many, the older half is forgotten.
func (s *session) add(p names.Pair) {
	set := &s.pairs
	if p.Kind == names.Moment.Kind {
		set = &s.moments
	}
	if (*set).Len() >= MaxPairs {
		kept := &names.Pairs{}
		for _, p := range (*set).All()[MaxPairs/2:] {
			kept.Add(p)
		}
		s.grow(kept.Len() - (*set).Len())
		*set, s.forgot = kept, true
	}
	before := (*set).Len()
	(*set).Add(p)
	s.grow((*set).Len() - before)
}

// origin is one exchange as the maker of names.
type origin struct {
	exchange string
	sequence uint64
	done     chan struct{}
	once     sync.Once
	// answered: the candidate did what the baseline had done, and did not
	// refuse; at is when that was known. Both may be read once done is closed.
	answered bool
	at       time.Time
}

// settle says how the exchange ended; only the first time counts.
func (o *origin) settle(answered bool) {
	o.once.Do(func() {
		o.answered, o.at = answered, time.Now()
		close(o.done)
	})
}

// entry is a name of one kind.
type entry struct {
	kind string
	// by is the exchange whose answer held it first; nil if the client had sent
	// it before.
	by *origin
	// created: that exchange made what it names.
	created bool
}

// index finds entries by name. It keeps two generations; the older one is
// dropped when the younger one is full.
type index struct {
	young, old map[string][]entry
	n, dropped int
}

// maxKinds bounds the entries under one name.
const maxKinds = 16

// add takes an entry; grown is by how many entries the index is larger now, and
// lost says that a generation was dropped.
func (x *index) add(name string, e entry, limit int) (grown int, lost bool) {
	if x.n >= limit/2 {
		grown -= x.dropped
		lost = x.old != nil
		x.old, x.dropped, x.young, x.n = x.young, x.n, nil, 0
	}
	if x.young == nil {
		x.young = map[string][]entry{}
	}
	if len(x.young[name]) >= maxKinds {
		return grown, lost
	}
	x.young[name] = append(x.young[name], e)
	x.n++
	return grown + 1, lost
}

// find gives the entries that can be what stands at a place.
func (x *index) find(at names.Place, name string) (out []entry) {
	for _, list := range [][]entry{x.old[name], x.young[name]} {
		for _, e := range list {
			if at.Fits(e.kind, name) {
				out = append(out, e)
			}
		}
	}
	return out
}

// created is what things were made anywhere in the run.
type created struct {
	mu         sync.Mutex
	made       index
	young, old *names.Pairs
}

func (c *created) register(name string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made.add(name, e, MaxCreated)
}

// origins are the exchanges that made what stands at a place.
func (c *created) origins(at names.Place, name string) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made.find(at, name)
}

func (c *created) add(p names.Pair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || c.young.Len() >= MaxCreated/2 {
		c.old, c.young = c.young, &names.Pairs{}
	}
	c.young.Add(p)
}

// known finds pairs by the baseline's or by the candidate's name. What two
// generations say otherwise is broken.
func (c *created) known(at names.Place, name string, by func(*names.Pairs, names.Place, string) (names.Pair, bool)) (names.Pair, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best names.Pair
	found := false
	for _, pairs := range []*names.Pairs{c.old, c.young} {
		if pairs == nil {
			continue
		}
		p, ok := by(pairs, at, name)
		switch {
		case !ok:
		case found && (p.Baseline.Text != best.Baseline.Text || p.Candidate.Text != best.Candidate.Text):
			best.BrokenBy = p.From
		default:
			best, found = p, true
		}
	}
	return best, found
}

// borrow takes a pair that another session made, unless the session knows
// something else.
func (s *session) borrow(at names.Place, name string) {
	if _, known := s.pairs.Of(at, name); !known {
		if p, ok := s.memory.created.known(at, name, (*names.Pairs).Of); ok {
			s.take(p)
		}
	}
	if _, known := s.pairs.For(at, name); !known {
		if p, ok := s.memory.created.known(at, name, (*names.Pairs).For); ok {
			s.take(p)
		}
	}
}

func (s *session) take(p names.Pair) {
	at := names.Place{Kind: p.Kind, Named: true}
	if _, has := s.pairs.Of(at, p.Baseline.Text); has {
		return
	}
	if _, has := s.pairs.For(at, p.Candidate.Text); has {
		return
	}
	s.add(p)
}

// Exchange is one exchange of a run in the memory. A nil Exchange knows nothing,
// and leaves everything as it is.
type Exchange struct {
	memory   *Memory
	session  *session
	recorded *understudyv1.Exchange
	origin   *origin
	needs    []need
	tags     []*version // that conditions need
	given    []*version // that the recorded answer gives
	gives    []given    // credentials of the recorded answer
	shows    []*credential
	fields   map[string]*credential // of the request, by canonical name
}
