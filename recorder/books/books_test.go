package books_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/recorder/books"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestEveryNumberIsSettledOnce(t *testing.T) {
	b := books.New("r", time.Unix(0, 5))
	for want := uint64(1); want <= 4; want++ {
		if got, open := b.Open(); got != want || !open {
			t.Errorf("number %d, open %t, want %d", got, open, want)
		}
	}
	b.Record()
	b.Drop(books.ReasonPanic)
	want := books.Tally{Served: 4, Recorded: 1, Pending: 2, Dropped: map[string]uint64{"panic": 1}}
	if diff := cmp.Diff(want, b.Tally()); diff != "" {
		t.Errorf("before the end: -want +got\n%s", diff)
	}
	_ = b.Statement(time.Unix(0, 6), false)
	b.Close()
	b.Close()
	b.Record() // late: it has been counted as dropped
	b.Drop(books.ReasonKafka)
	if got, open := b.Open(); got != 5 || open {
		t.Errorf("after the end: number %d, open %t", got, open)
	}
	last := &understudyv1.Tally{
		Recorder: "r", Number: 2, StartUnixNano: 5, TimeUnixNano: 7, Served: 5, Recorded: 1,
		Dropped: map[string]uint64{"panic": 1, "shutdown": 3}, Final: true,
	}
	if diff := cmp.Diff(last, b.Statement(time.Unix(0, 7), true), protocmp.Transform()); diff != "" {
		t.Errorf("final: -want +got\n%s", diff)
	}
}

func TestATallyDoesNotChange(t *testing.T) {
	b := books.New("r", time.Unix(0, 0))
	b.Open()
	before := b.Tally()
	b.Drop(books.ReasonMemory)
	if len(before.Dropped) != 0 {
		t.Errorf("an earlier tally says %v", before.Dropped)
	}
}

func TestReservationsStayUnderTheLimit(t *testing.T) {
	b := books.New("r", time.Unix(0, 0))
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if b.Reserve(10, 1000) {
					mu.Lock()
					taken++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if got := b.Tally().Bytes; taken == 0 || got != int64(10*taken) || got > 1000 {
		t.Errorf("%d reservations of 10 bytes under 1000, %d bytes held", taken, got)
	}
	b.Release(10)
	if !b.Reserve(10, 1000) {
		t.Error("what was given back cannot be taken again")
	}
	if b.Reserve(1001, 1000) {
		t.Error("more than the limit was given")
	}
}
