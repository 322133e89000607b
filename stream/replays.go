package stream

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Replays calls f for every replay of a run that its topic holds now, those of
// one session in their order, and stops at f's error. It reads without a group,
// and nothing remembers that it did. Foreign records are skipped.
func Replays(ctx context.Context, cfg Config, names topic.Names, run string, f func(*understudyv1.Replay) error) error {
	return scan(ctx, cfg, names.Replays, func(r *kgo.Record) error {
		if ReplayRun(r) != run {
			return nil
		}
		replay, err := DecodeReplay(r)
		if errors.Is(err, ErrForeign) {
			return nil
		}
		if err != nil {
			return err
		}
		return f(replay)
	})
}
