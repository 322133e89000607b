package stream_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"understudy.dev/stream"
)

// TestConsumerOutlivesRefusedCommits: a commit that is refused because the
// group changes, or because of a passing trouble, ends neither the consumer nor
// the order.
func TestConsumerOutlivesRefusedCommits(t *testing.T) {
	f := func(code *kerr.Error) {
		t.Helper()
		cluster, cfg := broker(t, kfake.SeedTopics(1, "t"))
		const total = 50
		client, err := stream.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for range total {
			if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "t"}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		var refused atomic.Int32
		cluster.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			if refused.Add(1)%3 != 0 { // two of three
				return nil, nil, false
			}
			resp := r.ResponseKind().(*kmsg.OffsetCommitResponse)
			for _, topic := range r.(*kmsg.OffsetCommitRequest).Topics {
				st := kmsg.NewOffsetCommitResponseTopic()
				st.Topic, st.TopicID = topic.Topic, topic.TopicID
				for _, p := range topic.Partitions {
					sp := kmsg.NewOffsetCommitResponseTopicPartition()
					sp.Partition, sp.ErrorCode = p.Partition, code.Code
					st.Partitions = append(st.Partitions, sp)
				}
				resp.Topics = append(resp.Topics, st)
			}
			return resp, nil, true
		})

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cc := stream.DefaultConsumerConfig()
		cc.Group, cc.Topics, cc.MaxRecords = "g", []string{"t"}, 10
		next := int64(0)
		reg := prometheus.NewRegistry()
		c, err := stream.NewConsumer(cfg, cc, func(_ context.Context, b stream.Batch) error {
			if b.First != next {
				t.Errorf("%s: batch begins at %d, want %d", code.Message, b.First, next)
			}
			if next = b.End; next == total {
				cancel()
			}
			return nil
		}, slog.New(slog.DiscardHandler), reg)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Run(ctx); err != nil || next != total {
			t.Errorf("%s: handled up to %d of %d: %v", code.Message, next, total, err)
		}
		if n, err := testutil.GatherAndCount(reg); err != nil || n != 5 {
			t.Errorf("%d metrics, %v; want 5", n, err)
		}
	}
	f(kerr.RebalanceInProgress)
	f(kerr.IllegalGeneration)
	f(kerr.UnknownMemberID)
	f(kerr.CoordinatorLoadInProgress)
	f(kerr.RequestTimedOut)
}
