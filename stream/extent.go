package stream

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Extents are what a run is made of that begins now: what the exchanges topic
// holds of the choice, and where its replays will begin.
func Extents(ctx context.Context, cfg Config, names topic.Names, choice TimelineConfig) ([]*understudyv1.Extent, error) {
	client, err := Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin, from := kadm.NewClient(client), int64(0)
	if !choice.From.IsZero() {
		from = choice.From.UnixMilli()
	}
	starts, ends, err := bounds(ctx, admin, names.Exchanges, from)
	if err != nil {
		return nil, err
	}
	_, replays, err := bounds(ctx, admin, names.Replays, 0)
	if err != nil {
		return nil, err
	}
	if len(replays) > len(ends) {
		return nil, fmt.Errorf("topic %s has %d partitions, %s has %d: the replays of a run could not be found again", names.Replays, len(replays), names.Exchanges, len(ends))
	}
	var out []*understudyv1.Extent
	for number, end := range ends {
		out = append(out, &understudyv1.Extent{Partition: number, From: starts[number], To: end, ReplaysFrom: replays[number]})
	}
	slices.SortFunc(out, func(a, b *understudyv1.Extent) int { return cmp.Compare(a.GetPartition(), b.GetPartition()) })
	return out, nil
}

// within are the bounds of extents, if the topic still has them. Retention that
// has taken the first records would leave another recording.
func within(ctx context.Context, client *kgo.Client, name string, extents []*understudyv1.Extent, now map[int32]int64) (starts, ends map[int32]int64, err error) {
	first, _, err := bounds(ctx, kadm.NewClient(client), name, 0)
	if err != nil {
		return nil, nil, err
	}
	starts, ends = map[int32]int64{}, map[int32]int64{}
	for _, x := range extents {
		where := fmt.Sprintf("%s/%d offset %d", name, x.GetPartition(), x.GetFrom())
		switch end, there := now[x.GetPartition()]; {
		case !there || end < x.GetTo():
			return nil, nil, fmt.Errorf("%s: %w: it ends at offset %d", where, ErrRemade, end)
		case x.GetFrom() < x.GetTo() && first[x.GetPartition()] > x.GetFrom():
			return nil, nil, fmt.Errorf("%s: %w: the partition begins at offset %d now; replay what is left under another name", where, ErrExpired, first[x.GetPartition()])
		}
		starts[x.GetPartition()], ends[x.GetPartition()] = x.GetFrom(), x.GetTo()
	}
	return starts, ends, nil
}

// HasReplays checks that a topic still has all replays of a run with these
// extents; the error wraps ErrExpired.
func HasReplays(ctx context.Context, cfg Config, topic string, extents []*understudyv1.Extent) error {
	client, err := Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	first, _, err := bounds(ctx, kadm.NewClient(client), topic, 0)
	if err != nil {
		return err
	}
	for _, x := range extents {
		if at, there := first[x.GetPartition()]; there && at > x.GetReplaysFrom() {
			return fmt.Errorf("%s/%d offset %d: %w: the partition begins at offset %d now, so it is not known what is done of the run; replay it under another name",
				topic, x.GetPartition(), x.GetReplaysFrom(), ErrExpired, at)
		}
	}
	return nil
}

// PartitionOf is the partition of a session among so many, where every producer
// of ours puts it: murmur2, as the Java client.
func PartitionOf(session string, partitions int) int32 {
	p := kgo.StickyKeyPartitioner(nil).ForTopic("")
	return int32(p.Partition(&kgo.Record{Key: []byte(session)}, partitions))
}
