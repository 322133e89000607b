package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/recorder/kafka"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var names = topic.NamesFor("")

// setUp is a broker with both topics and a producer with room for few records.
func setUp(t *testing.T) (*kfake.Cluster, *stream.Producer) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, names.Exchanges, names.Tallies))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	pc := stream.DefaultProducerConfig()
	pc.MaxRecords, pc.DeliveryTimeout = 10, time.Second
	p, err := stream.NewProducer(t.Context(), stream.Config{Brokers: cluster.ListenAddrs()}, pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return cluster, p
}

// read is the values of the first n records of a topic.
func read(t *testing.T, cluster *kfake.Cluster, name string, n int) (values [][]byte) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(values) < n {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%s: %d records, want %d", name, len(values), n)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, r.Value) })
	}
	return values
}

func exchange(id string) *understudyv1.Exchange {
	return &understudyv1.Exchange{Id: id, Session: "s"}
}

func TestSinkSaysWhyAnExchangeIsNotTaken(t *testing.T) {
	cluster, p := setUp(t)
	sink := kafka.NewSink(p, p, names)
	results := make(chan error, 100)
	done := func(err error) { results <- err }
	if err := errors.Join(sink.Exchange(exchange("e"), done), sink.Tally(&understudyv1.Tally{Recorder: "r"}, done), sink.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-results, <-results); err != nil {
		t.Fatal(err)
	}
	if len(read(t, cluster, names.Exchanges, 1)) != 1 || len(read(t, cluster, names.Tallies, 1)) != 1 {
		t.Error("the topics hold something else than what was given")
	}

	large := exchange("large")
	large.Request = &understudyv1.Request{Target: make([]byte, 32<<20)}
	if err := sink.Exchange(large, done); err != nil {
		t.Fatal(err)
	}
	if err := <-results; !errors.Is(err, recorder.ErrTooLarge) {
		t.Errorf("an exchange of 32 MiB: %v", err)
	}

	cluster.Close()
	if err := sink.Refuses(); err != nil {
		t.Errorf("with an empty buffer: %v", err)
	}
	for range 30 {
		if err := sink.Exchange(exchange("e"), done); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Refuses(); !errors.Is(err, recorder.ErrFull) {
		t.Errorf("with a full buffer: %v", err)
	}
	if err := sink.Flush(t.Context()); err != nil { // ends when the last one was given up
		t.Fatal(err)
	}
	full, lost := 0, 0
	for range 30 {
		switch err := <-results; {
		case errors.Is(err, recorder.ErrFull):
			full++
		case err != nil:
			lost++
		}
	}
	if full != 20 || lost != 10 {
		t.Errorf("without Kafka %d of 30 found the buffer of 10 full, %d were lost", full, lost)
	}
}

func TestWriterKeepsBooks(t *testing.T) {
	cluster, p := setUp(t)
	w := kafka.NewWriter(p, names, "import-x")
	for range 40 { // more than the buffer holds: Write waits
		if err := w.Write(t.Context(), exchange("e")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := new(understudyv1.Tally)
	if err := proto.Unmarshal(read(t, cluster, names.Tallies, 1)[0], got); err != nil {
		t.Fatal(err)
	}
	want := &understudyv1.Tally{
		Recorder: "import-x", Number: 1, StartUnixNano: got.StartUnixNano, TimeUnixNano: got.TimeUnixNano,
		Served: 40, Recorded: 40, Final: true,
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(read(t, cluster, names.Exchanges, 40)) != 40 {
		t.Error("the topic holds something else than what was given")
	}
}

func TestWriterFailsWithKafka(t *testing.T) {
	cluster, p := setUp(t)
	w := kafka.NewWriter(p, names, "import-x")
	if err := w.Write(t.Context(), exchange("e")); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	cluster.Close()
	var err error
	for range 40 {
		if err = w.Write(t.Context(), exchange("e")); err != nil {
			break
		}
	}
	if !errors.Is(err, kafka.ErrWrite) {
		t.Errorf("writing: %v", err)
	}
	if err := w.Finish(t.Context()); !errors.Is(err, kafka.ErrWrite) {
		t.Errorf("at the end: %v", err)
	}
	tally := w.Tally()
	if tally.Recorded != 1 || tally.Pending() != 0 || tally.Served != 1+tally.Dropped[books.ReasonKafka] {
		t.Errorf("books %+v", tally)
	}
}
