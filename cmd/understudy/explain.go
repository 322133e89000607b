package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/explain"
	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

type explainFlags struct{ format, judgement, rules string }

func (a *app) explainCommand() *cobra.Command {
	f := explainFlags{format: text.Table}
	c := &cobra.Command{
		Use: "explain RUN ORDINAL", Short: "Say why a replay has its verdict", ValidArgsFunction: a.completeRuns,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return usagef("%s takes RUN ORDINAL, got only %q; %s", c.CommandPath(), args[0], howToFind(args[0]))
			}
			return exactly("RUN", "ORDINAL")(c, args)
		},
		Long: `Reads the record of one replay from Kafka and judges it again under the rules of
its run's current judgement, or of another one (--judgement): every place that
differs, kept in the tables or not, with both values, its class, and what proves
it; the names by which the baseline's answer was rewritten; how the request was
sent and its completion came about. --rules tries other rules on it. If the
tables say something else, it says so.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkTableOrJSON(f.format); err != nil {
				return err
			}
			return a.withTables(c.Context(), func(conn driver.Conn) error {
				return a.explain(c.Context(), conn, args[0], args[1], f)
			})
		},
	}
	a.kafkaFlags(c)
	a.clickhouseFlags(c)
	c.Flags().StringVarP(&f.format, "output", "o", f.format, "table or json")
	enumerate(c, "output", text.Table, text.JSON)
	c.Flags().StringVar(&f.judgement, "judgement", "", "explain this one, by the beginning of its name in understudy judge list; default the current one")
	c.Flags().StringVar(&f.rules, "rules", "", "explain under the rules of this YAML file instead: what stands under compare:")
	return c
}

func (a *app) explain(ctx context.Context, conn driver.Conn, run, ordinal string, f explainFlags) error {
	j, err := a.judgementOf(ctx, conn, run, f.judgement)
	if err != nil {
		return err
	}
	rules, err := a.explaining(j, f.rules)
	if err != nil {
		return err
	}
	judge, err := comparator.NewJudge(rules.config)
	if err != nil {
		return usagef("%w", err)
	}
	found, err := a.findReplay(ctx, conn, run, ordinal, j.ID)
	if err != nil {
		return err
	}
	s := found.stored
	return text.Explanation(a.out, explain.Of(judge, found.replay, explain.Stored{
		Judgement: j.Name(), Current: j.Current, Since: j.Time,
		Verdict: s.Verdict, Findings: s.Findings, Counting: s.Counting, Presumed: s.Presumed, Harmless: s.Harmless, Incomplete: s.Incomplete,
	}, explain.Options{
		Under: rules.other, Rules: rules.config.List(time.Unix(0, found.replay.GetClosedUnixNano())), Where: rules.where,
	}), f.format)
}

// judgementOf is a judgement of a run by the beginning of its name; empty is the
// current one.
func (a *app) judgementOf(ctx context.Context, conn driver.Conn, run, prefix string) (report.Judgement, error) {
	all, err := judgements(ctx, conn, run)
	if err != nil {
		return report.Judgement{}, err
	}
	if prefix == "" {
		for _, j := range all {
			if j.Current {
				return j, nil
			}
		}
		return report.Judgement{}, usagef("no replay of run %s is judged yet; run understudy compare", report.Clean(run))
	}
	j, err := report.FindJudgement(all, run, prefix)
	return j, usage(err)
}

// explaining are the rules under which a replay is explained.
type explaining struct {
	config comparator.Config
	// other says whose they are, if not those of the judgement.
	other string
	where func(class string) string
}

// explaining gives the rules of a judgement, or of a file. A rule that has
// expired since is explained as of then.
func (a *app) explaining(j report.Judgement, file string) (explaining, error) {
	switch {
	case file != "":
		origins, err := a.readRules(file, time.Time{})
		if err != nil {
			return explaining{}, err
		}
		return explaining{a.cfg.Compare, "the rules of " + file, func(class string) string { return whereRule(a.cfg.Compare, origins, "", class) }}, nil
	case j.Config == "": // from before there were judgements
		return explaining{a.cfg.Compare, "the configuration at hand", a.whereRule}, nil
	}
	c, again, err := keptRules(j)
	if err != nil {
		return explaining{}, usagef("%w; --rules FILE explains under others", err)
	}
	where := func(class string) string {
		if !strings.HasPrefix(class, "rule:") {
			return ""
		}
		// The file at hand may have it, too.
		if at := a.whereRule(class); at != "" && hasRule(a.cfg.Compare, class) {
			return at
		}
		return "judgement " + j.Name()
	}
	e := explaining{c, "", where}
	switch {
	case j.Version != comparator.JudgeVersion:
		e.other = fmt.Sprintf("its rules and version %d of the judge, which made it with version %d", comparator.JudgeVersion, j.Version)
	case again.ID != j.ID:
		e.other = "its rules, with a descriptor_set that has changed since"
	}
	return e, nil
}

// whereRule says where the rule of a noise class is written, "" for a default
// rule.
func (a *app) whereRule(class string) string {
	return whereRule(a.cfg.Compare, a.origins, "compare.", class)
}

func hasRule(c comparator.Config, class string) bool {
	name, _ := strings.CutPrefix(class, "rule:")
	return slices.ContainsFunc(c.Rules, func(r comparator.Rule) bool { return r.Name == name })
}

// whereRule says it of rules that were read under root.
func whereRule(c comparator.Config, origins source.Origins, root, class string) string {
	name, own := strings.CutPrefix(class, "rule:")
	if !own {
		return ""
	}
	path := root + name // of a list of names that is a rule as a whole
	for i, r := range c.Rules {
		if r.Name == name {
			path = setting.Index(root+"rules", i)
		}
	}
	from := origins.Near(path)
	if from.Kind == source.File {
		return fmt.Sprintf("%s:%d:%d", from.Name, from.Line, from.Column)
	}
	return from.String()
}
