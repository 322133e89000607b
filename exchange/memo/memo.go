// Package memo remembers what was worked out about short texts that come again
// and again, such as the names of members.
package memo

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

const (
	slots   = 4096
	longest = 64 // bytes of a text that is remembered
)

// Memo remembers the values of a function of a text. Each text has two slots that
// its hash gives it, so what is kept is bounded whatever is asked for, and texts
// that come again and again find places beside each other. It is safe for
// concurrent use.
type Memo[T any] struct {
	of     func(string) T
	seed   maphash.Seed
	slots  [slots]atomic.Pointer[known[T]]
	misses atomic.Uint32
}

type known[T any] struct {
	text  string
	value T
}

// New makes a memo of a function whose value depends on nothing but the text.
func New[T any](of func(string) T) *Memo[T] {
	return &Memo[T]{of: of, seed: maphash.MakeSeed()}
}

// Of is the value for a text.
func (m *Memo[T]) Of(text string) T {
	if len(text) > longest {
		return m.of(text)
	}
	hash := maphash.String(m.seed, text)
	both := [2]*atomic.Pointer[known[T]]{&m.slots[hash%slots], &m.slots[hash>>32%slots]}
	for _, slot := range both {
		if k := slot.Load(); k != nil && k.text == text {
			return k.value
		}
	}
	text = strings.Clone(text) // not the document around it
	k := &known[T]{text, m.of(text)}
	// A free slot, else one or the other in turn: two texts that always took the
	// same one from each other would be worked out each time.
	turn := m.misses.Add(1) % 2
	if both[turn].Load() != nil && both[1-turn].Load() == nil {
		turn = 1 - turn
	}
	both[turn].Store(k)
	return k.value
}
