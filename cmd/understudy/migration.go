package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
	"understudy.dev/stream"
)

func (a *app) migrationCommand() *cobra.Command {
	parent := &cobra.Command{
		Use: "migration", Short: "Move users between baseline and candidate", Args: noCommand, RunE: help,
		Long: `Writes the steps of a migration to Kafka, where every gateway reads them within
a second: off, shadow, canary:SHARE% (0.01% to 100%), live, complete.`,
	}
	parent.AddCommand(
		a.stepCommand(stage.ActionCreate, "create NAME [STAGE]", "Begin a migration, at off unless a stage is given", ""),
		a.stepCommand(stage.ActionPromote, "promote NAME STAGE", "Move on to a stage",
			`Sessions that are with the candidate stay there. A migration that is held or
rolled back must be resumed first.`),
		a.stepCommand(stage.ActionHold, "hold NAME", "Stay at this stage until resume", ""),
		a.stepCommand(stage.ActionRollback, "rollback NAME [STAGE]", "Send everybody back to the baseline until resume",
			`With a stage, back to that one only, and hold it there: of a canary the sessions
that came last go first. It works in every state, and of the whole migration it
rolls back every route. Nothing but resume ends it. Where Kafka is away,
understudy gateway kill does the same for one gateway.`),
		a.stepCommand(stage.ActionResume, "resume NAME [STAGE]", "End a hold or a rollback",
			`After a rollback it goes on in the shadow unless a stage is given, which must
not be beyond the one that was rolled back.`),
		a.migrationStatusCommand(), a.migrationHistoryCommand())
	return parent
}

// stepCommand is one that writes a step. STAGE in use says that it takes one.
func (a *app) stepCommand(action, use, short, long string) *cobra.Command {
	o, by := stage.Order{Action: action}, who()
	least, most := 1, 1
	if _, place, ok := strings.Cut(use, "NAME "); ok {
		if most = 2; place == "STAGE" {
			least = 2
		}
	}
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Args: between(least, most, use),
		RunE: func(c *cobra.Command, args []string) error {
			if o.Migration = args[0]; len(args) == 2 {
				to, err := stage.Parse(args[1])
				if err != nil {
					return usage(err)
				}
				o.To = &to
			}
			if err := a.writeStep(c.Context(), o, by); err != nil {
				return err
			}
			if o.Route != "" {
				// Only after it is written: nobody waits for ClickHouse to go back.
				fmt.Fprint(a.errOut, unseenRoute(o.Route, a.comparedRoutes(c)))
			}
			return nil
		},
	}
	a.kafkaFlags(c)
	f := c.Flags()
	f.StringVar(&o.Route, "only", o.Route, "the only route that it is about, as in \"POST /orders/{id}\"")
	f.StringVar(&o.Reason, "reason", o.Reason, "why; a rollback needs one")
	f.StringVar(&by, "who", by, "who does it")
	complete(c, "only", a.completeRoutes)
	return c
}

// between takes from least to most arguments, of which use says what they are.
func between(least, most int, use string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usagef("want %s, got %d argument(s); see %s --help", use, len(args), c.CommandPath())
		}
		return nil
	}
}

func (a *app) writeStep(ctx context.Context, o stage.Order, by string) error {
	if err := a.requireTopics(ctx, a.names().Stages); err != nil {
		return err
	}
	p, err := a.stepProducer(ctx)
	if err != nil {
		return err
	}
	defer p.Close()
	step, before, err := a.putStep(ctx, p, o, by, nil, func([]*understudyv1.Stage) error { return nil })
	if err != nil {
		return err
	}
	name := o.Migration
	if o.Route != "" {
		name += ", " + o.Route
	}
	fmt.Fprintf(a.out, "%s: %s -> %s (step %d)\n", report.Clean(name), before, stage.Describe(step), step.GetVersion())
	return nil
}

