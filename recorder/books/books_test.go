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
	var entries []*books.Entry
	for want := uint64(1); want <= 4; want++ {
		got, open := b.Open()
		if got.Sequence != want || !open {
			t.Errorf("number %d, open %t, want %d", got.Sequence, open, want)
		}
		entries = append(entries, got)
	}
	entries[0].Record()
	entries[1].Drop(books.ReasonPanic)
	want := books.Tally{Served: 4, Recorded: 1, Pending: 2, Dropped: map[string]uint64{"panic": 1}}
	if diff := cmp.Diff(want, b.Tally()); diff != "" {
		t.Errorf("before the end: -want +got\n%s", diff)
	}
	_ = b.Statement(time.Unix(0, 6), false)
	b.Close()
	b.Close()
	entries[2].Record() // late: it has been counted as dropped
	entries[3].Drop(books.ReasonKafka)
	if got, open := b.Open(); got.Sequence != 5 || open {
		t.Errorf("after the end: number %d, open %t", got.Sequence, open)
	}
	if n := b.Tally().Excess(); n != 0 {
		t.Errorf("excess %d", n)
	}
	last := &understudyv1.Tally{
		Recorder: "r", Number: 2, StartUnixNano: 5, TimeUnixNano: 7, Served: 5, Recorded: 1,
		Dropped: map[string]uint64{"panic": 1, "shutdown": 3}, Final: true,
	}
	if diff := cmp.Diff(last, b.Statement(time.Unix(0, 7), true), protocmp.Transform()); diff != "" {
		t.Errorf("final: -want +got\n%s", diff)
	}
}

// TestBooksShowAFault: the counts are taken apart from each other, so that an
// outcome too many is seen, also in what is published.
func TestBooksShowAFault(t *testing.T) {
	b := books.New("r", time.Unix(0, 0))
	twice, _ := b.Open()
	_, _ = b.Open() // never settled: it stays pending
	twice.Record()
	twice.Drop(books.ReasonKafka)
	if got := b.Tally(); got.Excess() != 1 || got.Pending != 1 {
		t.Errorf("excess %d of %+v", got.Excess(), got)
	}
	got := b.Statement(time.Unix(0, 1), false)
	if got.Served != 2 || got.Recorded != 1 || got.Pending != 1 || got.Dropped[books.ReasonKafka] != 1 {
		t.Errorf("published %v", got)
	}
}

func TestATallyDoesNotChange(t *testing.T) {
	b := books.New("r", time.Unix(0, 0))
	e, _ := b.Open()
	before := b.Tally()
	e.Drop(books.ReasonMemory)
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
