package stream

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

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
		done, waiting, err := NewFinish(&book{runs: runs, end: 10, at: at}, []string{"replays"}, run, time.Second).Reached(t.Context())
		if err != nil || waiting != want || done != (want == "") {
			t.Errorf("run %q: got %v, %q, %v; want %q", run, done, waiting, err, want)
		}
	}
	f("", 10, "a first run")
	f("r", 10, "run r to begin; there is none yet")
	f("r", 10, "run r to begin; there are other", state("other", completed))
	f("r", 10, "run r to end", state("r", running))
	f("", 10, "runs b, c to end", state("c", running), state("b", running), state("a", completed))
	f("", 9, "the rest of topic replays", state("a", completed))
	f("", 10, "", state("a", completed), state("b", failed))
	f("r", 10, "", state("r", completed), state("other", running))
}

func TestFinishTakesTheEndOnce(t *testing.T) {
	b := &book{runs: []*understudyv1.Run{{Name: "r", State: understudyv1.Run_STATE_COMPLETED}}, end: 10, at: 9}
	finish := NewFinish(b, []string{"replays"}, "r", 0)
	if done, _, _ := finish.Reached(t.Context()); done {
		t.Fatal("done before the end")
	}
	b.end, b.at = 20, 10 // others go on writing
	if done, _, _ := finish.Reached(t.Context()); !done {
		t.Error("waits for what was written after the run")
	}
	b.err = errors.New("away")
	if _, _, err := NewFinish(b, nil, "", 0).Reached(t.Context()); !errors.Is(err, b.err) {
		t.Errorf("got %v", err)
	}
}

// TestFinishDoesNotWaitForTheDead: a run whose replayer is silent is left out,
// by its own time or by ours, and one that is heard of again is not.
func TestFinishDoesNotWaitForTheDead(t *testing.T) {
	start := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	now := start
	b := &book{end: 10, at: 10}
	f := func(silent time.Duration, beats bool, after time.Duration, want bool) {
		t.Helper()
		now = start
		r := &understudyv1.Run{Name: "r", State: understudyv1.Run_STATE_RUNNING, Version: 1, TimeUnixNano: now.Add(-silent).UnixNano()}
		b.runs = []*understudyv1.Run{r}
		finish := NewFinish(b, []string{"replays"}, "", 0)
		finish.clock = func() time.Time { return now }
		for ; now.Before(start.Add(after)); now = now.Add(time.Second) {
			if done, _, err := finish.Reached(t.Context()); done || err != nil {
				t.Fatalf("silent for %s: done %v after %s, %v", silent, done, now.Sub(start), err)
			}
			if beats {
				r.Version++
				r.TimeUnixNano += int64(time.Second)
			}
		}
		done, _, err := finish.Reached(t.Context())
		if done != want || (len(finish.Abandoned()) == 1) != want || err != nil {
			t.Errorf("silent for %s: done %v after %s, abandoned %q, %v", silent, done, after, finish.Abandoned(), err)
		}
	}
	f(time.Hour, false, steady, true)
	f(time.Hour, true, 10*time.Minute, false) // its clock is behind
	f(-time.Hour, false, AbandonedAfter, true)
	f(time.Second, true, 10*time.Minute, false)
}

// TestFinishWaitsForABeginningInTime and then says which runs there are.
func TestFinishWaitsForABeginningInTime(t *testing.T) {
	f := func(run, want string, runs ...*understudyv1.Run) {
		t.Helper()
		now := time.Now()
		finish := NewFinish(&book{runs: runs}, nil, run, 10*time.Second)
		finish.clock = func() time.Time { return now }
		if _, waiting, err := finish.Reached(t.Context()); waiting == "" || err != nil {
			t.Errorf("at first: %q, %v", waiting, err)
		}
		now = now.Add(10 * time.Second)
		if _, _, err := finish.Reached(t.Context()); !errors.Is(err, ErrNoRun) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	f("", "Kafka holds none")
	f("x", "start one with understudy replay")
	var many []*understudyv1.Run
	for i := range 7 {
		many = append(many, &understudyv1.Run{Name: string(rune('a' + i)), StartUnixNano: int64(i)})
	}
	f("x", "there are g, f, e, d, c, and 2 more", many...)
}
