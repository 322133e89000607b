package kafka

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// sessionTimeout is how long after a worker was killed its parts go to another
// one; less is more than Kafka allows by default.
const sessionTimeout = 6 * time.Second

// Team are the workers of a run: a consumer group over the partitions of the
// exchanges topic, of which nothing is consumed in it. Whose partition it is
// holds the sessions that are in it.
type Team struct {
	cfg      stream.Config
	names    topic.Names
	run      *understudyv1.Run
	worker   string
	producer *stream.Producer
	log      *slog.Logger
	tail     *stream.Tail
}

// NewTeam prepares to work on a run whose record has its extents. Close ends it.
func NewTeam(ctx context.Context, cfg stream.Config, names topic.Names, run *understudyv1.Run, worker string, p *stream.Producer, log *slog.Logger) (*Team, error) {
	if err := stream.HasReplays(ctx, cfg, names.Replays, run.GetExtents()); err != nil {
		return nil, err
	}
	from := map[int32]int64{}
	for _, x := range run.GetExtents() {
		from[x.GetPartition()] = x.GetReplaysFrom()
	}
	tail, err := stream.OpenTail(ctx, cfg, names.Replays, from)
	if err != nil {
		return nil, err
	}
	return &Team{cfg: cfg, names: names, run: run, worker: worker, producer: p, log: log, tail: tail}, nil
}

// Close ends it; Follow must have returned.
func (t *Team) Close() { t.tail.Close() }

// Part implements replayer.Team.
func (t *Team) Part(session string) int32 {
	return stream.PartitionOf(session, len(t.run.GetExtents()))
}

// GroupOf is the consumer group of the workers of a run.
func GroupOf(names topic.Names, run string) string { return names.Runs + "." + run }

// Join implements replayer.Team.
func (t *Team) Join(ctx context.Context, gained func([]int32), lost func([]int32, bool)) (leave func(), err error) {
	of := func(m map[string][]int32) []int32 { return m[t.names.Exchanges] }
	var calls sync.Mutex
	in := func(do func()) {
		calls.Lock()
		defer calls.Unlock()
		do()
	}
	client, err := stream.Dial(context.WithoutCancel(ctx), t.cfg,
		kgo.ConsumerGroup(GroupOf(t.names, t.run.GetName())), kgo.ConsumeTopics(t.names.Exchanges),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(time.Second),
		kgo.FetchMaxBytes(1), kgo.FetchMaxPartitionBytes(1), // what comes before the pause below
		kgo.OnPartitionsAssigned(func(_ context.Context, c *kgo.Client, m map[string][]int32) {
			c.PauseFetchTopics(t.names.Exchanges)
			in(func() { gained(of(m)) })
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { in(func() { lost(of(m), false) }) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { in(func() { lost(of(m), true) }) }),
		stream.NewOutage(t.log).Option(),
	)
	if err != nil {
		return nil, blame(err)
	}
	client.PauseFetchTopics(t.names.Exchanges)
	return client.Close, nil
}

// Follow implements replayer.Team.
func (t *Team) Follow(ctx context.Context, take func(*understudyv1.Replay)) error {
	return blame(t.tail.Run(ctx, func(r *kgo.Record) {
		if stream.ReplayRun(r) != t.run.GetName() || stream.WorkerOf(r) == t.worker && !stream.IsOrphan(r) {
			return
		}
		// What is not understood is set aside by who consumes the topic.
		if replay, err := stream.DecodeReplay(r); err == nil {
			take(replay)
		}
	}))
}

// CaughtUp implements replayer.Team.
func (t *Team) CaughtUp(ctx context.Context) error { return blame(t.tail.CaughtUp(ctx)) }

// Share implements replayer.Team.
func (t *Team) Share(ctx context.Context, s *understudyv1.RunShare) error {
	record, err := stream.ShareRecord(t.names, s)
	if err != nil {
		return err
	}
	return blame(t.producer.ProduceSync(ctx, record))
}
