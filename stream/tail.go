package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Tail reads a topic from given offsets to its end and goes on there, without a
// group. Those of one partition come in order.
type Tail struct {
	client *kgo.Client
	topic  string
	size   sizer

	mu sync.Mutex
	at map[int32]int64 // the next offset to be handed over
}

// OpenTail begins at an offset of each partition.
func OpenTail(ctx context.Context, cfg Config, topic string, from map[int32]int64) (*Tail, error) {
	t := &Tail{topic: topic, at: map[int32]int64{}}
	offsets := map[int32]kgo.Offset{}
	for number, offset := range from {
		offsets[number], t.at[number] = kgo.NewOffset().At(offset), offset
	}
	var err error
	t.client, err = Dial(ctx, cfg, append(t.size.options(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}))...)
	return t, err
}

// Run hands the records over until ctx ends, then nil, or until the topic cannot
// be read. Kafka that is away is waited for.
func (t *Tail) Run(ctx context.Context, take func(*kgo.Record)) error {
	for ctx.Err() == nil {
		fetches := t.client.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			// Without a topic it is the connection.
			if e.Topic != "" && ctx.Err() == nil && !errors.Is(e.Err, context.Canceled) {
				return fmt.Errorf("read %s/%d: %w", e.Topic, e.Partition, e.Err)
			}
		}
		fetches.EachRecord(func(r *kgo.Record) {
			take(r)
			t.mu.Lock()
			t.at[r.Partition] = r.Offset + 1
			t.mu.Unlock()
		})
		t.size.adjust(t.client)
	}
	return nil
}

// CaughtUp waits until Run has handed over all that the topic holds now.
func (t *Tail) CaughtUp(ctx context.Context) error {
	ends, err := Ends(ctx, t.client, t.topic)
	if err != nil {
		return err
	}
	for !t.has(ends) {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tail) has(ends map[int32]int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for number, end := range ends {
		if t.at[number] < end {
			return false
		}
	}
	return true
}

// Close ends reading; Run must have returned.
func (t *Tail) Close() { closeSoon(t.client) }
