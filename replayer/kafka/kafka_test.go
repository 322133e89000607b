package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/target"
	"understudy.dev/exchange/token"
	"understudy.dev/replayer"
	"understudy.dev/replayer/kafka"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

var (
	_ replayer.Source = (*kafka.Source)(nil)
	_ replayer.Sink   = (*kafka.Sink)(nil)

	names = topic.NamesFor("")
)

func setUp(t *testing.T) (*kfake.Cluster, stream.Config, *stream.Producer) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, names.Exchanges, names.Replays, names.Runs))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cfg, pc := stream.Config{Brokers: cluster.ListenAddrs()}, stream.DefaultProducerConfig()
	pc.DeliveryTimeout = time.Second
	p, err := stream.NewProducer(t.Context(), cfg, pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return cluster, cfg, p
}

// TestSource: the exchanges of the topic, then the end.
func TestSource(t *testing.T) {
	_, cfg, p := setUp(t)
	want := &understudyv1.Exchange{Id: "e", Session: "s", Recorder: "r", StartUnixNano: time.Now().UnixNano()}
	record, err := stream.ExchangeRecord(names, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.ProduceSync(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	timeline, err := stream.OpenTimeline(t.Context(), cfg, stream.TimelineConfig{Topic: names.Exchanges}, func(*kgo.Record, error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer timeline.Close()
	source := kafka.NewSource(timeline)
	got, err := source.Next(t.Context())
	if diff := cmp.Diff(want, got, protocmp.Transform()); err != nil || diff != "" {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	if _, err := source.Next(t.Context()); !errors.Is(err, io.EOF) || errors.Is(err, kafka.ErrKafka) {
		t.Errorf("at the end: %v", err)
	}
}

// TestSinkBlamesKafka: what cannot be written is told apart from what is wrong
// with the run, in the words of its cause.
func TestSinkBlamesKafka(t *testing.T) {
	cluster, _, p := setUp(t)
	key, err := token.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	sink := kafka.NewSink(p, names, redact.New(redact.Config{}, key))
	if err := errors.Join(sink.Run(t.Context(), &understudyv1.Run{Name: "r"}), sink.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	cookie := &understudyv1.Header{Name: "Set-Cookie", Value: []byte("sid=hush")}
	sink.Replay(t.Context(), &understudyv1.Replay{
		Run: "r", Exchange: &understudyv1.Exchange{Id: "e"},
		Candidate: &understudyv1.Observation{Ack: &understudyv1.Response{Headers: []*understudyv1.Header{cookie}}},
	}, func(err error) { written <- err })
	if err := <-written; err != nil {
		t.Errorf("a replay: %v", err)
	}
	if !strings.HasPrefix(string(cookie.Value), "sid=rdx_") {
		t.Errorf("written with %s", cookie.Value)
	}
	cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = sink.Run(ctx, &understudyv1.Run{Name: "r"})
	if !errors.Is(err, kafka.ErrKafka) || errors.Unwrap(err) == nil || err.Error() != errors.Unwrap(err).Error() {
		t.Errorf("without a broker: %v", err)
	}
}

// TestTopics: a subscription begins at the end of every partition, and one to a
// topic that is not there says so.
func TestTopics(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "replies"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	topics, err := kafka.NewTopics(t.Context(), stream.Config{Brokers: cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer topics.Close()
	produce := func(key string) {
		t.Helper()
		m := target.Message{Key: []byte(key), Value: []byte("v" + key), Headers: []*understudyv1.Header{{Name: "correlationId", Value: []byte(key)}}}
		if err := topics.Produce(t.Context(), "replies", m); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		produce(fmt.Sprint("before", i))
	}
	got := make(chan target.Message, 100)
	stop, err := topics.Subscribe(t.Context(), "replies", func(m target.Message) { got <- m })
	if err != nil {
		t.Fatal(err)
	}
	partitions, keys := map[int32]bool{}, map[string]bool{}
	for i := range 20 {
		produce(fmt.Sprint(i))
	}
	for range 20 {
		m := <-got
		partitions[m.Partition], keys[string(m.Key)] = true, true
		if string(m.Value) != "v"+string(m.Key) || string(m.Headers[0].GetValue()) != string(m.Key) || m.Offset < 0 {
			t.Errorf("got %+v", m)
		}
	}
	stop()
	if len(keys) != 20 || len(partitions) != 3 || len(got) != 0 {
		t.Errorf("%d keys in %d partitions, %d too many", len(keys), len(partitions), len(got))
	}
	if _, err := topics.Subscribe(t.Context(), "none", nil); err == nil || !strings.Contains(err.Error(), "topic none") {
		t.Errorf("a topic that is not there: %v", err)
	}
}
