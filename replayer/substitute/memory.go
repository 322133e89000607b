package substitute

import (
	"container/list"
	"slices"
	"strings"
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
	cut     map[string]bool       // kinds of which an answer that is not whole was recorded
	kinds   map[string]bool       // of what was made or listed
	tags    map[string][]*version // by the baseline's entity tag or date
	jar     jar                   // of credentials
	forgot  bool                  // something
	gone    bool                  // from the memory
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
	s.held, s.forgot, s.gone = 0, true, gone
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
	// sequence is when the client used it, if by is nil.
	sequence uint64
	// created: that exchange made what it names.
	created bool
	// written: that exchange wrote, so the name is likely to be new.
	written bool
	// loose: what it names is only known by what was asked for, see loose.
	loose bool
	// constant: the answer told how the system is set up.
	constant bool
}

// since is when the name was first seen, in the order of the schedule.
func (e entry) since() uint64 {
	if e.by == nil {
		return e.sequence
	}
	return e.by.sequence
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
	list, known := x.young[name]
	if len(list) >= maxKinds {
		return grown, lost
	}
	if !known {
		name = strings.Clone(name) // not the message around it
	}
	x.young[name] = append(list, e)
	x.n++
	return grown + 1, lost
}

// find gives the entries that can be what stands at a place.
func (x *index) find(at names.Place, name string) (out []entry) {
	for _, list := range [2][]entry{x.old[name], x.young[name]} {
		for _, e := range list {
			if at.Fits(e.kind, name) {
				out = append(out, e)
			}
		}
	}
	return out
}

// has says whether one of the entries that can be what stands at a place is as
// asked for.
func (x *index) has(at names.Place, name string, is func(*entry) bool) bool {
	for _, list := range [2][]entry{x.old[name], x.young[name]} {
		for i := range list {
			if is(&list[i]) && at.Fits(list[i].kind, name) {
				return true
			}
		}
	}
	return false
}

func anyEntry(*entry) bool { return true }

// all gives the entries under a name, of whatever kind.
func (x *index) all(name string) []entry {
	return slices.Concat(x.old[name], x.young[name])
}

// created is what things were made anywhere in the run.
type created struct {
	mu         sync.Mutex
	made       index
	listed     index // what the baseline's answers hold, by who held it first
	shown      index // what the candidate's answers hold that made nothing
	young, old *names.Pairs
	ended      map[thing]uint64 // when the baseline deleted it
}

// end remembers when the baseline deleted a thing.
func (c *created) end(what thing, at uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil || len(c.ended) >= MaxCreated {
		c.ended = map[thing]uint64{}
	}
	c.ended[what] = at
}

// isGone says whether everything that was called so was deleted since.
func (c *created) isGone(kind, name string, was []entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.ended[thing{kind, name}]
	return len(was) > 0 && !slices.ContainsFunc(was, func(e entry) bool { return e.since() > end })
}

// living leaves out those who made what was deleted before another thing got its
// name.
func (c *created) living(kind, name string, made []entry) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.ended[thing{kind, name}]
	if !slices.ContainsFunc(made, func(e entry) bool { return e.created && e.since() > end }) {
		return made
	}
	return slices.DeleteFunc(made, func(e entry) bool { return e.since() < end })
}

// show takes a name that the candidate knows.
func (c *created) show(name string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shown.has(names.Place{Kind: e.kind, Named: true}, name, func(before *entry) bool { return before.kind == e.kind }) {
		return // the first is enough
	}
	c.shown.add(name, e, MaxCreated)
}

// list takes a name that an answer of the baseline held.
func (c *created) list(name string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.listed.has(names.Place{Kind: e.kind, Named: true}, name, anyEntry) {
		c.listed.add(name, e, MaxCreated)
	}
}

// lists are who held what stands at a place.
func (c *created) lists(at names.Place, name string) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listed.find(at, name)
}

// shows says whether the candidate knows what stands at a place.
func (c *created) shows(at names.Place, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown.has(at, name, anyEntry)
}

// had says whether the candidate had shown a name before an exchange was sent.
func (c *created) had(at names.Place, name string, by *origin, sent time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.shown.find(at, name) {
		if e.kind != at.Kind || e.by.sequence >= by.sequence {
			continue
		}
		select {
		case <-e.by.done:
			if sent.IsZero() || e.by.at.Before(sent) {
				return true
			}
		default: // what was in the works at the same time may show it
		}
	}
	return false
}

// renew forgets what a name stood for before.
func (c *created) renew(kind, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pairs := range []*names.Pairs{c.old, c.young} {
		if pairs != nil {
			pairs.Forget(kind, name)
		}
	}
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

// makes says whether an exchange made what stands at a place.
func (c *created) makes(at names.Place, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made.has(at, name, anyEntry)
}

// reused says whether several things were called so one after the other.
func (c *created) reused(at names.Place, name string) bool {
	return len(c.origins(at, name)) > 1
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

// isEmpty says whether nothing that was made is known by two names.
func (c *created) isEmpty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.young == nil
}

// mentions says whether a value is a name in any pair.
func (c *created) mentions(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.young != nil && c.young.Mentions(name) || c.old != nil && c.old.Mentions(name)
}

// contradicts finds a pair of something that was made which says otherwise than
// one that is to be used.
func (c *created) contradicts(at names.Place, use names.Use) (names.Pair, bool) {
	if p, ok := c.known(at, use.Baseline, (*names.Pairs).Of); ok && (!p.Holds() || p.Candidate.Text != use.Candidate) {
		return p, true
	}
	p, ok := c.known(at, use.Candidate, (*names.Pairs).For)
	return p, ok && (!p.Holds() || p.Baseline.Text != use.Baseline)
}

// borrow takes a pair that another session made, unless the session knows
// something else.
func (s *session) borrow(at names.Place, name string) {
	if !s.memory.created.mentions(name) {
		return
	}
	known, has := s.pairs.Of(at, name)
	p, ok := s.memory.created.known(at, name, (*names.Pairs).Of)
	switch {
	case ok && has && known.From != p.From && s.memory.created.reused(at, name):
		s.pairs.Forget(known.Kind, name) // that of the thing that was called so before
		s.take(p)
	case ok && !has:
		s.take(p)
	}
	if _, known := s.pairs.For(at, name); !known {
		if p, ok := s.memory.created.known(at, name, (*names.Pairs).For); ok {
			s.take(p)
		}
	}
}

func (s *session) take(p names.Pair) {
	if staysIn(p) {
		return
	}
	at := names.Place{Kind: p.Kind, Named: true, Scope: p.Scope}
	if _, has := s.pairs.Of(at, p.Baseline.Text); has {
		return
	}
	if _, has := s.pairs.For(at, p.Candidate.Text); has {
		return
	}
	s.add(p)
}

// thing is a name of one kind.
type thing struct{ kind, name string }

// Exchange is one exchange of a run in the memory. A nil Exchange knows nothing,
// and leaves everything as it is.
type Exchange struct {
	memory   *Memory
	session  *session
	recorded *understudyv1.Exchange
	origin   *origin
	needs    []need
	contents []*content // of the answers that were learned from
	unseen   bool       // what the request holds was not all looked at
	constant bool       // what is asked for is how the system is set up
	loose    bool       // the target says little about what it makes
	tags     []*version // that conditions need
	given    []*version // that the recorded answer gives
	gives    []given    // credentials of the recorded answer
	shows    []*credential
	fields   map[string]*credential // of the request, by canonical name
	secrets  []string               // values in the request that are secrets by their names
	renews   map[thing]bool         // what is made anew under a name that was free again
}
