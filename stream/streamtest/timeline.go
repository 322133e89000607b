package streamtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (k kit) timelineMergesPartitionsByStart(t *testing.T) {
	names := k.topics(t, 4)
	r := rand.New(rand.NewPCG(1, 1))
	var es []*understudyv1.Exchange
	for i := range 3000 {
		es = append(es, exchange(i, fmt.Sprint("s", r.IntN(50)), time.Duration(i)*time.Millisecond, time.Duration(r.IntN(400))*time.Millisecond))
	}
	// Exchanges are stored in the order in which they end.
	stored := slices.Clone(es)
	slices.SortStableFunc(stored, func(a, b *understudyv1.Exchange) int {
		return int(a.StartUnixNano + a.DurationNano - b.StartUnixNano - b.DurationNano)
	})
	k.publish(t, names, stored...)
	foreign := &kgo.Record{Topic: names.Exchanges, Value: []byte("not ours")}
	if err := k.dial(t).ProduceSync(t.Context(), foreign).FirstErr(); err != nil {
		t.Fatal(err)
	}

	f := func(tc stream.TimelineConfig, want []*understudyv1.Exchange, unselected map[string]uint64) {
		t.Helper()
		tc.Topic = names.Exchanges
		dead := 0
		tl, err := stream.OpenTimeline(t.Context(), k.cfg, tc, func(*kgo.Record, error) { dead++ })
		if err != nil {
			t.Fatal(err)
		}
		defer tl.Close()
		for i := 0; ; i++ {
			e, err := tl.Next(t.Context())
			if errors.Is(err, io.EOF) {
				if i != len(want) {
					t.Errorf("delivered %d exchanges, want %d", i, len(want))
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if i < len(want) && !proto.Equal(e, want[i]) {
				t.Fatalf("at %d: got %s, want %s", i, e.Id, want[i].Id)
			}
		}
		got := tl.Stats()
		if got.Late != 0 || dead != 1 {
			t.Errorf("late %d, foreign %d, want 0 and 1", got.Late, dead)
		}
		if diff := cmp.Diff(unselected, got.Unselected); diff != "" {
			t.Errorf("unselected (-want +got):\n%s", diff)
		}
	}
	f(stream.TimelineConfig{}, es, map[string]uint64{"foreign": 1})
	f(stream.TimelineConfig{WindowRecords: 1000}, es, map[string]uint64{"foreign": 1})
	f(stream.TimelineConfig{Recorders: []string{"nobody"}}, nil, map[string]uint64{"foreign": 1, "recorder": 3000})
	f(stream.TimelineConfig{To: time.Unix(0, es[100].StartUnixNano)}, es[:100], map[string]uint64{"foreign": 1, "after_to": 2900})
}

func (k kit) timelineFollowHoldsBack(t *testing.T) {
	names := k.topics(t, 2)
	k.publish(t, names, exchange(1, "old", 0, 0))
	tl, err := stream.OpenTimeline(t.Context(), k.cfg, stream.TimelineConfig{Topic: names.Exchanges, Follow: true, Delay: 300 * time.Millisecond}, func(*kgo.Record, error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer tl.Close()
	now := time.Now()
	a, b := exchange(2, "a", 0, 0), exchange(3, "b", 0, 0)
	a.StartUnixNano, b.StartUnixNano = now.Add(50*time.Millisecond).UnixNano(), now.UnixNano()
	k.publish(t, names, a, b)
	for _, want := range []string{"e3", "e2"} {
		e, err := tl.Next(t.Context())
		if err != nil || e.Id != want {
			t.Fatalf("got %v %v, want %s", e, err, want)
		}
		if early := time.Until(time.Unix(0, e.StartUnixNano).Add(300 * time.Millisecond)); early > 0 {
			t.Errorf("%s came %s before its time", e.Id, early)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tl.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

func (k kit) timelineStartsAtFrom(t *testing.T) {
	names := k.topics(t, 3)
	k.publish(t, names, exchanges(1000, 20)...)
	f := func(from time.Duration, follow bool, want int) {
		t.Helper()
		tl := k.open(t, stream.TimelineConfig{Topic: names.Exchanges, From: began.Add(from), Follow: follow})
		for i := range want {
			e, err := tl.Next(t.Context())
			if err != nil || e.Id != fmt.Sprint("e", 1000-want+i) {
				t.Fatalf("from %v, at %d: %v, %v", from, i, e.GetId(), err)
			}
		}
		// How precisely the time index leads to the first is up to the broker.
		if got := tl.Stats(); got.Read != uint64(want)+got.Unselected["before_from"] {
			t.Errorf("from %v: %+v, want %d delivered and the others before_from", from, got, want)
		}
		if follow {
			return
		}
		if _, err := tl.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("from %v: got %v, want io.EOF", from, err)
		}
	}
	f(0, false, 1000)
	f(990*time.Millisecond, false, 10)
	f(time.Minute, false, 0)
	f(0, true, 1000)
	f(400*time.Millisecond, true, 600)
}

// timelineFollowLosesNothing reads with waits so short that most end while
// records are coming in.
func (k kit) timelineFollowLosesNothing(t *testing.T) {
	names := k.topics(t, 2)
	tl := k.open(t, stream.TimelineConfig{Topic: names.Exchanges, Follow: true})
	const total = 600
	published := make(chan struct{})
	defer func() { <-published }()
	go func() {
		defer close(published)
		for i := 0; i < total; i += 20 {
			k.publish(t, names, exchanges(total, 9)[i:i+20]...)
		}
	}()
	ids := map[string]bool{}
	for len(ids) < total {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		e, err := tl.Next(ctx)
		cancel()
		switch {
		case t.Context().Err() != nil:
			t.Fatal(t.Context().Err())
		case errors.Is(err, context.DeadlineExceeded):
		case err != nil:
			t.Fatal(err)
		case ids[e.Id]:
			t.Fatalf("%s came twice", e.Id)
		default:
			ids[e.Id] = true
		}
	}
}

func (k kit) timelineOfAnEmptyTopicEnds(t *testing.T) {
	names := k.topics(t, 2)
	tl := k.open(t, stream.TimelineConfig{Topic: names.Exchanges})
	if _, err := tl.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want io.EOF", err)
	}
	_, err := stream.OpenTimeline(t.Context(), k.cfg, stream.TimelineConfig{Topic: names.Exchanges + "-not"}, nil)
	if !errors.Is(err, stream.ErrTopics) {
		t.Errorf("a topic that does not exist: got %v, want ErrTopics", err)
	}
}

func (k kit) open(t *testing.T, tc stream.TimelineConfig) *stream.Timeline {
	t.Helper()
	tl, err := stream.OpenTimeline(t.Context(), k.cfg, tc, func(r *kgo.Record, err error) { t.Errorf("foreign: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tl.Close)
	return tl
}
