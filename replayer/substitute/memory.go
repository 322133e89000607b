package substitute

import (
	"container/list"
	"slices"
	"sync"
)

// Bounds of what is remembered.
const (
	// MaxSessions are kept; the one unused for longest goes first.
	MaxSessions = 50_000
	// MaxPairs of one session are kept; further ones are not learned.
	MaxPairs = 512
	// MaxTotal pairs of all sessions together are kept; beyond them the session
	// that was unused for longest goes.
	MaxTotal = 400_000
)

// Pair is a recorded value and the candidate's for it.
type Pair struct {
	Recorded, Candidate string
	// Number: both are JSON numbers.
	Number bool
	// From is the id of the exchange that taught it.
	From string
}

// Memory holds the pairs of all sessions. It is safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	sessions map[string]*list.Element
	recent   list.List // of *entry, the most recently used first
	total    int
}

type entry struct {
	session string
	known   map[string]struct{}
	pairs   []Pair
}

// NewMemory makes an empty memory.
func NewMemory() *Memory { return &Memory{sessions: map[string]*list.Element{}} }

// Learn adds pairs; the first candidate value for a recorded one stays.
func (m *Memory) Learn(session string, pairs []Pair) {
	if len(pairs) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.touchLocked(session, true)
	for _, p := range pairs {
		if _, known := e.known[p.Recorded]; known || len(e.pairs) >= MaxPairs {
			continue
		}
		e.known[p.Recorded] = struct{}{}
		e.pairs = append(e.pairs, p)
		m.total++
	}
	for m.total > MaxTotal || m.recent.Len() > MaxSessions {
		m.forgetLocked(m.recent.Back())
	}
}

// Pairs are those known of a session, oldest first.
func (m *Memory) Pairs(session string) []Pair {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.touchLocked(session, false)
	if e == nil {
		return nil
	}
	return slices.Clip(e.pairs) // only ever appended to
}

func (m *Memory) touchLocked(session string, create bool) *entry {
	if el, ok := m.sessions[session]; ok {
		m.recent.MoveToFront(el)
		return el.Value.(*entry)
	}
	if !create {
		return nil
	}
	e := &entry{session: session, known: map[string]struct{}{}}
	m.sessions[session] = m.recent.PushFront(e)
	return e
}

func (m *Memory) forgetLocked(el *list.Element) {
	e := m.recent.Remove(el).(*entry)
	delete(m.sessions, e.session)
	m.total -= len(e.pairs)
}
