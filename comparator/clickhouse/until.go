package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// Offsets are the end offsets of the partitions of one topic.
type Offsets = map[int32]int64

// Books is what Until asks Kafka.
type Books interface {
	// Runs gives the last record of every run.
	Runs(ctx context.Context) ([]*understudyv1.Run, error)
	// Ends gives the present end of a topic.
	Ends(ctx context.Context, topic string) (Offsets, error)
	// Passed says whether the group has committed up to the given ends.
	Passed(ctx context.Context, topic string, ends Offsets) (bool, error)
}

// Until knows when a comparator that is not to follow for ever has done its
// work: the runs it waits for have ended, and all that was written up to then
// is in the tables. It is not safe for concurrent use.
type Until struct {
	books  Books
	topics []string
	run    string
	ends   map[string]Offsets // nil until the runs have ended
}

// NewUntil waits for one run, or, when run is empty, for every run there is
// when it first looks and none is running.
func NewUntil(books Books, topics []string, run string) *Until {
	return &Until{books: books, topics: topics, run: run}
}

// Done looks once. waiting says, for people, what is still to come; it is
// empty when done. A run that was killed stays in the state running and is
// waited for; a resumed one ends it.
func (u *Until) Done(ctx context.Context) (done bool, waiting string, err error) {
	if u.ends == nil {
		if waiting, err := u.runs(ctx); err != nil || waiting != "" {
			return false, waiting, err
		}
		// Taken after the last word of the runs, so that all they wrote lies
		// before these ends.
		if err := u.mark(ctx); err != nil {
			return false, "", err
		}
	}
	for _, name := range u.topics {
		ok, err := u.books.Passed(ctx, name, u.ends[name])
		if err != nil || !ok {
			return false, "the rest of topic " + name, err
		}
	}
	return true, "", nil
}

func (u *Until) mark(ctx context.Context) error {
	ends := map[string]Offsets{}
	for _, name := range u.topics {
		of, err := u.books.Ends(ctx, name)
		if err != nil {
			return fmt.Errorf("end of topic %s: %w", name, err)
		}
		ends[name] = of
	}
	u.ends = ends
	return nil
}

// runs says which runs are waited for.
func (u *Until) runs(ctx context.Context) (waiting string, err error) {
	runs, err := u.books.Runs(ctx)
	if err != nil {
		return "", fmt.Errorf("state of the runs: %w", err)
	}
	if len(runs) == 0 && u.run == "" {
		return "a first run", nil
	}
	found := false
	var going []string
	for _, r := range runs {
		if u.run != "" && r.GetName() != u.run {
			continue
		}
		found = true
		if !terminal(r.GetState()) {
			going = append(going, r.GetName())
		}
	}
	switch {
	case !found && u.run != "":
		return "run " + u.run + " to begin", nil
	case len(going) > 0:
		slices.Sort(going)
		return fmt.Sprintf("run %s to end", going[0]), nil
	}
	return "", nil
}

func terminal(s understudyv1.Run_State) bool {
	return s == understudyv1.Run_STATE_COMPLETED || s == understudyv1.Run_STATE_CANCELED || s == understudyv1.Run_STATE_FAILED
}

// KafkaBooks are the Books of a consumer group.
type KafkaBooks struct {
	Config stream.Config
	Client *kgo.Client
	Group  string
	Names  topic.Names
}

// Runs reads the runs topic to its end. Records that are none of ours are left
// to the consumer, which puts them aside.
func (b KafkaBooks) Runs(ctx context.Context) ([]*understudyv1.Run, error) {
	last, err := stream.Latest(ctx, b.Config, b.Names.Runs)
	if err != nil {
		return nil, err
	}
	var runs []*understudyv1.Run
	for _, r := range last {
		run, err := stream.DecodeRun(r)
		if errors.Is(err, stream.ErrForeign) {
			continue
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// Ends gives the present end of a topic.
func (b KafkaBooks) Ends(ctx context.Context, topic string) (Offsets, error) {
	return stream.Ends(ctx, b.Client, topic)
}

// Passed says whether the group has committed up to the given ends.
func (b KafkaBooks) Passed(ctx context.Context, topic string, ends Offsets) (bool, error) {
	return stream.Passed(ctx, b.Client, b.Group, topic, ends)
}
