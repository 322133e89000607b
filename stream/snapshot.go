package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// TopicID is Kafka's id of a topic, as a Batch has it.
func TopicID(ctx context.Context, client *kgo.Client, name string) (string, error) {
	details, err := kadm.NewClient(client).ListTopics(ctx, name)
	if err == nil {
		err = details[name].Err
	}
	if err != nil {
		return "", fmt.Errorf("id of topic %s: %w", name, err)
	}
	return details[name].ID.String(), nil
}

// Snapshot is what a topic holds at one moment, read without a group. Not safe
// for concurrent use.
type Snapshot struct {
	reader  *rangeReader
	topicID string
	size    int64
}

// OpenSnapshot marks the current end of a topic. Records written before from are
// left out; zero takes all.
func OpenSnapshot(ctx context.Context, cfg Config, name string, from time.Time) (*Snapshot, error) {
	client, err := Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	id, err := TopicID(ctx, client, name)
	if err != nil {
		return nil, err
	}
	milli := int64(0)
	if !from.IsZero() {
		milli = max(from.UnixMilli(), 1)
	}
	starts, ends, err := bounds(ctx, kadm.NewClient(client), name, milli)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{topicID: id}
	for number, end := range ends {
		s.size += max(0, end-max(0, starts[number]))
	}
	if s.reader, err = openRange(ctx, cfg, name, starts, ends); err != nil {
		return nil, err
	}
	return s, nil
}

// Size is how many offsets are to be read.
func (s *Snapshot) Size() int64 { return s.size }

// Close ends reading.
func (s *Snapshot) Close() { s.reader.close() }

// heldBytes bounds what Each collects of all partitions together before it hands
// over the largest batch as it is.
const heldBytes = 32 << 20

// Each hands all records over in batches of one partition each, of at most
// records records and bytes bytes (one more record than that), up to workers of
// them at a time. It returns the first error, when no handler is running any
// more.
func (s *Snapshot) Each(parent context.Context, records int, bytes int64, workers int, handle Handler) error {
	group, ctx := errgroup.WithContext(parent)
	group.SetLimit(max(1, workers))
	held := map[int32]*Batch{}
	weight, sum := map[int32]int64{}, int64(0)
	send := func(number int32) {
		b := *held[number]
		b.First, b.End = b.Records[0].Offset, b.Records[len(b.Records)-1].Offset+1
		sum -= weight[number]
		delete(held, number)
		delete(weight, number)
		group.Go(func() error { return handle(ctx, b) })
	}
	var err error
	for err == nil && !s.reader.finished() {
		var some []*kgo.Record
		if some, err = s.reader.fetch(ctx); err != nil {
			break
		}
		for _, r := range some {
			if held[r.Partition] == nil {
				held[r.Partition] = &Batch{Topic: r.Topic, TopicID: s.topicID, Partition: r.Partition}
			}
			b := held[r.Partition]
			b.Records = append(b.Records, r)
			weight[r.Partition] += sizeOf(r)
			sum += sizeOf(r)
			if len(b.Records) >= records || weight[r.Partition] >= bytes {
				send(r.Partition)
			} else if sum >= heldBytes {
				send(heaviest(weight))
			}
		}
	}
	for number := range held {
		if err == nil {
			send(number)
		}
	}
	// An error of a handler ends ctx, and so the reading: it is the one to tell.
	if failed := group.Wait(); failed != nil {
		return failed
	}
	return errors.Join(parent.Err(), err)
}

// heaviest is the partition of the greatest weight.
func heaviest(weight map[int32]int64) (number int32) {
	most := int64(-1)
	for n, w := range weight {
		if w > most {
			number, most = n, w
		}
	}
	return number
}
