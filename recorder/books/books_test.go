package books_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
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
	entries[0].Queue()
	entries[0].Hand()
	entries[0].Record()
	entries[1].Drop(books.ReasonPanic)
	entries[2].Queue()
	want := books.Tally{Served: 4, Recorded: 1, UnderWay: 1, Queued: 1, Dropped: map[string]uint64{"panic": 1}}
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
	if got := b.Tally(); got.Excess() != 1 || got.Pending() != 1 {
		t.Errorf("excess %d of %+v", got.Excess(), got)
	}
	moved, _ := b.Open()
	moved.Record()
	moved.Hand() // after it was settled
	if got := b.Tally(); got.Excess() != 2 || got.InSink != 1 {
		t.Errorf("excess %d of %+v", got.Excess(), got)
	}
	b = books.New("r", time.Unix(0, 0))
	_, _ = b.Open()
	twice, _ = b.Open()
	twice.Record()
	twice.Drop(books.ReasonKafka)
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

// TestBooksOutliveTheProcess: what was counted to the last moment is there for a
// successor, who closes the books.
func TestBooksOutliveTheProcess(t *testing.T) {
	f := func(found uint64, want books.Tally) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "books")
		b := books.New("shop", time.Unix(0, 5))
		b.Every(time.Second)
		early, _ := b.Open()
		if err := b.Keep(path); err != nil {
			t.Fatal(err)
		}
		early.Record()
		for range 3 { // three that are safe in the spool, from segment 7 on
			e, _ := b.Open()
			e.Queue()
			e.Hand()
			e.Spool()
		}
		sink, _ := b.Open()
		sink.Queue()
		sink.Hand()
		_, _ = b.Open() // under way
		b.Unspool(1, 0, map[string]uint64{books.ReasonTooLarge: 0}, 7, 42)
		_ = b.Statement(time.Unix(0, 6), false)

		if h, err := books.HeadOf(path); err != nil || h != (books.Head{Segment: 7, Offset: 42}) {
			t.Errorf("head %+v, %v", h, err)
		}
		after, err := books.Resume(path, found)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = after.Detach() }()
		if diff := cmp.Diff(want, after.Tally()); diff != "" || after.Tally().Excess() != 0 {
			t.Errorf("excess %d, -want +got\n%s", after.Tally().Excess(), diff)
		}
		said := after.Statement(time.Unix(0, 7), true)
		if said.Number != 1<<32+2 || said.Final || !said.Closed || !said.Exact || said.Recorder != "shop" || said.IntervalNano != 1e9 || said.StartUnixNano != 5 || said.Pending != 0 {
			t.Errorf("said %v", said)
		}
	}
	f(2, books.Tally{Served: 6, Recorded: 2, Spooled: 2, Dropped: map[string]uint64{books.ReasonKilled: 2}})
	// Written to the spool and not counted yet.
	f(3, books.Tally{Served: 6, Recorded: 2, Spooled: 3, Dropped: map[string]uint64{books.ReasonKilled: 1}})
	// The machine went down: the books are older than the spool, or younger.
	f(5, books.Tally{Served: 8, Recorded: 2, Spooled: 5, Dropped: map[string]uint64{books.ReasonKilled: 1}})
	f(1, books.Tally{Served: 6, Recorded: 2, Spooled: 1, Dropped: map[string]uint64{books.ReasonKilled: 2, books.ReasonSpoolError: 1}})
}

func TestOtherFilesAreNoBooks(t *testing.T) {
	for _, content := range []string{"", "short", strings.Repeat("x", 5000)} {
		path := filepath.Join(t.TempDir(), "books")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := books.Resume(path, 0); !errors.Is(err, books.ErrFile) {
			t.Errorf("%d bytes: %v", len(content), err)
		}
	}
}

// TestWhatKafkaWasGivenIsOnDiskToo: of three that were put in front of the spool
// one was acknowledged before the end.
func TestWhatKafkaWasGivenIsOnDiskToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books")
	b := books.New("shop", time.Unix(0, 5))
	if err := b.Keep(path); err != nil {
		t.Fatal(err)
	}
	var given []*books.Entry
	for range 5 {
		e, _ := b.Open()
		e.Queue()
		e.Hand()
		given = append(given, e)
	}
	b.Rescue(3, 6, 8)
	given[0].Record()
	b.Again()
	given[3].Spool()
	after, err := books.Resume(path, 4) // the fifth was not synced
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = after.Detach() }()
	want := books.Tally{Served: 5, Recorded: 1, Spooled: 3, Dropped: map[string]uint64{books.ReasonKilled: 1}}
	if diff := cmp.Diff(want, after.Tally()); diff != "" || after.Head().Rescued != 3 {
		t.Errorf("rescued %d, -want +got\n%s", after.Head().Rescued, diff)
	}
	after.Unspool(2, 2, nil, 7, 8) // Kafka has the first and another one
	want = books.Tally{Served: 5, Recorded: 4, Dropped: map[string]uint64{books.ReasonKilled: 1}}
	if diff := cmp.Diff(want, after.Tally()); diff != "" || after.Tally().Excess() != 0 {
		t.Errorf("in the end: -want +got\n%s", diff)
	}
	after.Rescue(2, 6, 8)
	after.Again()
	after.Unrescue(7, 8)
	if h := after.Head(); h != (books.Head{Segment: 7, Offset: 8}) {
		t.Errorf("head %+v", h)
	}
}

// TestKeepWhileRequestsCome loses none of them; the race detector looks on.
func TestKeepWhileRequestsCome(t *testing.T) {
	b := books.New("r", time.Unix(0, 5))
	begun, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for i := range 20_000 {
			if e, ok := b.Open(); ok {
				e.Record()
			}
			if i == 0 {
				close(begun)
			}
		}
	}()
	<-begun
	path := filepath.Join(t.TempDir(), "books")
	if err := b.Keep(path); err != nil {
		t.Fatal(err)
	}
	<-done
	if err := b.Detach(); err != nil {
		t.Fatal(err)
	}
	heir, err := books.Resume(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = heir.Detach() }()
	if got := heir.Tally(); got.Served != 20_000 || got.Recorded != 20_000 {
		t.Errorf("the file says %+v", got)
	}
}
