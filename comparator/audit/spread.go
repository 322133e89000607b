package audit

import (
	"container/heap"
	"slices"
)

// spread keeps a bounded choice of items, evenly over groups: as many of each
// group as there is room for, and of a group those with the least hashes. What
// it keeps depends on what was added, and not on the order.
type spread[T any] struct {
	size   int
	groups map[string]*group[T]
	heap   groupHeap[T] // the group from which the next one goes stands first
	kept   int
}

type group[T any] struct {
	name  string
	items []chosen[T] // by hash
	index int         // in the heap
}

type chosen[T any] struct {
	hash uint64
	item T
}

func newSpread[T any](size int) *spread[T] {
	return &spread[T]{size: size, groups: map[string]*group[T]{}}
}

// add offers an item. Two of one hash in a group are the same one.
func (s *spread[T]) add(name string, hash uint64, item T) {
	g := s.groups[name]
	if g == nil {
		g = &group[T]{name: name}
		s.groups[name] = g
		heap.Push(&s.heap, g)
	}
	at, known := slices.BinarySearchFunc(g.items, hash, func(c chosen[T], h uint64) int {
		switch {
		case c.hash < h:
			return -1
		case c.hash > h:
			return 1
		}
		return 0
	})
	if known {
		return
	}
	g.items = slices.Insert(g.items, at, chosen[T]{hash, item})
	heap.Fix(&s.heap, g.index)
	if s.kept++; s.kept > s.size {
		s.drop()
	}
}

// drop takes the last item out of the largest group. Since groups only grow,
// what goes now would go later, too.
func (s *spread[T]) drop() {
	g := s.heap[0]
	g.items = slices.Delete(g.items, len(g.items)-1, len(g.items))
	s.kept--
	if len(g.items) == 0 {
		heap.Pop(&s.heap)
		delete(s.groups, g.name)
		return
	}
	heap.Fix(&s.heap, 0)
}

// of gives the items of a group, in the order of their hashes.
func (s *spread[T]) of(name string) []chosen[T] {
	if g := s.groups[name]; g != nil {
		return g.items
	}
	return nil
}

// groupHeap implements heap.Interface: the largest group first, of equal ones
// that whose name comes last.
type groupHeap[T any] []*group[T]

func (h groupHeap[T]) Len() int { return len(h) }
func (h groupHeap[T]) Less(i, j int) bool {
	if len(h[i].items) != len(h[j].items) {
		return len(h[i].items) > len(h[j].items)
	}
	return h[i].name > h[j].name
}
func (h groupHeap[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *groupHeap[T]) Push(x any) {
	g := x.(*group[T])
	g.index = len(*h)
	*h = append(*h, g)
}

// Pop implements heap.Interface.
func (h *groupHeap[T]) Pop() any {
	n := len(*h) - 1
	g := (*h)[n]
	*h = (*h)[:n]
	return g
}
