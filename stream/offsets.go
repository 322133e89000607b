package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// GroupOffset is how far a group has read a partition. TopicID tells a topic from
// one of the same name that was made later.
type GroupOffset struct {
	Group, Topic, TopicID string
	Partition             int32
	Offset                int64
	Metadata              string
}

// GroupOffsets are those of a group, by topic and partition; none if there is no
// such group.
func GroupOffsets(ctx context.Context, cfg Config, group string) ([]GroupOffset, error) {
	client, err := Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	fetched, err := admin.FetchOffsets(ctx, group)
	// A cluster in which no group has read yet makes its coordinator now.
	for try := 0; try < 50 && errors.Is(cmp.Or(err, fetched.Error()), kerr.CoordinatorNotAvailable); try++ {
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
		fetched, err = admin.FetchOffsets(ctx, group)
	}
	if err == nil {
		err = fetched.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	list := fetched.Sorted()
	ids, err := topicIDs(ctx, admin, list)
	if err != nil {
		return nil, err
	}
	var out []GroupOffset
	for _, o := range list {
		out = append(out, GroupOffset{group, o.Topic, ids[o.Topic], o.Partition, o.At, o.Metadata})
	}
	return out, nil
}

// topicIDs are those of the topics that there are.
func topicIDs(ctx context.Context, admin *kadm.Client, offsets []kadm.OffsetResponse) (map[string]string, error) {
	var names []string
	for _, o := range offsets {
		if !slices.Contains(names, o.Topic) {
			names = append(names, o.Topic)
		}
	}
	ids := map[string]string{}
	if len(names) == 0 {
		return ids, nil
	}
	topics, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("topics: %w", err)
	}
	for _, t := range topics {
		if t.Err == nil {
			ids[t.Topic] = t.ID.String()
		}
	}
	return ids, nil
}

// RestoreOffsets commits what groups had read, where the topics are the same and
// the group has not read further since; restored counts these. A group must have
// no members.
func RestoreOffsets(ctx context.Context, cfg Config, want []GroupOffset) (restored int, err error) {
	byGroup := map[string][]GroupOffset{}
	for _, o := range want {
		byGroup[o.Group] = append(byGroup[o.Group], o)
	}
	for group, list := range byGroup {
		have, err := GroupOffsets(ctx, cfg, group)
		if err != nil {
			return restored, err
		}
		n, err := restoreGroup(ctx, cfg, group, list, have)
		if restored += n; err != nil {
			return restored, fmt.Errorf("offsets of group %s: %w; its members must have ended", group, err)
		}
	}
	return restored, nil
}

func restoreGroup(ctx context.Context, cfg Config, group string, want, have []GroupOffset) (int, error) {
	client, err := Dial(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	var asked []kadm.OffsetResponse
	for _, o := range want {
		asked = append(asked, kadm.OffsetResponse{Offset: kadm.Offset{Topic: o.Topic}})
	}
	ids, err := topicIDs(ctx, admin, asked)
	if err != nil {
		return 0, err
	}
	commit, n := kadm.Offsets{}, 0
	for _, o := range want {
		further := slices.ContainsFunc(have, func(h GroupOffset) bool {
			return h.Topic == o.Topic && h.Partition == o.Partition && h.Offset >= o.Offset
		})
		if ids[o.Topic] == o.TopicID && !further {
			commit.Add(kadm.Offset{Topic: o.Topic, Partition: o.Partition, At: o.Offset, LeaderEpoch: -1, Metadata: o.Metadata})
			n++
		}
	}
	if n == 0 {
		return 0, nil
	}
	done, err := admin.CommitOffsets(ctx, group, commit)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}
