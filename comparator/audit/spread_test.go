package audit

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSpread: the room is shared evenly, what a small group leaves over goes to
// the others, and the order in which items come decides nothing.
func TestSpread(t *testing.T) {
	f := func(size int, groups, want map[string]int) {
		t.Helper()
		type item struct {
			group string
			hash  uint64
		}
		var items []item
		for name, n := range groups {
			for i := range n {
				items = append(items, item{name, scramble(uint64(i))}, item{name, scramble(uint64(i))})
			}
		}
		var first map[string][]chosen[string]
		for range 20 {
			rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
			s := newSpread[string](size)
			for _, i := range items {
				s.add(i.group, i.hash, fmt.Sprint(i.group, i.hash))
			}
			got, kept := map[string]int{}, map[string][]chosen[string]{}
			for name, g := range s.groups {
				got[name], kept[name] = len(g.items), g.items
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatal(d)
			}
			if first == nil {
				first = kept
			}
			if d := cmp.Diff(first, kept, cmp.AllowUnexported(chosen[string]{})); d != "" {
				t.Fatal("another order, another choice: " + d)
			}
		}
	}
	f(10, map[string]int{"a": 3}, map[string]int{"a": 3})
	f(10, map[string]int{"a": 100, "b": 100}, map[string]int{"a": 5, "b": 5})
	f(10, map[string]int{"a": 100, "b": 2, "c": 100}, map[string]int{"a": 4, "b": 2, "c": 4})
	f(4, map[string]int{"a": 9, "b": 9, "c": 9}, map[string]int{"a": 2, "b": 1, "c": 1})
	f(2, map[string]int{"a": 9, "b": 9, "c": 9}, map[string]int{"a": 1, "b": 1})
}
