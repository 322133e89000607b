package integration

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// TestConsumerOutlivesABroker kills the one broker of a cluster while batches
// are handled, twice: all records come, in order, and what comes again is what
// was not committed.
func TestConsumerOutlivesABroker(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Faults: true})
	cfg := stream.Config{Brokers: c.Addrs()}
	client, err := stream.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	names := topic.NamesFor(c.Prefix(t))
	if _, err := stream.Apply(t.Context(), client, topic.Specs(names, topic.Sizing{Partitions: 2})); err != nil {
		t.Fatal(err)
	}
	const total = 1000
	var rs []*kgo.Record
	for i := range total {
		rs = append(rs, record(t, names, i))
	}
	if err := client.ProduceSync(t.Context(), rs...).FirstErr(); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var mu sync.Mutex
	next, handled := map[int32]int64{}, 0
	cc := stream.DefaultConsumerConfig()
	cc.Group, cc.Topics, cc.MaxRecords = names.Exchanges, []string{names.Exchanges}, 20
	consumer, err := stream.NewConsumer(cfg, cc, func(ctx context.Context, b stream.Batch) error {
		time.Sleep(20 * time.Millisecond) // an insert takes time
		mu.Lock()
		defer mu.Unlock()
		if b.First > next[b.Partition] {
			t.Errorf("partition %d: batch [%d,%d), want one that begins at %d at most", b.Partition, b.First, b.End, next[b.Partition])
		}
		handled += int(max(0, b.End-max(b.First, next[b.Partition])))
		next[b.Partition] = max(next[b.Partition], b.End)
		if handled >= total {
			cancel()
		}
		return nil
	}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx) }()
	for _, from := range []int{100, 400} {
		for reached := false; !reached && ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			reached = handled >= from
			mu.Unlock()
		}
		c.KillBroker(t, 0)
		c.StartBroker(t, 0)
	}
	if err := <-done; err != nil || handled != total {
		t.Errorf("handled %d of %d: %v", handled, total, err)
	}
}
