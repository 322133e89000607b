package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker starts a broker of one process with our topics.
func broker(t *testing.T, partitions int32) (stream.Config, topic.Names) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cfg := stream.Config{Brokers: cluster.ListenAddrs()}
	client := dial(t, cfg)
	names := topic.NamesFor("")
	if _, err := stream.Apply(t.Context(), client, topic.Specs(names, topic.Sizing{Partitions: partitions})); err != nil {
		t.Fatal(err)
	}
	return cfg, names
}

func dial(t *testing.T, cfg stream.Config) *kgo.Client {
	t.Helper()
	client, err := stream.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func exchange(i int, session string, start, duration time.Duration) *understudyv1.Exchange {
	return &understudyv1.Exchange{
		Id: fmt.Sprint("e", i), Recorder: "r", Sequence: uint64(i), Session: session,
		StartUnixNano: int64(time.Hour + start), DurationNano: int64(duration),
	}
}

func publish(t *testing.T, cfg stream.Config, names topic.Names, es ...*understudyv1.Exchange) {
	t.Helper()
	p, err := stream.NewProducer(t.Context(), cfg, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, e := range es {
		r, err := stream.ExchangeRecord(names, e)
		if err != nil {
			t.Fatal(err)
		}
		p.Produce(t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestApplyIsIdempotentAndCheckSeesWhatIsMissing(t *testing.T) {
	cfg, names := broker(t, 2)
	client := dial(t, cfg)
	specs := topic.Specs(names, topic.Sizing{Partitions: 2})
	changes, err := stream.Apply(t.Context(), client, specs)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.What != "unchanged" {
			t.Errorf("second apply: %+v", c)
		}
	}
	if err := stream.Check(t.Context(), client, specs); err != nil {
		t.Error(err)
	}
	other := topic.Specs(topic.NamesFor("other"), topic.Sizing{})
	if err := stream.Check(t.Context(), client, other); !errors.Is(err, stream.ErrTopics) {
		t.Errorf("got %v, want ErrTopics", err)
	}
}

func TestDialNamesTheBroker(t *testing.T) {
	_, err := stream.Dial(t.Context(), stream.Config{Brokers: []string{"127.0.0.1:1"}})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(err.Error(), "--kafka") {
		t.Errorf("got %v, want an error that names the address and the flag", err)
	}
}

func TestDecodeRefusesForeignRecords(t *testing.T) {
	names := topic.NamesFor("")
	r, err := stream.ExchangeRecord(names, exchange(1, "s", 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stream.DecodeExchange(r); err != nil || got.Id != "e1" {
		t.Errorf("own record: %v, %v", got, err)
	}
	f := func(r *kgo.Record) {
		t.Helper()
		if _, err := stream.DecodeExchange(r); !errors.Is(err, stream.ErrForeign) {
			t.Errorf("got %v, want ErrForeign", err)
		}
	}
	f(&kgo.Record{Value: []byte("hello")})
	f(&kgo.Record{Value: []byte{0xff, 0xff}, Headers: r.Headers})
	tally, err := stream.TallyRecord(names, &understudyv1.Tally{Recorder: "r"})
	if err != nil {
		t.Fatal(err)
	}
	f(tally)
}

func TestTimelineMergesPartitionsByStart(t *testing.T) {
	cfg, names := broker(t, 4)
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
	publish(t, cfg, names, stored...)
	foreign := &kgo.Record{Topic: names.Exchanges, Value: []byte("not ours")}
	if err := dial(t, cfg).ProduceSync(t.Context(), foreign).FirstErr(); err != nil {
		t.Fatal(err)
	}

	f := func(tc stream.TimelineConfig, want []*understudyv1.Exchange, unselected map[string]uint64) {
		t.Helper()
		tc.Topic = names.Exchanges
		dead := 0
		tl, err := stream.OpenTimeline(t.Context(), cfg, tc, func(*kgo.Record, error) { dead++ })
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

func TestTimelineFollowHoldsBack(t *testing.T) {
	cfg, names := broker(t, 2)
	publish(t, cfg, names, exchange(1, "old", 0, 0))
	tl, err := stream.OpenTimeline(t.Context(), cfg, stream.TimelineConfig{Topic: names.Exchanges, Follow: true, Delay: 300 * time.Millisecond}, func(*kgo.Record, error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer tl.Close()
	now := time.Now()
	a, b := exchange(2, "a", 0, 0), exchange(3, "b", 0, 0)
	a.StartUnixNano, b.StartUnixNano = now.Add(50*time.Millisecond).UnixNano(), now.UnixNano()
	publish(t, cfg, names, a, b)
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

func TestLatestKeepsTheLastOfEachKey(t *testing.T) {
	cfg, names := broker(t, 1)
	client := dial(t, cfg)
	for i := range 10 {
		r, err := stream.RunRecord(names, &understudyv1.Run{Name: fmt.Sprint("run", i%2), Version: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	last, err := stream.Latest(t.Context(), cfg, names.Runs)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for key, r := range last {
		run, err := stream.DecodeRun(r)
		if err != nil {
			t.Fatal(err)
		}
		got[key] = run.Version
	}
	if diff := cmp.Diff(map[string]uint64{"run0": 8, "run1": 9}, got); diff != "" {
		t.Error(diff)
	}
}

// seen collects batches like a database with deduplication by token would.
type seen struct {
	mu      sync.Mutex
	tokens  map[string][]string
	records int
}

func (s *seen) add(b stream.Batch) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		s.tokens = map[string][]string{}
	}
	var ids []string
	for _, r := range b.Records {
		ids = append(ids, fmt.Sprint(r.Partition, "/", r.Offset))
	}
	if old, ok := s.tokens[b.Token]; ok {
		return old
	}
	s.tokens[b.Token] = ids
	s.records += len(ids)
	return nil
}

// TestConsumerRepeatsAnAnnouncedBatch kills a consumer (its handler never
// returns an answer that is committed) at random moments: whatever had been
// handled before is handed out again in the same portions.
func TestConsumerRepeatsAnAnnouncedBatch(t *testing.T) {
	cfg, names := broker(t, 3)
	var es []*understudyv1.Exchange
	const total = 2000
	for i := range total {
		es = append(es, exchange(i, fmt.Sprint("s", i%37), time.Duration(i)*time.Millisecond, 0))
	}
	publish(t, cfg, names, es...)
	client := dial(t, cfg)
	ends, err := stream.Ends(t.Context(), client, names.Exchanges)
	if err != nil {
		t.Fatal(err)
	}
	var db seen
	r := rand.New(rand.NewPCG(3, 4))
	for life := 0; ; life++ {
		if life > 200 {
			t.Fatal("the group never got to the end")
		}
		if passed, err := stream.Passed(t.Context(), client, "g", names.Exchanges, ends); err != nil {
			t.Fatal(err)
		} else if passed {
			break
		}
		live(t, cfg, names, &db, r)
	}
	if db.records != total {
		t.Errorf("the database holds %d records, want %d", db.records, total)
	}
}

// live runs one consumer until it has handled a few batches, the last of which
// it applies to the database but never commits.
func live(t *testing.T, cfg stream.Config, names topic.Names, db *seen, r *rand.Rand) {
	t.Helper()
	ctx, kill := context.WithTimeout(t.Context(), 5*time.Second)
	defer kill()
	budget := r.IntN(6)
	var mu sync.Mutex
	cc := stream.DefaultConsumerConfig()
	cc.Group, cc.Topics = "g", []string{names.Exchanges}
	cc.MaxRecords, cc.MaxWait = 30+r.IntN(100), 20*time.Millisecond
	consumer, err := stream.NewConsumer(cfg, cc, func(ctx context.Context, b stream.Batch) error {
		var ids []string
		for _, r := range b.Records {
			ids = append(ids, fmt.Sprint(r.Partition, "/", r.Offset))
		}
		if old := db.add(b); old != nil {
			if diff := cmp.Diff(old, ids); diff != "" {
				t.Errorf("batch %s came again with other records:\n%s", b.Token, diff)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if budget--; budget < 0 {
			kill()
			return errors.New("killed before the commit")
		}
		return nil
	}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	client := dial(t, cfg)
	go func() { // ends the life when nothing is left
		for ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			ends, err := stream.Ends(ctx, client, names.Exchanges)
			if err != nil {
				return
			}
			if ok, err := stream.Passed(ctx, client, "g", names.Exchanges, ends); err == nil && ok {
				kill()
			}
		}
	}()
	if err := consumer.Run(ctx); err != nil {
		t.Logf("life ended: %v", err)
	}
}

func TestConsumerGivesUpOnABatchThatCannotBeHandled(t *testing.T) {
	cfg, names := broker(t, 1)
	publish(t, cfg, names, exchange(1, "s", 0, 0))
	cc := stream.DefaultConsumerConfig()
	cc.Group, cc.Topics, cc.Retries, cc.MaxWait = "g", []string{names.Exchanges}, 2, time.Millisecond
	tries := 0
	broken := errors.New("disk full")
	consumer, err := stream.NewConsumer(cfg, cc, func(context.Context, stream.Batch) error { tries++; return broken },
		slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if err := consumer.Run(t.Context()); !errors.Is(err, broken) || tries != 3 {
		t.Errorf("got %v after %d tries, want %v after 3", err, tries, broken)
	}
}
