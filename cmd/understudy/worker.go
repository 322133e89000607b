package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/replayer"
	"understudy.dev/replayer/kafka"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) workerCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use: "worker --run NAME", Short: "Work on a run that has begun, with any number of others", Args: exactly(),
		Long: `Takes a share of the sessions of a run that was made by runs start, or whose
replay was killed, and sends their requests on the schedule of the run. When
a worker is killed the others go on with its share; one that comes gets some
of theirs. Give the file and the flags that the run was made with.`,
		RunE: func(c *cobra.Command, _ []string) error {
			calmCollector(1600, 1<<30)
			return a.replayed(a.work(c.Context(), f))
		},
	}
	c.Flags().StringVar(&a.cfg.Replay.Run, "run", "", "name of the run")
	a.replayFlags(c, &f)
	a.latencyFlag(c, "")
	return c
}

// work works on a run until it ends.
func (a *app) work(ctx context.Context, f replayFlags) (*understudyv1.Run, error) {
	r := &a.cfg.Replay
	if err := cmp.Or(a.checkOutput(), a.takeHeaders(f)); err != nil {
		return nil, err
	}
	if r.Run == "" {
		return nil, usagef("replay worker needs --run NAME")
	}
	if err := a.need("kafka"); err != nil {
		return nil, err
	}
	run, err := a.findRun(ctx, r.Run)
	if err != nil {
		return nil, err
	}
	if r.Candidate == "" {
		r.Candidate = run.GetSpec().GetCandidate()
	}
	if r.Speed == replayer.DefaultConfig().Speed {
		r.Speed = run.GetSpec().GetSpeed()
	}
	if err := cmp.Or(a.readyToReplay(ctx), a.canBeShared()); err != nil {
		return nil, err
	}
	switch {
	case run.GetState().Ended():
		return nil, usagef("run %s has ended: %s", r.Run, understudyv1.Label(run.GetState()))
	case len(run.GetExtents()) == 0:
		return nil, usagef("run %s follows what is recorded, or was begun by an earlier version: nobody can go on with it; understudy runs close %s ends it", r.Run, r.Run)
	}
	if err := a.choose(ctx); err != nil {
		return nil, err
	}
	window := windowOf(run, a.names().Exchanges)
	if err := a.preflight(ctx, window); err != nil {
		return nil, err
	}
	if chosen := r.Chosen.Hash(); chosen != run.GetSpec().GetSelectionSha256() {
		return nil, usagef("the verdicts of run %s, by which run %s was selected, are others now: replay it under another name", r.Select.Verdicts.Run, r.Run)
	}
	if spec := a.runSpec(window); spec.GetConfigSha256() != run.GetSpec().GetConfigSha256() || !slices.Equal(spec.GetHeaders(), run.GetSpec().GetHeaders()) {
		return nil, usagef("run %s was made with another configuration of replay: give the same --config and flags; its candidate is %s, its speed %g, and the headers it sets are %q",
			r.Run, run.GetSpec().GetCandidate(), run.GetSpec().GetSpeed(), run.GetSpec().GetHeaders())
	}
	if !run.GetShared() {
		if run, err = stream.Dead(ctx, a.cfg.Kafka.Config, a.names(), r.Run); errors.Is(err, stream.ErrRunLives) {
			return nil, usagef("run %s: %w by one process alone; runs start makes one that workers share", r.Run, err)
		} else if err != nil {
			return nil, dependency(err)
		}
	}
	return a.drive(ctx, window, run)
}

// windowOf is what a run has selected.
func windowOf(run *understudyv1.Run, topic string) stream.TimelineConfig {
	spec := run.GetSpec()
	w := stream.TimelineConfig{Topic: topic, Recorders: spec.GetRecorders(), Extents: run.GetExtents()}
	if n := spec.GetFromUnixNano(); n != 0 {
		w.From = time.Unix(0, n)
	}
	if n := spec.GetToUnixNano(); n != 0 {
		w.To = time.Unix(0, n)
	}
	return w
}

// findRun is the last record of a run.
func (a *app) findRun(ctx context.Context, name string) (*understudyv1.Run, error) {
	if err := stream.CheckRunName(name); err != nil {
		return nil, usage(err)
	}
	run, err := stream.FindRun(ctx, a.cfg.Kafka.Config, a.names(), name)
	if errors.Is(err, stream.ErrNoRun) {
		return nil, usage(err)
	}
	return run, dependency(err)
}

// joinBoard lets the replay know what others say of its run.
func (a *app) joinBoard(ctx context.Context) (stop func(), err error) {
	board, err := stream.OpenBoard(ctx, a.cfg.Kafka.Config, a.names(), a.cfg.Replay.Run)
	if err != nil {
		return nil, dependency(err)
	}
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		if err := board.Watch(watching); err != nil {
			a.log.Warn("what others say of the run cannot be read", "error", err)
		}
	})
	stop = func() { cancel(); running.Wait(); board.Close() }
	if err := board.CaughtUp(ctx); err != nil {
		stop()
		return nil, dependency(err)
	}
	a.cfg.Replay.Board = board
	return stop, nil
}

func (a *app) joinTeam(ctx context.Context, p *stream.Producer, run *understudyv1.Run) (*kafka.Team, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	a.cfg.Replay.Worker = fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:6])
	team, err := kafka.NewTeam(ctx, a.cfg.Kafka.Config, a.names(), run, a.cfg.Replay.Worker, p, a.log)
	return team, dependency(err)
}
