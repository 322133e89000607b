package streamtest

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// store takes batches like a database whose rows replace themselves.
type store struct {
	mu      sync.Mutex
	next    map[int32]int64 // by partition: behind the last record that came
	records int
	again   int
}

func newStore() *store { return &store{next: map[int32]int64{}} }

// add checks that batches omit no record and keep the order, and counts those
// that come again.
func (s *store) add(t *testing.T, b stream.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var offsets []int64
	for _, r := range b.Records {
		offsets = append(offsets, r.Offset)
	}
	if next := s.next[b.Partition]; b.First > next || !slices.IsSorted(offsets) || len(offsets) == 0 ||
		offsets[0] != b.First || offsets[len(offsets)-1] != b.End-1 || b.End-b.First != int64(len(offsets)) {
		t.Errorf("batch %d/[%d,%d) of offsets %v, want one without holes that begins at %d at most", b.Partition, b.First, b.End, offsets, next)
	}
	came := int(max(0, b.End-max(b.First, s.next[b.Partition])))
	s.next[b.Partition] = max(s.next[b.Partition], b.End)
	s.records += came
	s.again += len(offsets) - came
}

func (k kit) consumer(t *testing.T, cc stream.ConsumerConfig, h stream.Handler) *stream.Consumer {
	t.Helper()
	c, err := stream.NewConsumer(k.cfg, cc, h, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func consumerConfig(names topic.Names, maxRecords int) stream.ConsumerConfig {
	cc := stream.DefaultConsumerConfig()
	cc.Group, cc.Topics, cc.MaxRecords, cc.MaxWait = group(names), []string{names.Exchanges}, maxRecords, 20*time.Millisecond
	return cc
}

func (k kit) passed(t *testing.T, client *kgo.Client, names topic.Names) bool {
	ends, err := stream.Ends(t.Context(), client, names.Exchanges)
	if err != nil {
		t.Error(err)
		return true
	}
	ok, err := stream.Passed(t.Context(), client, group(names), names.Exchanges, ends)
	if err != nil {
		t.Error(err)
		return true
	}
	return ok
}

// until cancels when the group has handled everything.
func (k kit) until(ctx context.Context, t *testing.T, names topic.Names, cancel func()) {
	client := k.dial(t)
	for ctx.Err() == nil && !k.passed(t, client, names) {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	cancel()
}

// consumerRepeatsWhatWasNotCommitted lets consumers die between the effect of a
// batch and its commit, again and again, each with other bounds.
func (k kit) consumerRepeatsWhatWasNotCommitted(t *testing.T) {
	names := k.topics(t, 3)
	const total = 2000
	k.publish(t, names, exchanges(total, 37)...)
	client, s, r := k.dial(t), newStore(), rand.New(rand.NewPCG(3, 4))
	for lives := 0; !k.passed(t, client, names); lives++ {
		if lives > 200 {
			t.Fatal("the group never got to the end")
		}
		k.live(t, names, s, r)
	}
	if s.records != total || s.again == 0 {
		t.Errorf("%d records, %d again; want %d and some", s.records, s.again, total)
	}
}

// live runs one consumer for a few batches; the last has its effect and is
// never committed.
func (k kit) live(t *testing.T, names topic.Names, s *store, r *rand.Rand) {
	t.Helper()
	ctx, kill := context.WithTimeout(t.Context(), 20*time.Second)
	defer kill()
	budget := r.IntN(6)
	var mu sync.Mutex
	c := k.consumer(t, consumerConfig(names, 30+r.IntN(100)), func(_ context.Context, b stream.Batch) error {
		s.add(t, b)
		mu.Lock()
		defer mu.Unlock()
		if budget--; budget < 0 {
			kill()
			return errors.New("killed before the commit")
		}
		return nil
	})
	watched := make(chan struct{})
	go func() { defer close(watched); k.until(ctx, t, names, kill) }()
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
	kill()
	<-watched
}

// consumersShareAGroup has members come and go while records flow, with so
// little room that they are waited for most of the time.
func (k kit) consumersShareAGroup(t *testing.T) {
	names := k.topics(t, 4)
	const total, part = 6000, 30
	es, s := exchanges(total, 41), newStore()
	k.publish(t, names, es[:part]...)
	all, finish := context.WithTimeout(t.Context(), time.Minute)
	defer finish()

	run := func(ctx context.Context) (batches func() int, wait func()) {
		var mu sync.Mutex
		n := 0
		cc := consumerConfig(names, 10)
		cc.MaxHeld, cc.Handlers = 8<<10, 2
		c := k.consumer(t, cc, func(ctx context.Context, b stream.Batch) error {
			select { // slow, so that members meet
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond):
			}
			s.add(t, b)
			mu.Lock()
			defer mu.Unlock()
			n++
			return nil
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := c.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		return func() int { mu.Lock(); defer mu.Unlock(); return n }, func() { <-done }
	}
	// Records keep coming until a member has handled a few batches.
	published := part
	reach := func(batches func() int) {
		for want := batches() + 5; batches() < want && all.Err() == nil; {
			if published < total {
				k.publish(t, names, es[published:published+part]...)
				published += part
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	first, stopFirst := context.WithCancel(all)
	defer stopFirst()
	a, waitA := run(first)
	reach(a)
	b, waitB := run(all)
	reach(b)
	stopFirst()
	waitA()
	k.publish(t, names, es[published:]...)
	k.until(all, t, names, finish)
	waitB()
	if s.records != total {
		t.Errorf("%d records handled, want %d", s.records, total)
	}
	if a() == 0 || b() == 0 {
		t.Errorf("batches: %d by the first member, %d by the second; want both at work", a(), b())
	}
}

func (k kit) consumerGivesUpOnABatchThatCannotBeHandled(t *testing.T) {
	names := k.topics(t, 1)
	k.publish(t, names, exchange(1, "s", 0, 0))
	cc := consumerConfig(names, 10)
	cc.Retries = 2
	tries, broken := 0, errors.New("disk full")
	c := k.consumer(t, cc, func(context.Context, stream.Batch) error { tries++; return broken })
	if err := c.Run(t.Context()); !errors.Is(err, broken) || tries != 3 {
		t.Errorf("got %v after %d tries, want %v after 3", err, tries, broken)
	}
}

// consumerPassesWhatIsGone: retention may delete what a dead consumer had begun;
// the next one must not wait for it forever.
func (k kit) consumerPassesWhatIsGone(t *testing.T) {
	names := k.topics(t, 1)
	k.publish(t, names, exchanges(20, 1)...)
	died, die := context.WithCancel(t.Context())
	c := k.consumer(t, consumerConfig(names, 10), func(context.Context, stream.Batch) error {
		die()
		return errors.New("killed before the commit")
	})
	if err := c.Run(died); err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(k.dial(t))
	gone := kadm.Offsets{}
	gone.AddOffset(names.Exchanges, 0, 15, -1)
	if _, err := admin.DeleteRecords(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []int64
	c = k.consumer(t, consumerConfig(names, 10), func(_ context.Context, b stream.Batch) error {
		for _, r := range b.Records {
			got = append(got, r.Offset)
		}
		return nil
	})
	watched := make(chan struct{})
	go func() { defer close(watched); k.until(ctx, t, names, cancel) }()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	<-watched
	if diff := cmp.Diff([]int64{15, 16, 17, 18, 19}, got); diff != "" {
		t.Errorf("offsets (-want +got):\n%s", diff)
	}
}
