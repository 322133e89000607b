package stream_test

import (
	"context"
	"errors"
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
// the order. How often it is refused in a row tells the two apart: Retries is 1,
// and only the refusals of a changing group do not count against it.
func TestConsumerOutlivesRefusedCommits(t *testing.T) {
	f := func(code *kerr.Error, inARow int32) {
		t.Helper()
		t.Run(code.Message, func(t *testing.T) {
			t.Parallel()
			handled, refusals, err := consumeWithRefusals(t, code, inARow)
			if want := int64(30); err != nil || handled != want {
				t.Errorf("handled up to %d of %d: %v", handled, want, err)
			}
			// Three batches; the last commit may be cut short by the end of the test.
			if least := 2 * inARow; refusals < least {
				t.Errorf("%d commits were refused, want %d at least", refusals, least)
			}
		})
	}
	f(kerr.RebalanceInProgress, 2)
	f(kerr.IllegalGeneration, 2)
	f(kerr.UnknownMemberID, 2)
	f(kerr.StaleMemberEpoch, 2)
	f(kerr.FencedMemberEpoch, 2)
	f(kerr.CoordinatorLoadInProgress, 1)
	f(kerr.RequestTimedOut, 1)
}

// TestConsumerGivesUp: what is refused more often than Retries allows, and not
// because the group changes, is said, with the code.
func TestConsumerGivesUp(t *testing.T) {
	for _, code := range []*kerr.Error{kerr.RequestTimedOut, kerr.GroupAuthorizationFailed} {
		handled, _, err := consumeWithRefusals(t, code, 2) // of the first of three batches
		if !errors.Is(err, code) || handled != 10 {
			t.Errorf("%s: handled up to %d, ended with %v", code.Message, handled, err)
		}
	}
}

// consumeWithRefusals handles 30 records in batches of 10 while the broker
// refuses inARow commits before it takes one. It returns the end of the last
// batch and how many commits were refused.
func consumeWithRefusals(t *testing.T, code *kerr.Error, inARow int32) (handled int64, refusals int32, err error) {
	t.Helper()
	cluster, cfg := broker(t, kfake.SeedTopics(1, "t"))
	const total = 30
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
	var commits, refused atomic.Int32
	cluster.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if commits.Add(1)%(inARow+1) == 0 {
			return nil, nil, false
		}
		refused.Add(1)
		return refuse(r.(*kmsg.OffsetCommitRequest), code), nil, true
	})

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cc := stream.DefaultConsumerConfig()
	cc.Group, cc.Topics, cc.MaxRecords, cc.Retries = "g", []string{"t"}, 10, 1
	reg := prometheus.NewRegistry()
	c, err := stream.NewConsumer(cfg, cc, func(_ context.Context, b stream.Batch) error {
		if b.First != handled {
			t.Errorf("batch begins at %d, want %d", b.First, handled)
		}
		if handled = b.End; handled == total {
			cancel()
		}
		return nil
	}, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Run(ctx)
	if n, err := testutil.GatherAndCount(reg); err != nil || n != 5 {
		t.Errorf("%d metrics, %v; want 5", n, err)
	}
	return handled, refused.Load(), err
}

// refuse answers every partition of a commit with code.
func refuse(r *kmsg.OffsetCommitRequest, code *kerr.Error) kmsg.Response {
	resp := r.ResponseKind().(*kmsg.OffsetCommitResponse)
	for _, topic := range r.Topics {
		st := kmsg.NewOffsetCommitResponseTopic()
		st.Topic, st.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			sp := kmsg.NewOffsetCommitResponseTopicPartition()
			sp.Partition, sp.ErrorCode = p.Partition, code.Code
			st.Partitions = append(st.Partitions, sp)
		}
		resp.Topics = append(resp.Topics, st)
	}
	return resp
}
