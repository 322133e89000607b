package stream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Progress is what Finish asks Kafka; GroupProgress implements it.
type Progress interface {
	// Runs returns the last record of every run.
	Runs(ctx context.Context) ([]*understudyv1.Run, error)
	// Ends returns the current end offsets of a topic, by partition.
	Ends(ctx context.Context, topic string) (map[int32]int64, error)
	// Passed reports whether the group has committed up to the given ends.
	Passed(ctx context.Context, topic string, ends map[int32]int64) (bool, error)
}

// Finish tells when a comparator that need not run forever is done: the runs it
// waits for have ended, and everything written until then is in the tables. It
// is not safe for concurrent use.
type Finish struct {
	progress Progress
	topics   []string
	run      string
	begin    time.Duration
	clock    func() time.Time
	since    time.Time // first asked
	seen     watch
	dead     []string
	ends     map[string]map[int32]int64 // nil until the runs have ended
}

// NewFinish returns a Finish that waits for one run or, if run is empty, until
// there are runs and none of them is running. It waits for begin until there is
// such a run.
func NewFinish(progress Progress, topics []string, run string, begin time.Duration) *Finish {
	return &Finish{progress: progress, topics: topics, run: run, begin: begin, clock: time.Now, seen: watch{}}
}

// Abandoned are the runs that Reached does not wait for, because nothing has
// been heard of their replayers for AbandonedAfter.
func (f *Finish) Abandoned() []string { return f.dead }

// Reached checks once. waiting says for people what is still missing; it is
// empty when the end is reached. A run that was killed stays in the state
// running: it is waited for until it is known to be abandoned. The error wraps
// ErrNoRun when no run has begun in time.
func (f *Finish) Reached(ctx context.Context) (reached bool, waiting string, err error) {
	if f.ends == nil {
		if waiting, err := f.runs(ctx); err != nil || waiting != "" {
			return false, waiting, err
		}
		// The ends are read after the runs have ended, so that everything they
		// wrote lies before them.
		if err := f.mark(ctx); err != nil {
			return false, "", err
		}
	}
	for _, name := range f.topics {
		ok, err := f.progress.Passed(ctx, name, f.ends[name])
		if err != nil || !ok {
			return false, "the rest of topic " + name, err
		}
	}
	return true, "", nil
}

func (f *Finish) mark(ctx context.Context) error {
	ends := map[string]map[int32]int64{}
	for _, name := range f.topics {
		of, err := f.progress.Ends(ctx, name)
		if err != nil {
			return fmt.Errorf("end of topic %s: %w", name, err)
		}
		ends[name] = of
	}
	f.ends = ends
	return nil
}

// runs says which run is still missing, for people; empty if none is.
func (f *Finish) runs(ctx context.Context) (waiting string, err error) {
	runs, err := f.progress.Runs(ctx)
	if err != nil {
		return "", fmt.Errorf("state of the runs: %w", err)
	}
	now := f.clock()
	if f.since.IsZero() {
		f.since = now
	}
	found := false
	var going, dead []string
	for _, r := range runs {
		if f.run != "" && r.GetName() != f.run {
			continue
		}
		found = true
		switch {
		case r.GetState().Ended():
		case f.seen.abandoned(r, now):
			dead = append(dead, r.GetName())
		default:
			going = append(going, r.GetName())
		}
	}
	slices.Sort(dead)
	f.dead = dead
	switch {
	case !found:
		return f.toBegin(runs, now)
	case len(going) > 0:
		slices.Sort(going)
		return fmt.Sprintf("run%s %s to end", map[bool]string{true: "s"}[len(going) > 1], strings.Join(going[:min(len(going), 5)], ", ")), nil
	}
	return "", nil
}

// toBegin is what is waited for while there is no run, and the error after.
func (f *Finish) toBegin(runs []*understudyv1.Run, now time.Time) (waiting string, err error) {
	late := now.Sub(f.since) >= f.begin
	switch {
	case late && f.run == "":
		return "", fmt.Errorf("%w: Kafka holds none", ErrNoRun)
	case late:
		return "", noRun(f.run, runs)
	case f.run == "":
		return "a first run", nil
	case len(runs) == 0:
		return fmt.Sprintf("run %s to begin; there is none yet", f.run), nil
	}
	return fmt.Sprintf("run %s to begin; there are %s", f.run, nameRuns(runs)), nil
}

// GroupProgress is the Progress of a consumer group.
type GroupProgress struct {
	Config Config
	Client *kgo.Client
	Group  string
	Names  topic.Names
}

// Runs implements Progress.
func (p GroupProgress) Runs(ctx context.Context) ([]*understudyv1.Run, error) {
	return Runs(ctx, p.Config, p.Names)
}

// Ends implements Progress.
func (p GroupProgress) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	return Ends(ctx, p.Client, topic)
}

// Passed implements Progress.
func (p GroupProgress) Passed(ctx context.Context, topic string, ends map[int32]int64) (bool, error) {
	return Passed(ctx, p.Client, p.Group, topic, ends)
}
