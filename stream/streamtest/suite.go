package streamtest

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// Suite runs every test against the brokers of cfg. Topics and groups have
// random names, so brokers may be shared.
func Suite(t *testing.T, cfg stream.Config) {
	k := kit{cfg}
	t.Run("ApplyIsIdempotentAndCheckSeesWhatIsMissing", k.applyIsIdempotentAndCheckSeesWhatIsMissing)
	t.Run("ApplyRaisesWhatIsTooSmall", k.applyRaisesWhatIsTooSmall)
	t.Run("ApplyTakesNothingAway", k.applyTakesNothingAway)
	t.Run("LatestKeepsTheLastOfEachKey", k.latestKeepsTheLastOfEachKey)
	t.Run("RecordsComeBackAsWritten", k.recordsComeBackAsWritten)
	t.Run("TimelineMergesPartitionsByStart", k.timelineMergesPartitionsByStart)
	t.Run("TimelineStartsAtFrom", k.timelineStartsAtFrom)
	t.Run("TimelineFollowHoldsBack", k.timelineFollowHoldsBack)
	t.Run("TimelineFollowLosesNothing", k.timelineFollowLosesNothing)
	t.Run("TimelineOfAnEmptyTopicEnds", k.timelineOfAnEmptyTopicEnds)
	t.Run("ConsumerRepeatsWhatWasNotCommitted", k.consumerRepeatsWhatWasNotCommitted)
	t.Run("ConsumerGivesUpOnABatchThatCannotBeHandled", k.consumerGivesUpOnABatchThatCannotBeHandled)
	t.Run("ConsumersShareAGroup", k.consumersShareAGroup)
	t.Run("ConsumerPassesWhatIsGone", k.consumerPassesWhatIsGone)
	t.Run("OneOfManyStartsGetsTheName", k.oneOfManyStartsGetsTheName)
	t.Run("ANameIsTakenOver", k.aNameIsTakenOver)
	t.Run("ASnapshotHandsOverEachRecordOnce", k.aSnapshotHandsOverEachRecordOnce)
}

// kit is what the tests share.
type kit struct{ cfg stream.Config }

// topics creates the topics under a random prefix, which is also part of the
// names of groups.
func (k kit) topics(t *testing.T, partitions int32) topic.Names {
	t.Helper()
	names := topic.NamesFor("streamtest-" + rand.Text()[:10])
	if _, err := stream.Apply(t.Context(), k.dial(t), topic.Specs(names, topic.Sizing{Partitions: partitions})); err != nil {
		t.Fatal(err)
	}
	return names
}

func group(n topic.Names) string { return n.Exchanges + ".group" }

func (k kit) dial(t *testing.T) *kgo.Client {
	t.Helper()
	client, err := stream.Dial(t.Context(), k.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// began is the time at which the exchanges of the tests begin; brokers refuse
// or delete records that are much too old or of the future.
var began = time.Now().Add(-time.Hour).Truncate(time.Second)

func exchange(i int, session string, start, duration time.Duration) *understudyv1.Exchange {
	return &understudyv1.Exchange{
		Id: fmt.Sprint("e", i), Recorder: "r", Sequence: uint64(i), Session: session,
		StartUnixNano: began.Add(start).UnixNano(), DurationNano: int64(duration),
	}
}

func exchanges(n, sessions int) []*understudyv1.Exchange {
	out := make([]*understudyv1.Exchange, n)
	for i := range out {
		out[i] = exchange(i, fmt.Sprint("s", i%sessions), time.Duration(i)*time.Millisecond, 0)
	}
	return out
}

func (k kit) publish(t *testing.T, names topic.Names, es ...*understudyv1.Exchange) {
	t.Helper()
	p, err := stream.NewProducer(t.Context(), k.cfg, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, e := range es {
		r, err := stream.ExchangeRecord(names, e)
		if err != nil {
			t.Fatal(err)
		}
		p.Produce(t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}
