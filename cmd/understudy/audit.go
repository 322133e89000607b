package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"understudy.dev/comparator/audit"
	"understudy.dev/comparator/report/text"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

type auditFlags struct {
	sample    int
	seed      uint64
	failUnder float64
	output    string
}

func (a *app) auditCommand() *cobra.Command {
	f := auditFlags{sample: audit.DefaultSample, seed: 1, output: text.Table}
	c := &cobra.Command{
		Use: "audit RUN", Short: "Plant known faults into copies of a run, and count those found", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		Long: `   Kafka: replays of RUN
        │  a sample, spread over the routes
        ▼
   copies, each with one known fault ─► the judge, with your rules ─► found?

Tests the verdict on your own traffic. Plants faults of 62 kinds (values,
types, members, elements, names of other things, shifted times, headers,
completions) into copies of the candidate's answers, judges each under the
rules of the configuration, and prints how many are found, by kind and route,
and which rule or presumption would hide the others, and where. Only replays in
which nothing counts are used. Reads Kafka, without a group; writes nothing.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(checkFormat(f.output), f.problem()); err != nil {
				return usagef("%w", err)
			}
			return a.audit(c.Context(), args[0], f)
		},
	}
	a.kafkaFlags(c)
	formatFlag(c, &f.output)
	c.Flags().IntVar(&f.sample, "sample", f.sample, "replays that faults are planted into, spread over the routes")
	c.Flags().Uint64Var(&f.seed, "seed", f.seed, "chooses the sample and the faults; one seed and one run give one result")
	c.Flags().Float64Var(&f.failUnder, "fail-under", f.failUnder, "exit 3 if a smaller share is found, 0 to 1")
	return c
}

// maxSample bounds what a survey keeps.
const maxSample = 1_000_000

func (f auditFlags) problem() error {
	switch {
	case f.sample < 1 || f.sample > maxSample:
		return fmt.Errorf("--sample %d: want 1 to %d", f.sample, maxSample)
	case !(f.failUnder >= 0 && f.failUnder <= 1):
		return fmt.Errorf("--fail-under %g: want a share of 0 to 1, as 0.99", f.failUnder)
	}
	return nil
}

func (a *app) audit(ctx context.Context, run string, f auditFlags) error {
	if err := a.need("compare", "kafka"); err != nil {
		return err
	}
	state, err := stream.FindRun(ctx, a.cfg.Kafka.Config, a.names(), run)
	switch {
	case errors.Is(err, stream.ErrNoRun):
		return usage(err)
	case err != nil:
		return dependency(err)
	case !state.GetState().Ended():
		fmt.Fprintln(a.errOut, "understudy: the run is still being replayed; this audits what it has by now")
	}
	result, err := a.plantFaults(ctx, run, f)
	if err != nil {
		return err
	}
	judgement, err := a.cfg.Compare.Judgement()
	if err != nil {
		return usagef("compare: %w", err)
	}
	result.Run, result.Judgement = run, judgement.ID
	for i := range result.Places {
		result.Places[i].Source = a.whereRule(result.Places[i].By)
	}
	if err := text.Audit(a.out, result, f.output); err != nil {
		return err
	}
	switch recall := result.Total.Recall; {
	case recall == nil:
		return fmt.Errorf("no fault could be planted into a replay of run %s: %s", run, "its replays have differences that count already, or are gone from Kafka")
	case *recall < f.failUnder:
		return threshold(fmt.Errorf("%.4f of the planted faults were found, less than --fail-under %g", *recall, f.failUnder))
	}
	return nil
}

// plantFaults reads the run twice: to choose, and to plant.
func (a *app) plantFaults(ctx context.Context, run string, f auditFlags) (audit.Result, error) {
	var surveyed, audited atomic.Int64
	stop := statusLine(a.errOut, func() string {
		if n := audited.Load(); n > 0 {
			return fmt.Sprintf("planted into %d replays", n)
		}
		return fmt.Sprintf("looked at %d replays", surveyed.Load())
	})
	defer stop()
	survey := audit.NewSurvey(f.seed, f.sample)
	err := stream.Replays(ctx, a.cfg.Kafka.Config, a.names(), run, func(r *understudyv1.Replay) error {
		surveyed.Add(1)
		survey.Add(r)
		return nil
	})
	if err != nil {
		return audit.Result{}, dependency(err)
	}
	au, err := audit.New(a.cfg.Compare, survey)
	if err != nil {
		return audit.Result{}, usagef("%w", err)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	err = stream.Replays(groupCtx, a.cfg.Kafka.Config, a.names(), run, func(r *understudyv1.Replay) error {
		if !au.Wants(r) {
			return groupCtx.Err()
		}
		group.Go(func() error {
			au.Replay(r)
			audited.Add(1)
			return groupCtx.Err()
		})
		return nil
	})
	if err := errors.Join(err, group.Wait()); err != nil {
		return audit.Result{}, dependency(err)
	}
	return au.Result(), nil
}
