package face

import (
	"container/list"
	"crypto/sha256"
	"strings"
	"sync"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Accepted remembers which side has accepted what, by the address at which a
// client asks for it later and by the idempotency key with which it may come
// again. It is safe for concurrent use.
type Accepted struct {
	mu    sync.Mutex
	most  int
	sides map[[16]byte]*list.Element
	order *list.List // the newest in front
}

type acceptance struct {
	key  [16]byte
	side understudyv1.Side
}

// NewAccepted remembers so many.
func NewAccepted(most int) *Accepted {
	return &Accepted{most: most, sides: map[[16]byte]*list.Element{}, order: list.New()}
}

// hashed is what is kept of a key: nothing that could be read.
func hashed(parts ...string) [16]byte {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return [16]byte(sum[:])
}

// keyOf is that of a request with an idempotency key.
func keyOf(session, route, key string) [16]byte { return hashed("key", session, route, key) }

func (a *Accepted) note(key [16]byte, side understudyv1.Side) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.sides[key]; e != nil {
		e.Value = acceptance{key, side}
		a.order.MoveToFront(e)
		return
	}
	if a.order.Len() >= a.most {
		oldest := a.order.Back()
		delete(a.sides, oldest.Value.(acceptance).key)
		a.order.Remove(oldest)
	}
	a.sides[key] = a.order.PushFront(acceptance{key, side})
}

// NoteKey remembers who has accepted an idempotency key.
func (a *Accepted) NoteKey(session, route, key string, side understudyv1.Side) {
	a.note(keyOf(session, route, key), side)
}

// NoteAddress remembers what is at an address and below it.
func (a *Accepted) NoteAddress(location string, side understudyv1.Side) {
	if path := pathOf(location); path != "" && path != "/" {
		a.note(hashed("path", path), side)
	}
}

// pathOf is the path of an address, without a slash at its end.
func pathOf(location string) string {
	if _, rest, ok := strings.Cut(location, "://"); ok {
		at := strings.IndexByte(rest, '/')
		if at < 0 {
			return ""
		}
		location = rest[at:]
	}
	location, _, _ = strings.Cut(location, "#")
	location, _, _ = strings.Cut(location, "?")
	if !strings.HasPrefix(location, "/") {
		return ""
	}
	return strings.TrimSuffix(location, "/")
}

func (a *Accepted) look(key [16]byte) (understudyv1.Side, bool) {
	e := a.sides[key]
	if e == nil {
		return 0, false
	}
	return e.Value.(acceptance).side, true
}

// below is how many segments below an address that was named still lead to the
// side that named it, as in /jobs/7/result/items.
const below = 2

// Side is who has accepted what a request is about: by its idempotency key, or by
// its target.
func (a *Accepted) Side(session, route, target, key string) (understudyv1.Side, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sides) == 0 {
		return 0, false
	}
	if key != "" {
		if side, ok := a.look(keyOf(session, route, key)); ok {
			return side, true
		}
	}
	path := pathOf(target)
	for range 1 + below {
		if path == "" {
			break
		}
		if side, ok := a.look(hashed("path", path)); ok {
			return side, true
		}
		path = path[:strings.LastIndexByte(path, '/')]
	}
	return 0, false
}
