package recorder

import (
	"crypto/sha256"
	"hash"
	"sync"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// firstBuffer is what a body gets before its length is known to be real: a
// declared length alone must not make the recorder allocate.
const firstBuffer = 16 << 10

// capture keeps the first bytes of one body. The whole is hashed: as it passes
// only if it outgrows what is kept, else by the queue's reader. The writes may
// come from a goroutine that outlives the request; close ends them.
type capture struct {
	mu       sync.Mutex
	limit    int64
	declared int64 // -1 unknown
	kept     []byte
	length   int64
	reserved int64
	cut      bool
	memory   bool // cut for want of memory rather than at the limit
	ended    bool // its end was seen
	closed   bool
	hash     hash.Hash // nil until cut
}

func (b *capture) write(l *ledger, memory int64, p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(p) == 0 {
		return
	}
	b.length += int64(len(p))
	if !b.cut {
		n := min(int64(len(p)), b.limit-int64(len(b.kept)))
		if n > 0 && !b.keep(l, memory, p[:n]) {
			n, b.memory = 0, true
		}
		if n == int64(len(p)) {
			return
		}
		b.cut, b.hash = true, sha256.New()
		_, _ = b.hash.Write(b.kept)
		p = p[n:]
	}
	_, _ = b.hash.Write(p)
}

// keep appends p if the memory limit allows.
func (b *capture) keep(l *ledger, memory int64, p []byte) bool {
	need := int64(len(b.kept) + len(p))
	if need > int64(cap(b.kept)) {
		grown := max(need, min(2*int64(cap(b.kept)), b.limit))
		if b.declared > grown && b.declared <= firstBuffer {
			grown = b.declared
		} else if b.declared >= need {
			grown = min(grown, b.declared)
		}
		if !l.reserve(grown-b.reserved, memory) {
			return false
		}
		b.reserved = grown
		b.kept = append(make([]byte, 0, grown), b.kept...)
	}
	b.kept = append(b.kept, p...)
	return true
}

func (b *capture) end() {
	b.mu.Lock()
	b.ended = b.ended || !b.closed
	b.mu.Unlock()
}

// close ends the capture: nothing changes after it. whole says that the body
// is known to have ended where the capture stands.
func (b *capture) close(whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.ended = b.ended || whole || (b.declared >= 0 && b.length == b.declared)
}

// body fills m; it is called once, after close.
func (b *capture) body(m *understudyv1.Body) *understudyv1.Body {
	m.Content, m.DeclaredLength, m.Length, m.Truncated = b.kept, b.declared, b.length, b.cut || !b.ended
	switch {
	case !b.ended || b.length == 0:
	case b.cut:
		m.Sha256 = b.hash.Sum(nil)
	default:
		sum := sha256.Sum256(b.kept)
		m.Sha256 = sum[:]
	}
	return m
}