// unseenRoute warns of a route that no exchange had of those that were compared, as
// one that is mistyped; empty if it was, or if nothing is known.
func unseenRoute(route string, known []string) string {
	if len(known) == 0 || slices.Contains(known, route) {
		return ""
	}
	hint := ""
	if near := setting.Nearest(route, known); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return report.Clean(fmt.Sprintf("understudy: warning: --only: no exchange that was compared has the route %q%s", route, hint)) + "\n"
}

// stepProducer is one that waits for nothing.
func (a *app) stepProducer(ctx context.Context) (*stream.Producer, error) {
	pc := stream.DefaultProducerConfig()
	pc.Linger, pc.Compression = 0, "none"
	return a.newProducer(ctx, pc)
}

// putStep writes the step that an order makes, and says where the migration was
// before; an error of check, which is given the steps that there are, keeps it from
// being written.
func (a *app) putStep(ctx context.Context, p *stream.Producer, o stage.Order, by string, e *understudyv1.Evidence, check func([]*understudyv1.Stage) error) (step *understudyv1.Stage, before string, err error) {
	step, err = stream.WriteStage(ctx, a.cfg.Kafka.Config, a.names(), p, o.Migration, o.Action == stage.ActionRollback,
		func(steps []*understudyv1.Stage) (*understudyv1.Stage, error) {
			if err := check(steps); err != nil {
				return nil, err
			}
			now, _ := stage.Fold(steps)
			before = stage.Describe(now.At(o.Route))
			next, err := now.Step(o)
			if err == nil {
				next.Who, next.TimeUnixNano, next.Id, next.Evidence = by, time.Now().UnixNano(), rand.Text(), e
			}
			return next, err
		})
	return step, before, err
}

// migrations are the steps that the topic holds, by migration.
func (a *app) migrations(ctx context.Context, name string) (map[string][]*understudyv1.Stage, error) {
	if err := a.need("kafka"); err != nil {
		return nil, err
	}
	all := map[string][]*understudyv1.Stage{}
	err := stream.EachStage(ctx, a.cfg.Kafka.Config, a.names(), func(s *understudyv1.Stage) {
		if name == "" || s.GetMigration() == name {
			all[s.GetMigration()] = append(all[s.GetMigration()], s)
		}
	})
	if err != nil {
		return nil, dependency(err)
	}
	if name != "" && len(all) == 0 {
		return nil, fmt.Errorf("there is no migration %s; understudy migration create makes one", report.Clean(name))
	}
	return all, nil
}

func (a *app) migrationHistoryCommand() *cobra.Command {
	output := text.Table
	c := &cobra.Command{
		Use: "history NAME", Short: "Show every step of a migration: when, who and why", Args: between(1, 1, "NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := a.migrations(c.Context(), args[0])
			if err != nil {
				return err
			}
			_, steps := stage.Fold(all[args[0]])
			return a.printSteps(withActs(steps, stage.Acts(all[args[0]])), output)
		},
	}
	a.stepsFlags(c, &output)
	return c
}

func (a *app) stepsFlags(c *cobra.Command, output *string) {
	a.kafkaFlags(c)
	c.Flags().StringVarP(output, "output", "o", *output, "table or json")
	enumerate(c, "output", text.Table, text.JSON)
}

func (a *app) printSteps(steps []*understudyv1.Stage, output string) error {
	return printMessages(a.out, steps, output, a.stepTable)
}

func (a *app) stepTable(steps []*understudyv1.Stage) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MIGRATION\tROUTE\tSTAGE\tSTEP\tACTION\tWHEN\tWHO\tWHY")
	for _, s := range steps {
		route := s.GetRoute()
		if route == "" {
			route = "(all)"
		}
		at := time.Unix(0, s.GetTimeUnixNano()).UTC().Format(time.RFC3339)
		described, number := stage.Describe(s), strconv.FormatUint(s.GetVersion(), 10)
		if stage.IsAct(s) {
			described, number = "-", "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", report.Clean(s.GetMigration()), report.Clean(route), described, number,
			report.Clean(s.GetAction()), at, report.Clean(s.GetWho()), report.Clean(s.GetReason()))
	}
	return w.Flush()
}
