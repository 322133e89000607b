package stream

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// insist commits. A refusal because the group changes is no failure of ours:
// either the partition goes to somebody else, then quit ends this worker, or
// the new generation keeps it here and the next try goes through.
func (w *worker) insist(ctx context.Context, offset int64, metadata string, epoch int32) error {
	return w.retry(ctx, "commit", offset, func() (bool, error) {
		err := w.commit(ctx, offset, metadata, epoch)
		return fenced(err), err
	})
}

func fenced(err error) bool {
	for _, e := range []error{kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch, kerr.FencedMemberEpoch} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// retry does something until it succeeds, ctx ends, or it has failed Retries
// times more than once; tries that are free do not count.
func (w *worker) retry(ctx context.Context, what string, offset int64, do func() (free bool, err error)) error {
	pause := 100 * time.Millisecond
	for try := 0; ; {
		free, err := do()
		if err == nil || ctx.Err() != nil {
			return err
		}
		w.c.metrics.errors.Inc()
		if try >= w.c.cfg.Retries {
			return err
		}
		if !free {
			try++
		}
		w.c.log.Warn(what+", trying again", "topic", w.key.topic, "partition", w.key.number,
			"offset", offset, "in", pause, "error", err)
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// commit writes offset and metadata as this member of the group; a member that
// lost the partition is refused by the broker.
func (w *worker) commit(ctx context.Context, offset int64, metadata string, epoch int32) error {
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				req.Topics[i].Partitions[j].Metadata = &metadata
			}
		}
		return nil
	})
	var result error
	w.c.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{
		w.key.topic: {w.key.number: {Epoch: epoch, Offset: offset}},
	}, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		result = err
		if err != nil {
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode != 0 {
					result = kerr.ErrorForCode(p.ErrorCode)
				}
			}
		}
	})
	if result == nil {
		w.c.metrics.commits.Inc()
	}
	return result
}
