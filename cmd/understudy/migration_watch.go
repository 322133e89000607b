package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/gate"
	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// watchFlags are those of migration status --watch.
type watchFlags struct {
	watch       bool
	policy, run string
	every       time.Duration
}

func (a *app) migrationStatusCommand() *cobra.Command {
	output, f := text.Table, watchFlags{every: 5 * time.Second}
	c := &cobra.Command{
		Use: "status [NAME]", Short: "Show the stage of one migration or all, and of their routes", Args: between(0, 1, "[NAME]"),
		Long: `With --watch it goes on: stage, what the gate says of it and by which bounds,
for all routes together and for those that stand most in the way, and the last
steps. Give it the configuration with which the run is judged. A pipe gets a
line for each change.`,
		RunE: func(c *cobra.Command, args []string) error {
			if f.watch {
				return a.watchMigration(c, args, f)
			}
			for _, only := range []string{"policy", "run", "every"} {
				if c.Flags().Changed(only) {
					return usagef("--%s goes with --watch", only)
				}
			}
			all, err := a.migrations(c.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			var steps []*understudyv1.Stage
			for _, name := range slices.Sorted(maps.Keys(all)) {
				now, _ := stage.Fold(all[name])
				steps = append(steps, now.Steps()...)
			}
			return a.printSteps(steps, output)
		},
	}
	a.stepsFlags(c, &output)
	a.clickhouseFlags(c)
	c.Flags().BoolVar(&f.watch, "watch", f.watch, "go on until interrupted, with what the gate says")
	c.Flags().StringVar(&f.policy, "policy", f.policy, "YAML file with the limits of the gate; empty are the default ones")
	c.Flags().StringVar(&f.run, "run", f.run, "run whose verdicts count; empty is the only one that has exchanges of the stage")
	c.Flags().DurationVar(&f.every, "every", f.every, "time between two looks, 1s or more")
	complete(c, "run", a.completeRuns)
	return c
}

// leastEvery is the least time between two looks.
const leastEvery = time.Second

func (a *app) watchMigration(c *cobra.Command, args []string, f watchFlags) error {
	switch {
	case len(args) != 1:
		return usagef("status --watch needs the NAME of a migration")
	case f.every < leastEvery:
		return usagef("--every: %s is less than %s", f.every, leastEvery)
	case c.Flags().Changed("output"):
		return usagef("--watch is for people, and has no -o; understudy gate %s -o json is for programs", args[0])
	}
	policy := gate.DefaultPolicy()
	if f.policy != "" {
		var err error
		if policy, _, err = readPolicy(f.policy); err != nil {
			return err
		}
	}
	judgement, err := a.cfg.Compare.Judgement()
	if err = errors.Join(a.cfg.Compare.Validate(), err); err != nil {
		return usagef("compare: %w", err)
	}
	if err := a.need("clickhouse"); err != nil {
		return err
	}
	ctx, said, terminal := c.Context(), "", onTerminal(a.out)
	for {
		m, err := a.seeMigration(ctx, args[0], f.run, policy, judgement)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case err != nil: // interrupted
		case terminal:
			fmt.Fprint(a.out, "\x1b[H\x1b[2J", m.Screen())
		case m.Line() != said:
			said = m.Line()
			fmt.Fprintln(a.out, m.Now.UTC().Format(time.RFC3339), said)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.every):
		}
	}
}

// seeMigration looks at a migration once. A gate that cannot be asked is no error.
func (a *app) seeMigration(ctx context.Context, name, run string, policy gate.Policy, judgement comparator.Judgement) (text.Migration, error) {
	all, err := a.migrations(ctx, name)
	if err != nil {
		return text.Migration{}, err
	}
	now, counted := stage.Fold(all[name])
	since, _ := stage.Begun(counted)
	m := text.Migration{Name: name, Stage: stage.Describe(now.At("")), Step: since, Now: time.Now()}
	for _, s := range now.Steps() {
		if s.GetRoute() != "" {
			m.Own = append(m.Own, text.OwnStage{Route: s.GetRoute(), Stage: stage.Describe(s)})
		}
	}
	for _, s := range slices.Backward(counted) {
		at := time.Unix(0, s.GetTimeUnixNano())
		if s.GetVersion() == since {
			m.Since = at
		}
		m.Steps = append(m.Steps, text.MigrationStep{
			Number: s.GetVersion(), Time: at, Action: s.GetAction(), Route: s.GetRoute(), Stage: stage.Of(s).String(), Who: s.GetWho(), Why: s.GetReason(),
		})
	}
	err = a.withTables(ctx, func(conn driver.Conn) error {
		e, err := report.StageEvidence(ctx, conn, scopeOf(all[name]), run, policy.Thresholds(), judgement)
		if err == nil {
			r := a.decide(policy, e)
			m.Gate = &r
		}
		return err
	})
	if err != nil {
		m.Fault = err.Error()
	}
	return m, nil
}
