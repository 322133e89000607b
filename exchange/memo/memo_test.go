package memo_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"understudy.dev/exchange/memo"
)

func TestMemo(t *testing.T) {
	asked := 0
	m := memo.New(func(s string) int { asked++; n, _ := strconv.Atoi(s); return n })
	for range 3 {
		if n := m.Of("17"); n != 17 || asked != 1 {
			t.Errorf("17 is %d after it was asked for %d times", n, asked)
		}
	}
	long := strings.Repeat("0", 100) + "5"
	for range 2 {
		if n := m.Of(long); n != 5 {
			t.Error(n)
		}
	}
	if asked != 3 {
		t.Error("a long text is remembered")
	}
}

// TestTextsThatComeAgain are worked out once, whatever slots the hashes give them:
// the names of a document's members must not push each other out for ever.
func TestTextsThatComeAgain(t *testing.T) {
	for range 20 { // each memo has a hash of its own
		asked := 0
		m := memo.New(func(s string) int { asked++; return len(s) })
		round := func() {
			for i := range 60 {
				m.Of("member" + strconv.Itoa(i))
			}
		}
		for range 40 {
			round()
		}
		before := asked
		round()
		if asked != before {
			t.Errorf("%d of 60 texts are worked out each time", asked-before)
		}
	}
}

// TestSharedSlots: there are more texts than slots, and more goroutines than one.
func TestSharedSlots(t *testing.T) {
	m := memo.New(func(s string) string { return s })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 20_000 {
				if s := strconv.Itoa(i); m.Of(s) != s {
					t.Error(s)
				}
			}
		})
	}
	all.Wait()
}
