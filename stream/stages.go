package stream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// StageRecord is the record of a step of a migration. Each has a key of its own,
// so that compaction leaves the history and the order of steps that were written
// at once.
func StageRecord(n topic.Names, s *understudyv1.Stage) (*kgo.Record, error) {
	id := s.Migration + "/" + strconv.FormatUint(s.Version, 10) + "/" + s.Id
	return encode(n.Stages, id, topic.TypeStage, id, s.TimeUnixNano, s)
}

// DecodeStage reads a step; the error wraps ErrForeign.
func DecodeStage(r *kgo.Record) (*understudyv1.Stage, error) {
	return decode(r, topic.TypeStage, &understudyv1.Stage{})
}

// EachStage calls f for every step that the topic holds, in its order.
func EachStage(ctx context.Context, cfg Config, names topic.Names, f func(*understudyv1.Stage)) error {
	return scan(ctx, cfg, names.Stages, func(r *kgo.Record) error {
		s, err := DecodeStage(r)
		switch {
		case errors.Is(err, ErrForeign):
			return nil
		case err != nil:
			return err
		}
		f(s)
		return nil
	})
}

// StageFollower is told what the topic of the stages holds. One goroutine calls
// all of it.
type StageFollower struct {
	// Step is called for every step, from the first on, in the topic's order.
	Step func(*understudyv1.Stage)
	// Current says that at a moment, which has just been, the topic held nothing
	// more. While Kafka answers it is called about every second.
	Current func(at time.Time)
	// Problem is told why nothing can be read, each time.
	Problem func(error)
}

// FollowStages reads the topic of the stages until ctx ends; it connects when
// Kafka is there, and again when it is back. A step comes as soon as the broker
// has it. The error says that the configuration cannot be used.
func FollowStages(ctx context.Context, cfg Config, names topic.Names, f StageFollower) error {
	return follow(ctx, cfg, names.Stages, follower{current: f.Current, problem: f.Problem, record: func(r *kgo.Record) error {
		s, err := DecodeStage(r)
		if err == nil {
			f.Step(s)
		}
		return err
	}})
}

// WriteStage writes the next step of a migration. next is given the steps that
// the topic holds of it and makes the step of them; it is asked again when
// somebody else has written one meanwhile, if again is true. It returns the step
// as it counts.
func WriteStage(ctx context.Context, cfg Config, names topic.Names, p *Producer, migration string, again bool, next func([]*understudyv1.Stage) (*understudyv1.Stage, error)) (*understudyv1.Stage, error) {
	const tries = 20
	for try := 1; ; try++ {
		if try > tries {
			return nil, fmt.Errorf("migration %s: others write steps all the time; none of ours came first in %d tries", migration, tries)
		}
		before, err := StagesOf(ctx, cfg, names, migration)
		if err != nil {
			return nil, err
		}
		step, err := next(before)
		if err != nil {
			return nil, err
		}
		r, err := StageRecord(names, step)
		if err != nil {
			return nil, err
		}
		if err := p.ProduceSync(ctx, r); err != nil {
			return nil, fmt.Errorf("write step %d of migration %s: %w", step.Version, migration, err)
		}
		after, err := StagesOf(ctx, cfg, names, migration)
		if err != nil {
			return nil, fmt.Errorf("step %d of migration %s is written, but whether it counts could not be read: %w", step.Version, migration, err)
		}
		for _, s := range after {
			switch {
			case s.GetVersion() != step.GetVersion():
				continue
			case s.GetId() == step.GetId():
				return step, nil
			case !again:
				return nil, fmt.Errorf("%s came first: step %d of migration %s is now a %s (%s); look at it and try again",
					s.GetWho(), s.GetVersion(), migration, s.GetAction(), s.GetReason())
			}
			break
		}
	}
}

// StagesOf are the steps of a migration that the topic holds, in its order, those
// that do not count among them.
func StagesOf(ctx context.Context, cfg Config, names topic.Names, migration string) ([]*understudyv1.Stage, error) {
	var out []*understudyv1.Stage
	err := EachStage(ctx, cfg, names, func(s *understudyv1.Stage) {
		if s.GetMigration() == migration {
			out = append(out, s)
		}
	})
	return out, err
}
