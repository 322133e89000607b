package substitute

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
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
	// Redactor is that of the recording; nil if it has none. It is set before use.
	Redactor *redact.Redactor

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
	line   line // of its requests

	mu      sync.Mutex
	held    int64                 // entries
	pairs   *names.Pairs          // of names
	moments *names.Pairs          // of times
	made    index                 // names in the recorded requests and answers, and who made them
	stood   index                 // names in the candidate's answers
	cut     map[string]bool       // kinds of which an answer that is not whole was recorded
	kinds   map[string]bool       // of what was made or listed
	tags    map[string][]*version // by the baseline's entity tag or date
	jar     jar                   // of credentials
	forgot  bool                  // something
	gone    bool                  // from the memory

	// seconds are the moments by the baseline's second.
	seconds map[int64][]names.Pair
}

func newSession(m *Memory, key string) *session {
	return &session{memory: m, key: key, pairs: &names.Pairs{}, moments: &names.Pairs{}, kinds: map[string]bool{}, cut: map[string]bool{}, tags: map[string][]*version{}}
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
	s.held, s.forgot, s.gone, s.seconds = 0, true, gone, nil
	s.pairs, s.moments, s.made, s.stood, s.kinds, s.cut, s.tags, s.jar = fresh.pairs, fresh.moments, index{}, index{}, fresh.kinds, fresh.cut, fresh.tags, jar{}
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
		if set == &s.moments {
			s.seconds = nil
			for _, p := range kept.All() {
				s.dated(p)
			}
		}
	}
	before := (*set).Len()
	if (*set).Add(p) && set == &s.moments {
		s.dated(p)
	}
	s.grow((*set).Len() - before)
}

// origin is one exchange as the maker of names.
type origin struct {
	exchange string
	sequence uint64
	done     chan struct{}
	once     sync.Once
	line     line
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

// Exchange is one exchange of a run in the memory. A nil Exchange knows nothing,
// and leaves everything as it is.
type Exchange struct {
	memory                  *Memory
	session                 *session
	recorded                *understudyv1.Exchange
	origin                  *origin
	needs                   []need
	behind                  []need     // that are only to be waited for
	contents                []*content // of the answers that were learned from
	waiter                  *waiter    // its place among those that wait; nil if it waits for none
	unseen                  bool       // what the request holds was not all looked at
	constant                bool       // what is asked for is how the system is set up
	loose                   bool       // the target says little about what it makes
	tags                    []*version // that conditions need
	given                   []*version // that the recorded answer gives
	backInQuery, backInBody []returned // what the request hands back
	gives                   []given    // credentials of the recorded answer
	shows                   []*credential
	showed                  map[string]bool        // the keys of what the request shows
	fields                  map[string]*credential // of the request, by canonical name
	secrets                 []string               // values in the request that are secrets by their names
	as                      map[string]names.Place // of members of the request that mean something else here
	renews                  map[thing]bool         // what is made anew under a name that was free again
	measures                map[thing]bool         // values of the body that stand within a measure
	removes                 thing                  // what the baseline deleted
}
