package stream

import (
	"context"
	"errors"
	"testing"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// book is a Kafka whose group has committed up to at.
type book struct {
	runs []*understudyv1.Run
	end  int64
	at   int64
	err  error
}

func (b *book) Runs(context.Context) ([]*understudyv1.Run, error) { return b.runs, b.err }
func (b *book) Ends(context.Context, string) (map[int32]int64, error) {
	return map[int32]int64{0: b.end}, nil
}
func (b *book) Passed(_ context.Context, _ string, ends map[int32]int64) (bool, error) {
	return b.at >= ends[0], nil
}

func TestFinish(t *testing.T) {
	state := func(name string, s understudyv1.Run_State) *understudyv1.Run {
		return &understudyv1.Run{Name: name, State: s}
	}
	const running, completed, failed = understudyv1.Run_STATE_RUNNING, understudyv1.Run_STATE_COMPLETED, understudyv1.Run_STATE_FAILED
	f := func(run string, at int64, want string, runs ...*understudyv1.Run) {
		t.Helper()
		done, waiting, err := NewFinish(&book{runs: runs, end: 10, at: at}, []string{"replays"}, run).Reached(t.Context())
		if err != nil || waiting != want || done != (want == "") {
			t.Errorf("run %q: got %v, %q, %v; want %q", run, done, waiting, err, want)
		}
	}
	f("", 10, "a first run")
	f("r", 10, "run r to begin")
	f("r", 10, "run r to begin", state("other", completed))
	f("r", 10, "run r to end", state("r", running))
	f("", 10, "run b to end", state("c", running), state("b", running), state("a", completed))
	f("", 9, "the rest of topic replays", state("a", completed))
	f("", 10, "", state("a", completed), state("b", failed))
	f("r", 10, "", state("r", completed), state("other", running))
}

func TestFinishTakesTheEndOnce(t *testing.T) {
	b := &book{runs: []*understudyv1.Run{{Name: "r", State: understudyv1.Run_STATE_COMPLETED}}, end: 10, at: 9}
	finish := NewFinish(b, []string{"replays"}, "r")
	if done, _, _ := finish.Reached(t.Context()); done {
		t.Fatal("done before the end")
	}
	b.end, b.at = 20, 10 // others go on writing
	if done, _, _ := finish.Reached(t.Context()); !done {
		t.Error("waits for what was written after the run")
	}
	b.err = errors.New("away")
	if _, _, err := NewFinish(b, nil, "").Reached(t.Context()); !errors.Is(err, b.err) {
		t.Errorf("got %v", err)
	}
}
