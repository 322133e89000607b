package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// Topics are those of a candidate that answers on Kafka.
type Topics struct {
	cfg    stream.Config
	client *kgo.Client // writes
}

// NewTopics reads and writes topics of a cluster. Close ends it.
func NewTopics(ctx context.Context, cfg stream.Config) (*Topics, error) {
	client, err := stream.Dial(ctx, cfg, kgo.ProducerLinger(0))
	if err != nil {
		return nil, err
	}
	return &Topics{cfg, client}, nil
}

// Close ends it.
func (t *Topics) Close() { t.client.Close() }

// Produce implements target.Topics.
func (t *Topics) Produce(ctx context.Context, topic string, m target.Message) error {
	r := &kgo.Record{Topic: topic, Key: m.Key, Value: m.Value}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.GetName(), Value: h.GetValue()})
	}
	return t.client.ProduceSync(ctx, r).FirstErr()
}

// Subscribe implements target.Topics.
func (t *Topics) Subscribe(ctx context.Context, topic string, take func(target.Message)) (stop func(), err error) {
	ends, err := kadm.NewClient(t.client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err == nil && len(ends[topic]) == 0 {
		err = errors.New("it does not exist")
	}
	if err != nil {
		return nil, fmt.Errorf("read the replies of topic %s: %w", topic, err)
	}
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) { from[o.Partition] = kgo.NewOffset().At(o.Offset) })
	reader, err := stream.Dial(ctx, t.cfg, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return nil, err
	}
	reading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for reading.Err() == nil {
			reader.PollFetches(reading).EachRecord(func(r *kgo.Record) {
				m := target.Message{Key: r.Key, Value: r.Value, Partition: r.Partition, Offset: r.Offset}
				for _, h := range r.Headers {
					m.Headers = append(m.Headers, &understudyv1.Header{Name: h.Key, Value: h.Value})
				}
				take(m)
			})
		}
	}()
	return func() { cancel(); <-done; reader.Close() }, nil
}
