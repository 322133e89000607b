package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Runs reads the runs topic to its end and returns the last record of every
// run. It skips foreign records: setting them aside is the consumer's task.
func Runs(ctx context.Context, cfg Config, names topic.Names) ([]*understudyv1.Run, error) {
	return latest(ctx, cfg, names.Runs, DecodeRun)
}

// Tallies returns the last tally of every life of every recorder, likewise.
func Tallies(ctx context.Context, cfg Config, names topic.Names) ([]*understudyv1.Tally, error) {
	last := map[understudyv1.Life]*understudyv1.Tally{}
	err := EachTally(ctx, cfg, names, func(t *understudyv1.Tally) {
		if old := last[t.Life()]; old.GetNumber() <= t.GetNumber() {
			last[t.Life()] = t
		}
	})
	return slices.Collect(maps.Values(last)), err
}

// EachTally calls f for every tally that the topic holds, those of one recorder
// in the order in which they were written.
func EachTally(ctx context.Context, cfg Config, names topic.Names, f func(*understudyv1.Tally)) error {
	return scan(ctx, cfg, names.Tallies, func(r *kgo.Record) error {
		t, err := DecodeTally(r)
		switch {
		case errors.Is(err, ErrForeign):
			return nil
		case err != nil:
			return err
		}
		f(t)
		return nil
	})
}

func latest[M any](ctx context.Context, cfg Config, name string, decode func(*kgo.Record) (M, error)) ([]M, error) {
	last, err := Latest(ctx, cfg, name)
	if err != nil {
		return nil, err
	}
	var out []M
	for _, r := range last {
		m, err := decode(r)
		if errors.Is(err, ErrForeign) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// AbandonedAfter is the silence after which a run that has not ended counts as
// abandoned: its replayer was killed. A live one writes the run's state every
// 2 s.
const AbandonedAfter = 30 * time.Second

// steady is how long a run whose last record is old by its own time is watched
// before it counts as abandoned: the replayer's clock may be behind ours.
const steady = 5 * time.Second

// watch follows the records of runs and tells which of them are silent. Time is
// passed in.
type watch map[string]heard

type heard struct {
	version uint64
	written int64
	since   time.Time // when this record was first seen
}

// abandoned notes the last record of a run and says whether its replayer has
// been silent for too long: by the time in the record, or by our own clock.
func (w watch) abandoned(r *understudyv1.Run, now time.Time) bool {
	if r.GetState().Ended() {
		return false
	}
	last, ok := w[r.GetName()]
	if !ok || last.version != r.GetVersion() || last.written != r.GetTimeUnixNano() {
		last = heard{r.GetVersion(), r.GetTimeUnixNano(), now}
		w[r.GetName()] = last
	}
	unchanged := now.Sub(last.since)
	return unchanged >= AbandonedAfter || unchanged >= steady && Silence(r, now) >= AbandonedAfter
}

// Silence is how long ago the replayer wrote the last record of a run, by its
// clock.
func Silence(r *understudyv1.Run, now time.Time) time.Duration {
	return now.Sub(time.Unix(0, r.GetTimeUnixNano()))
}

// Errors of Abandon.
var (
	ErrNoRun    = errors.New("unknown run")
	ErrRunEnded = errors.New("the run has ended")
	ErrRunLives = errors.New("the run is still replayed")
)

// Abandon ends a run whose replayer was killed: it writes the state failed with
// the run's last known books, and returns it. What the replayer wrote after
// those stays in the replays topic and is judged. The error wraps ErrNoRun,
// ErrRunEnded (with the state as it is) or ErrRunLives; to tell that a run is
// dead takes some seconds, at most AbandonedAfter.
func Abandon(ctx context.Context, cfg Config, names topic.Names, p *Producer, name string) (*understudyv1.Run, error) {
	run, err := Dead(ctx, cfg, names, name)
	if err != nil {
		return run, err
	}
	record, err := RunRecord(names, closed(run, time.Now()))
	if err != nil {
		return nil, err
	}
	return run, p.ProduceSync(ctx, record)
}

// Dead waits until a run is known to be dead, and returns its last record. The
// error wraps those of Abandon.
func Dead(ctx context.Context, cfg Config, names topic.Names, name string) (*understudyv1.Run, error) {
	seen := watch{}
	for {
		run, err := FindRun(ctx, cfg, names, name)
		if err != nil {
			return nil, err
		}
		first, watched := seen[name]
		switch isDead := seen.abandoned(run, time.Now()); {
		case run.GetState().Ended():
			return run, ErrRunEnded
		case watched && (first.version != run.GetVersion() || first.written != run.GetTimeUnixNano()):
			return run, ErrRunLives
		case isDead:
			return run, nil
		}
		if err := sleep(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

// closed turns the last record of an abandoned run into the one that ends it.
func closed(run *understudyv1.Run, now time.Time) *understudyv1.Run {
	last := time.Unix(0, run.GetTimeUnixNano()).UTC()
	run.State, run.EndUnixNano = understudyv1.Run_STATE_FAILED, run.GetTimeUnixNano()
	run.Detail = fmt.Sprintf("abandoned: its replayer was last heard of at %s; these books are of that moment", last.Format(time.RFC3339))
	run.Version++
	run.TimeUnixNano = now.UnixNano()
	return run
}

// FindRun returns the last record of a run. The error wraps ErrNoRun, and then
// says which runs there are.
func FindRun(ctx context.Context, cfg Config, names topic.Names, name string) (*understudyv1.Run, error) {
	runs, err := Runs(ctx, cfg, names)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if r.GetName() == name {
			return r, nil
		}
	}
	return nil, noRun(name, runs)
}

// noRun says which runs there are instead, the latest first.
func noRun(name string, runs []*understudyv1.Run) error {
	if len(runs) == 0 {
		return fmt.Errorf("%w %s: Kafka holds no run; start one with understudy replay", ErrNoRun, name)
	}
	return fmt.Errorf("%w %s: there are %s", ErrNoRun, name, nameRuns(runs))
}

// nameRuns lists the latest runs, at most 5.
func nameRuns(runs []*understudyv1.Run) string {
	runs = slices.SortedFunc(slices.Values(runs), func(a, b *understudyv1.Run) int {
		return cmp.Or(cmp.Compare(b.GetStartUnixNano(), a.GetStartUnixNano()), cmp.Compare(a.GetName(), b.GetName()))
	})
	var names []string
	for _, r := range runs[:min(len(runs), 5)] {
		names = append(names, r.GetName())
	}
	if n := len(runs) - len(names); n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(names, ", ")
}
