package stream

import (
	"context"
	"errors"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Runs reads the runs topic to its end and returns the last record of every
// run. It skips foreign records: setting them aside is the consumer's task.
func Runs(ctx context.Context, cfg Config, names topic.Names) ([]*understudyv1.Run, error) {
	last, err := Latest(ctx, cfg, names.Runs)
	if err != nil {
		return nil, err
	}
	var runs []*understudyv1.Run
	for _, r := range last {
		run, err := DecodeRun(r)
		if errors.Is(err, ErrForeign) {
			continue
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}
