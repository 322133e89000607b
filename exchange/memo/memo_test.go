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
