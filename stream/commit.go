package stream

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commitRetrying commits, and tries again when the broker refuses because the
// group is rebalancing. Such a refusal does not count as a failure, because it
// ends by itself: either the partition goes to another member, and quit ends
// this worker, or it stays with this one, and a commit in the new generation
// succeeds.
func (w *worker) commitRetrying(ctx context.Context, offset int64, epoch int32) error {
	return w.retry(ctx, "commit", offset, func() (bool, error) {
		err := w.commit(ctx, offset, epoch)
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

// retry calls do until it succeeds, ctx ends, or it has failed 1+Retries times.
// A failure that do calls free does not count.
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
		if ended := sleep(ctx, pause); ended != nil {
			return errors.Join(ended, err)
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// commit writes the offset as this member of the group; the broker
// refuses a member that has lost the partition.
func (w *worker) commit(ctx context.Context, offset int64, epoch int32) error {
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
