package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
	"understudy.dev/stream/streamtest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

func TestStreamOnRealKafka(t *testing.T) {
	streamtest.Suite(t, stream.Config{Brokers: kafkatest.Shared(t).Addrs()})
}

const sessions = 200

// exchangesTopic makes our topics on the shared broker.
func exchangesTopic(t *testing.T) (*kafkatest.Cluster, *kgo.Client, topic.Names) {
	t.Helper()
	c := kafkatest.Shared(t)
	client, err := stream.Dial(t.Context(), stream.Config{Brokers: c.Addrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	names := topic.NamesFor(c.Prefix(t))
	if _, err := stream.Apply(t.Context(), client, topic.Specs(names, topic.Sizing{Partitions: 16})); err != nil {
		t.Fatal(err)
	}
	return c, client, names
}

func record(t *testing.T, names topic.Names, i int) *kgo.Record {
	t.Helper()
	r, err := stream.ExchangeRecord(names, &understudyv1.Exchange{
		Id: fmt.Sprint("e", i), Session: fmt.Sprint("session-", i), StartUnixNano: time.Now().UnixNano(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAnotherClientReadsWhatWeWrite: same bytes, same headers, same partition
// as that client would have chosen.
func TestAnotherClientReadsWhatWeWrite(t *testing.T) {
	c, client, names := exchangesTopic(t)
	balancer := kafka.Murmur2Balancer{Consistent: true}
	partitions := make([]int, 16)
	for i := range partitions {
		partitions[i] = i
	}
	for i := range sessions {
		r := record(t, names, i)
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if want := balancer.Balance(kafka.Message{Key: r.Key}, partitions...); int(r.Partition) != want {
			t.Errorf("%s went to partition %d, kafka-go would choose %d", r.Key, r.Partition, want)
		}
		if i%20 == 0 {
			sameThere(t, c.Addrs(), r)
		}
	}
}

// sameThere reads one record with kafka-go.
func sameThere(t *testing.T, addrs []string, want *kgo.Record) {
	t.Helper()
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: addrs, Topic: want.Topic, Partition: int(want.Partition), MaxWait: 100 * time.Millisecond})
	defer reader.Close()
	if err := reader.SetOffset(want.Offset); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := reader.ReadMessage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) || len(got.Headers) != len(want.Headers) {
		t.Errorf("kafka-go reads %+v, want %+v", got, want)
	}
	for i, h := range got.Headers {
		if h.Key != want.Headers[i].Key || !bytes.Equal(h.Value, want.Headers[i].Value) {
			t.Errorf("header %d: kafka-go reads %v, want %v", i, h, want.Headers[i])
		}
	}
}

// TestWeReadWhatAnotherClientWrites, and a session stays in one partition
// whichever client writes it.
func TestWeReadWhatAnotherClientWrites(t *testing.T) {
	c, client, names := exchangesTopic(t)
	writer := &kafka.Writer{
		Addr: kafka.TCP(c.Addrs()...), Topic: names.Exchanges, Balancer: kafka.Murmur2Balancer{Consistent: true},
		BatchTimeout: time.Millisecond, RequiredAcks: kafka.RequireAll,
	}
	defer writer.Close()
	var ms []kafka.Message
	ours := map[string]*kgo.Record{}
	for i := range sessions {
		r := record(t, names, i)
		m := kafka.Message{Key: r.Key, Value: r.Value, Time: r.Timestamp}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
		ms = append(ms, m)
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		ours[string(r.Key)] = r
	}
	if err := writer.WriteMessages(t.Context(), ms...); err != nil {
		t.Fatal(err)
	}
	last, err := stream.Latest(t.Context(), stream.Config{Brokers: c.Addrs()}, names.Exchanges)
	if err != nil {
		t.Fatal(err)
	}
	if len(last) != sessions {
		t.Errorf("%d sessions in the topic, want %d", len(last), sessions)
	}
	for _, m := range ms {
		got := last[string(m.Key)]
		e, err := stream.DecodeExchange(got)
		if err != nil || e.Session != string(m.Key) {
			t.Errorf("%s: %v, %v", m.Key, e, err)
		}
		if got.Offset <= ours[string(m.Key)].Offset || got.Partition != ours[string(m.Key)].Partition {
			t.Errorf("%s: kafka-go wrote to partition %d, offset %d, after we wrote to %d, %d",
				m.Key, got.Partition, got.Offset, ours[string(m.Key)].Partition, ours[string(m.Key)].Offset)
		}
	}
}
