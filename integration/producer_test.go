package integration

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// TestProducerWhileKafkaIsSilent: a frozen broker neither answers nor refuses.
// The caller is never held up, the buffer stays at its bound, each record gets
// exactly one answer, and what was answered nil is in the topic once.
func TestProducerWhileKafkaIsSilent(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Faults: true})
	cfg := stream.Config{Brokers: c.Addrs()}
	pc := stream.DefaultProducerConfig()
	pc.MaxRecords, pc.DeliveryTimeout = 50, time.Minute
	p, err := stream.NewProducer(t.Context(), cfg, pc)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	names := topic.NamesFor(c.Prefix(t))
	if _, err := stream.Apply(t.Context(), p.Client(), topic.Specs(names, topic.Sizing{Partitions: 1})); err != nil {
		t.Fatal(err)
	}

	var mu sync.Mutex
	answers, written, full := map[string]int{}, map[string]bool{}, 0
	try := func(i int) {
		p.TryProduce(t.Context(), record(t, names, i), func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			answers[string(r.Key)]++
			switch {
			case err == nil:
				written[string(r.Key)] = true
			case errors.Is(err, stream.ErrFull):
				full++
			default:
				t.Logf("%s: %v", r.Key, err)
			}
		})
	}
	try(0)
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.PauseBroker(t, 0)
	const total = 300
	for i := 1; i < total; i++ {
		try(i) // would block for ever if it waited
	}
	if records, _ := p.Buffered(); records > int64(pc.MaxRecords) {
		t.Errorf("%d records buffered, the bound is %d", records, pc.MaxRecords)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flush to a silent broker: %v, want the end of its context", err)
	}
	c.ResumeBroker(t, 0)
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}

	mu.Lock()
	defer mu.Unlock()
	if len(answers) != total || full < total-1-pc.MaxRecords || len(written) < 1 || len(written) > 1+pc.MaxRecords {
		t.Errorf("%d answers, %d full, %d written", len(answers), full, len(written))
	}
	for key, n := range answers {
		if n != 1 {
			t.Errorf("%s: %d answers", key, n)
		}
	}
	last, err := stream.Latest(t.Context(), cfg, names.Exchanges)
	if err != nil {
		t.Fatal(err)
	}
	ends, err := stream.Ends(t.Context(), p.Client(), names.Exchanges)
	if err != nil {
		t.Fatal(err)
	}
	for key := range written {
		if last[key] == nil {
			t.Errorf("%s was acknowledged and is not in the topic", key)
		}
	}
	if len(last) != len(written) || ends[0] != int64(len(written)) {
		t.Errorf("the topic holds %d keys in %d records, %d were acknowledged", len(last), ends[0], len(written))
	}
}
