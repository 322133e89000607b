package stream_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/stream"
)

// TestAt: the record of an offset and no other, and why there is none.
func TestAt(t *testing.T) {
	_, cfg := broker(t, kfake.SeedTopics(2, "t"))
	client, err := stream.Dial(t.Context(), cfg, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range 10 {
		r := &kgo.Record{Topic: "t", Partition: 1, Value: fmt.Appendf(nil, "record %d", i)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	f := func(partition int32, offset int64, want string, wantErr error) {
		t.Helper()
		r, err := stream.At(t.Context(), cfg, "t", partition, offset)
		if !errors.Is(err, wantErr) || err == nil && string(r.Value) != want {
			t.Errorf("%d/%d: got %v, %v", partition, offset, r, err)
		}
	}
	f(1, 0, "record 0", nil)
	f(1, 7, "record 7", nil)
	f(1, 9, "record 9", nil)
	f(1, 10, "", stream.ErrRemade)
	f(0, 0, "", stream.ErrRemade)
	f(7, 0, "", stream.ErrRemade)

	var until kadm.Offsets
	until.Add(kadm.Offset{Topic: "t", Partition: 1, At: 8, LeaderEpoch: -1})
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	f(1, 7, "", stream.ErrExpired)
	f(1, 8, "record 8", nil)
	if _, err := stream.At(t.Context(), cfg, "none", 0, 0); !errors.Is(err, stream.ErrTopics) {
		t.Errorf("a topic that is not there: %v", err)
	}
}
