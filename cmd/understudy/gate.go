package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/audit"
	"understudy.dev/comparator/gate"
	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

type gateFlags struct {
	policy, audit, run, output string
	detailed                   bool
}

func (a *app) gateCommand() *cobra.Command {
	f := gateFlags{output: text.Table}
	c := &cobra.Command{
		Use: "gate RUN|MIGRATION", Short: "Decide by bounds of a run or a stage: promote, hold or roll back", Args: exactly("RUN|MIGRATION"), ValidArgsFunction: a.completeRuns,
		Long: `   ClickHouse: findings and times, by route
        │
        ▼
   bounds that hold however often one looks ─► promote | hold | roll back

Promotes when the upper bound of every rate is under the limit that the policy
sets, for all routes together and for each route with enough traffic, rolls
back when the lower bound of one is over it, and otherwise holds and says why.
Give it the configuration with which the run is judged: if the tables show it
under other rules, the gate holds. It may be asked as often as wanted, also
while the run goes on.

Of a MIGRATION it counts the exchanges of its stage alone, since the step that
led there: those that a run has replayed. A run of that name comes first, unless
--run says whose verdicts count.

Exit codes: 0 promote, 3 hold or roll back; with --detailed-exit-code 3 is roll
back and 5 is hold. What is 1, 2 or 4 is no decision: hold.`,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(text.GateFormats(), f.output) {
				return usagef("-o %q is not one of %s", f.output, strings.Join(text.GateFormats(), ", "))
			}
			if f.policy == "" {
				return usagef("gate needs --policy FILE; docs/gate.md shows one")
			}
			return a.gate(c.Context(), args[0], f)
		},
	}
	a.clickhouseFlags(c)
	a.kafkaFlags(c)
	c.Flags().StringVarP(&f.output, "output", "o", f.output, strings.Join(text.GateFormats(), ", "))
	enumerate(c, "output", text.GateFormats()...)
	c.Flags().StringVar(&f.policy, "policy", "", "YAML file with the limits")
	c.Flags().StringVar(&f.audit, "audit", "", "file that understudy audit RUN -o json has written")
	c.Flags().StringVar(&f.run, "run", "", "run whose verdicts count for a migration; empty is the only one that has exchanges of its stage")
	complete(c, "run", a.completeRuns)
	c.Flags().BoolVar(&f.detailed, "detailed-exit-code", false, "end with 5 for hold, so that 3 is roll back alone")
	return c
}

func (a *app) gate(ctx context.Context, name string, f gateFlags) error {
	policy, origins, err := readPolicy(f.policy)
	if err != nil {
		return err
	}
	audited, err := readAudit(f.audit)
	if err != nil {
		return err
	}
	judgement, err := a.cfg.Compare.Judgement()
	if err = errors.Join(a.cfg.Compare.Validate(), err); err != nil {
		return usagef("compare: %w", err)
	}
	return a.withTables(ctx, func(conn driver.Conn) error {
		e, err := a.gateEvidence(ctx, conn, name, f.run, policy.Thresholds(), judgement)
		if err != nil {
			return err
		}
		e.Audit = audited
		r := a.decide(policy, e)
		a.warnOf(r, origins)
		if err := text.Gate(a.out, r, f.output); err != nil {
			return err
		}
		return gateError(r, f.detailed)
	})
}

// gateEvidence is that of the run of a name, or of the migration's stage.
func (a *app) gateEvidence(ctx context.Context, conn driver.Conn, name, run string, thresholds []gate.Threshold, judgement comparator.Judgement) (gate.Evidence, error) {
	if run == "" {
		e, err := report.Evidence(ctx, conn, name, thresholds, judgement)
		if !errors.Is(err, report.ErrUnknownRun) || stage.CheckMigration(name) != nil {
			return e, a.unknownRun(ctx, name, err)
		}
		if all, away := a.migrations(ctx, name); away != nil || len(all) == 0 {
			return e, a.unknownRun(ctx, name, err)
		}
	}
	all, err := a.migrations(ctx, name)
	if err != nil {
		return gate.Evidence{}, err
	}
	e, err := report.StageEvidence(ctx, conn, scopeOf(all[name]), run, thresholds, judgement)
	if errors.Is(err, report.ErrSeveralRuns) {
		return e, usagef("%w: --run", err)
	}
	return e, a.unknownRun(ctx, run, err)
}

// scopeOf is the stage at which steps have left a migration.
func scopeOf(steps []*understudyv1.Stage) gate.Scope {
	now, counted := stage.Fold(steps)
	since, routes := stage.Begun(counted)
	return gate.Scope{Migration: now.Migration(), Stage: stage.Describe(now.At("")), Since: since, Routes: routes}
}

// decide is what the gate comes to under the rules given now.
func (a *app) decide(policy gate.Policy, e gate.Evidence) gate.Result {
	if err := a.cfg.Compare.Expired(time.Now()); err != nil {
		e.Spoiled = append(e.Spoiled, gate.Reason{Name: gate.ExpiredRule, What: "compare: " + strings.ReplaceAll(err.Error(), "\n", "; ")})
	}
	return gate.Decide(policy, e)
}

// warnOf says what is odd about a policy.
func (a *app) warnOf(r gate.Result, origins source.Origins) {
	for _, w := range r.Warnings {
		fmt.Fprintf(a.errOut, "understudy: warning: %s\n", report.Clean(source.Mistake{Problem: setting.Problem{Path: w.Path, Fault: w.What}, From: origins.Near(w.Path)}.Error()))
	}
}

// gateError ends the command as the decision asks for.
func gateError(r gate.Result, detailed bool) error {
	switch {
	case r.Decision == gate.Promote:
		return nil
	case r.Decision == gate.Hold && detailed:
		return coded(exitHold, errHold)
	case r.Decision == gate.Hold:
		return threshold(errHold)
	}
	return threshold(errRollBack)
}

var (
	errHold     = errors.New("the gate holds")
	errRollBack = errors.New("the gate says roll back")
)

// maxGateFile bounds a policy and an audit, in bytes.
const maxGateFile = 32 << 20

func readPolicy(path string) (gate.Policy, source.Origins, error) {
	policy, origins := gate.DefaultPolicy(), source.Origins{}
	data, err := readBounded(path)
	if err != nil {
		return policy, nil, usagef("--policy: %w", err)
	}
	mistakes := source.Read(data, path, &policy, origins)
	return policy, origins, usage(source.Of(mistakes).With(origins, policy.Validate()).Err())
}

// readAudit reads what an audit has found; nil for no file.
func readAudit(path string) (*gate.Audited, error) {
	if path == "" {
		return nil, nil
	}
	data, err := readBounded(path)
	if err != nil {
		return nil, usagef("--audit: %w", err)
	}
	var r audit.Result
	if err := json.Unmarshal(data, &r); err != nil || r.Run == "" {
		return nil, usagef("--audit: %s is not what understudy audit RUN -o json writes", path)
	}
	return &gate.Audited{Run: r.Run, Judgement: r.Judgement, Found: r.Total.Found, Counted: r.Total.Counted()}, nil
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxGateFile+1))
	if err == nil && len(data) > maxGateFile {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxGateFile)
	}
	return data, err
}
