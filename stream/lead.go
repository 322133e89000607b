package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Leader is a member of a group of which one leads: the one that has partition 0
// of the topic. After the leader was killed another one leads within the session
// timeout, 12 s; in between, and while Kafka is away, it may be that nobody does.
// One that was halted may believe a moment too long that it leads: what a leader
// writes must be safe all the same.
type Leader struct {
	client *kgo.Client
	group  string
	mark   string
	leads  atomic.Bool
}

// leadPause is how long a member waits when nothing can be read.
const leadPause = 200 * time.Millisecond

// markSpace begins the client ids of members.
const markSpace = "understudy-leader-"

// NewLeader joins a group; Run stays and leaves. mark says what it is about to
// do, in letters and digits: members of one group see each other's.
func NewLeader(cfg Config, group, topic, mark string, log *slog.Logger) (*Leader, error) {
	l := &Leader{group: group, mark: mark}
	set := func(leads bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			for _, p := range partitions[topic] {
				if p == 0 {
					l.leads.Store(leads)
				}
			}
		}
	}
	cfg.ClientID = markSpace + mark
	var err error
	l.client, err = open(cfg,
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()), kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(time.Second), kgo.SessionTimeout(sessionTimeout),
		kgo.OnPartitionsAssigned(set(true)), kgo.OnPartitionsRevoked(set(false)), kgo.OnPartitionsLost(set(false)),
		NewOutage(log).Option(),
	)
	return l, err
}

// Leads reports whether it leads.
func (l *Leader) Leads() bool { return l.leads.Load() }

// Run is a member until ctx ends, and leaves the group then.
func (l *Leader) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if fetches := l.client.PollFetches(ctx); fetches.Err() != nil {
			_ = sleep(ctx, leadPause)
		}
	}
	l.leads.Store(false)
	closeSoon(l.client)
}

// Others are the members of the group whose mark is another one: mark and host.
func (l *Leader) Others(ctx context.Context) ([]string, error) {
	groups, err := kadm.NewClient(l.client).DescribeGroups(ctx, l.group)
	if err == nil {
		err = groups[l.group].Err
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil // nobody has joined it yet
	}
	if err != nil {
		return nil, fmt.Errorf("describe group %s: %w", l.group, err)
	}
	var out []string
	for _, m := range groups[l.group].Members {
		if mark, ok := strings.CutPrefix(m.ClientID, markSpace); ok && mark != l.mark {
			out = append(out, mark+" at "+strings.TrimPrefix(m.ClientHost, "/"))
		}
	}
	return out, nil
}
