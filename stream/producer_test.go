package stream_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// TestProducerWhileKafkaIsDead: nothing waits, the buffer keeps its bound, and
// each record is answered when its time is up.
func TestProducerWhileKafkaIsDead(t *testing.T) {
	cluster, cfg := broker(t, kfake.SeedTopics(1, "t"))
	pc := stream.DefaultProducerConfig()
	pc.MaxRecords, pc.DeliveryTimeout = 10, time.Second
	p, err := stream.NewProducer(t.Context(), cfg, pc)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.ProduceSync(t.Context(), &kgo.Record{Topic: "t"}); err != nil {
		t.Fatal(err)
	}
	cluster.Close()
	var full, expired, written atomic.Int32
	for range 100 {
		p.TryProduce(t.Context(), &kgo.Record{Topic: "t", Value: []byte("v")}, func(_ *kgo.Record, err error) {
			switch {
			case err == nil:
				written.Add(1)
			case errors.Is(err, stream.ErrFull):
				full.Add(1)
			default:
				expired.Add(1)
			}
		})
	}
	if records, bytes := p.Buffered(); records != 10 || bytes != 10 {
		t.Errorf("%d records, %d bytes buffered, want 10 and 10", records, bytes)
	}
	if err := p.Flush(t.Context()); err != nil { // ends when the last one was given up
		t.Fatal(err)
	}
	if full.Load() != 90 || expired.Load() != 10 || written.Load() != 0 {
		t.Errorf("full %d, expired %d, written %d; want 90, 10, 0", full.Load(), expired.Load(), written.Load())
	}
}

// TestProducerOutlivesItsTopic: one that is deleted and made again, perhaps with
// other partitions, is written to again, in whatever way.
func TestProducerOutlivesItsTopic(t *testing.T) {
	_, cfg := broker(t, kfake.SeedTopics(1, "t"))
	p, err := stream.NewProducer(t.Context(), cfg, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ways := map[string]func(*kgo.Record) error{
		"ProduceSync": func(r *kgo.Record) error { return p.ProduceSync(t.Context(), r) },
		"Produce": func(r *kgo.Record) error {
			answer := make(chan error, 1)
			p.Produce(t.Context(), r, func(_ *kgo.Record, err error) { answer <- err })
			return <-answer
		},
		"TryProduce": func(r *kgo.Record) error {
			answer := make(chan error, 1)
			p.TryProduce(t.Context(), r, func(_ *kgo.Record, err error) { answer <- err })
			return <-answer
		},
	}
	admin := kadm.NewClient(p.Client())
	partitions := int32(1)
	for name, produce := range ways {
		if err := produce(&kgo.Record{Topic: "t"}); err != nil {
			t.Fatal(name, err)
		}
		if _, err := admin.DeleteTopic(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		partitions++
		if _, err := admin.CreateTopic(t.Context(), partitions, 1, nil, "t"); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := produce(&kgo.Record{Topic: "t"})
			if err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: the new topic is never written to: %v", name, err)
			}
		}
	}
}

