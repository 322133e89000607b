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

// Memo remembers the values of a function of a text. Each text has the one slot
// that its hash gives it, so what is kept is bounded whatever is asked for. It
// is safe for concurrent use.
type Memo[T any] struct {
	of    func(string) T
	seed  maphash.Seed
	slots [slots]atomic.Pointer[known[T]]
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
	slot := &m.slots[maphash.String(m.seed, text)%slots]
	if k := slot.Load(); k != nil && k.text == text {
		return k.value
	}
	text = strings.Clone(text) // not the document around it
	k := &known[T]{text, m.of(text)}
	slot.Store(k)
	return k.value
}
