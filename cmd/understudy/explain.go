package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/explain"
	"understudy.dev/comparator/report/text"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

func (a *app) explainCommand() *cobra.Command {
	format := text.Table
	c := &cobra.Command{
		Use: "explain RUN ORDINAL", Short: "Say why a replay has its verdict", ValidArgsFunction: a.completeRuns,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return usagef("%s takes RUN ORDINAL, got only %q; %s", c.CommandPath(), args[0], howToFind(args[0]))
			}
			return exactly("RUN", "ORDINAL")(c, args)
		},
		Long: `Reads the record of one replay from Kafka and judges it again under the
configuration at hand: every place that differs, kept in the tables or not, with
both values, its class, and what proves it; the names by which the baseline's
answer was rewritten; how the request was sent and its completion came about. If
the tables say something else, it says so: the rules have changed since, or
another version has judged.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkTableOrJSON(format); err != nil {
				return err
			}
			// A rule that has expired since is explained as of then.
			var ps setting.Problems
			ps.Under("compare", a.cfg.Compare.Validate())
			if err := usage(source.Mistakes{}.With(a.origins, ps.Err()).Err()); err != nil {
				return err
			}
			judge, err := comparator.NewJudge(a.cfg.Compare)
			if err != nil {
				return usagef("%w", err)
			}
			return a.withTables(c.Context(), func(conn driver.Conn) error {
				f, err := a.findReplay(c.Context(), conn, args[0], args[1])
				if err != nil {
					return err
				}
				s := f.stored
				return text.Explanation(a.out, explain.Of(judge, f.replay, explain.Stored{
					Verdict: s.Verdict, Findings: s.Findings, Counting: s.Counting, Presumed: s.Presumed, Harmless: s.Harmless, Incomplete: s.Incomplete,
				}, explain.Options{Rules: a.cfg.Compare.List(time.Unix(0, f.replay.GetClosedUnixNano())), Where: a.whereRule}), format)
			})
		},
	}
	a.kafkaFlags(c)
	a.clickhouseFlags(c)
	c.Flags().StringVarP(&format, "output", "o", format, "table or json")
	enumerate(c, "output", text.Table, text.JSON)
	return c
}

// whereRule says where the rule of a noise class is written, "" for a default
// rule.
func (a *app) whereRule(class string) string {
	name, own := strings.CutPrefix(class, "rule:")
	if !own {
		return ""
	}
	path := "compare." + name // of a list of names that is a rule as a whole
	for i, r := range a.cfg.Compare.Rules {
		if r.Name == name {
			path = setting.Index("compare.rules", i)
		}
	}
	from := a.origins.Near(path)
	if from.Kind == source.File {
		return fmt.Sprintf("%s:%d:%d", from.Name, from.Line, from.Column)
	}
	return from.String()
}