// TestProducerBoundsBytes: the buffer is bounded in bytes too.
func TestProducerBoundsBytes(t *testing.T) {
	cluster, cfg := broker(t, kfake.SeedTopics(1, "t"))
	pc := stream.DefaultProducerConfig()
	pc.MaxBytes, pc.DeliveryTimeout = topic.MaxMessageBytes, time.Second
	p, err := stream.NewProducer(t.Context(), cfg, pc)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cluster.Close()
	var full atomic.Int32
	for range 20 {
		p.TryProduce(t.Context(), &kgo.Record{Topic: "t", Value: make([]byte, 1<<20)}, func(_ *kgo.Record, err error) {
			if errors.Is(err, stream.ErrFull) {
				full.Add(1)
			}
		})
	}
	if records, bytes := p.Buffered(); records != 8 || bytes > topic.MaxMessageBytes {
		t.Errorf("%d records, %d bytes buffered, want 8 of 1 MiB", records, bytes)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if full.Load() != 12 {
		t.Errorf("%d refused, want 12", full.Load())
	}
}

// TestProducerTakesWhatTopicsTake: a record as large as our topics allow goes
// out, whatever the client's own default is.
func TestProducerTakesWhatTopicsTake(t *testing.T) {
	_, cfg := broker(t)
	pc := stream.DefaultProducerConfig()
	pc.Compression = "none"
	p, err := stream.NewProducer(t.Context(), cfg, pc)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	names := topic.NamesFor("")
	if _, err := stream.Apply(t.Context(), p.Client(), topic.Specs(names, topic.Sizing{Partitions: 1})); err != nil {
		t.Fatal(err)
	}
	large := make([]byte, topic.MaxMessageBytes-4096)
	if err := p.ProduceSync(t.Context(), &kgo.Record{Topic: names.Replays, Value: large}); err != nil {
		t.Errorf("a record of %d bytes: %v", len(large), err)
	}
}

// TestPartitionsAreThoseOfJava: Kafka's own clients choose the same partition
// for a session. The hashes are those of Kafka's UtilsTest.
func TestPartitionsAreThoseOfJava(t *testing.T) {
	const partitions = 97
	_, cfg := broker(t, kfake.SeedTopics(partitions, "t"))
	p, err := stream.NewProducer(t.Context(), cfg, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f := func(key string, murmur2 int32) {
		t.Helper()
		r := &kgo.Record{Topic: "t", Key: []byte(key)}
		if err := p.ProduceSync(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if want := (murmur2 & 0x7fffffff) % partitions; r.Partition != want {
			t.Errorf("%q went to partition %d, want %d", key, r.Partition, want)
		}
	}
	f("21", -973932308)
	f("foobar", -790332482)
	f("a-little-bit-long-string", -985981536)
	f("a-little-bit-longer-string", -1486304829)
	f("abc", 479470107)
}

func TestValidateReportsEveryMistake(t *testing.T) {
	f := func(err error, want ...string) {
		t.Helper()
		if len(want) == 0 && err != nil {
			t.Errorf("unexpected: %v", err)
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("got %v, want %q in it", err, w)
			}
		}
	}
	f(stream.DefaultConfig().Validate())
	f(stream.Config{}.Validate(), "at least one")
	f(stream.Config{Brokers: []string{"a", "b:1", "http://c:1"}}.Validate(), `"a"`, `"http://c:1"`)
	f(stream.DefaultProducerConfig().Validate())
	f(stream.ProducerConfig{Compression: "rar"}.Validate(), "max_records", "delivery_timeout", `"rar"`)
	for _, c := range []string{"zstd", "lz4", "snappy", "none"} {
		p := stream.DefaultProducerConfig()
		p.Compression = c
		f(p.Validate())
	}
}

// BenchmarkProduce compares what a record costs its caller with the client
// underneath.
func BenchmarkProduce(b *testing.B) {
	_, cfg := broker(b, kfake.SeedTopics(1, "t"))
	p, err := stream.NewProducer(b.Context(), cfg, stream.DefaultProducerConfig())
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	value := []byte(strings.Repeat(`{"id":12345,"state":"open"}`, 40))
	run := func(produce func(*kgo.Record, func(*kgo.Record, error))) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(value)))
			for i := range b.N {
				produce(&kgo.Record{Topic: "t", Key: fmt.Append(nil, i%100), Value: value}, func(_ *kgo.Record, err error) {
					if err != nil {
						b.Error(err)
					}
				})
			}
			if err := p.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("stream", run(func(r *kgo.Record, done func(*kgo.Record, error)) { p.Produce(b.Context(), r, done) }))
	b.Run("kgo", run(func(r *kgo.Record, done func(*kgo.Record, error)) { p.Client().Produce(b.Context(), r, done) }))
}
