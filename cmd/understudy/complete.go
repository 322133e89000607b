package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/report"
)

// completionTime bounds what a person waits for after pressing Tab.
const completionTime = 2 * time.Second

// enumerate completes a flag with the values that it takes.
func enumerate(c *cobra.Command, flag string, values ...string) {
	complete(c, flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	})
}

// complete panics for a flag that does not exist: a bug that every start would
// reveal.
func complete(c *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// completeRuns offers the runs that ClickHouse knows, the newest first. Offers
// nothing when ClickHouse does not answer.
func (a *app) completeRuns(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeRunFlag(c, args, prefix)
}

func (a *app) completeRunFlag(c *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var names []string
	a.askTables(c, func(ctx context.Context, conn driver.Conn) {
		runs, _ := report.Runs(ctx, conn)
		for _, r := range runs {
			if strings.HasPrefix(r.Name, prefix) {
				names = append(names, cobra.CompletionWithDesc(r.Name, r.State+", "+r.Candidate))
			}
		}
	})
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// askTables calls f with a connection to the tables, if there is one in time. A
// configuration with mistakes was read in part, and may name another ClickHouse
// than the user means: then nothing is asked.
func (a *app) askTables(c *cobra.Command, f func(context.Context, driver.Conn)) {
	if a.loadErr != nil || len(a.mistakes) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTime)
	defer cancel()
	conn, err := clickhouse.Connect(ctx, a.cfg.ClickHouse)
	if err != nil {
		return
	}
	defer conn.Close()
	f(ctx, conn)
}

// completeTemplates offers the path templates of the routes that were compared.
func (a *app) completeTemplates(c *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var templates []string
	for _, r := range a.comparedRoutes(c) {
		_, template, _ := strings.Cut(r, " ")
		if strings.HasPrefix(template, prefix) && !slices.Contains(templates, template) {
			templates = append(templates, template)
		}
	}
	return templates, cobra.ShellCompDirectiveNoFileComp
}

// completeRoutes offers the routes that were compared, with their methods.
func (a *app) completeRoutes(c *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	routes := slices.DeleteFunc(a.comparedRoutes(c), func(r string) bool { return !strings.HasPrefix(r, prefix) })
	return routes, cobra.ShellCompDirectiveNoFileComp
}

// comparedRoutes are the first 1,000 routes that the tables know; none if
// ClickHouse does not answer in time.
func (a *app) comparedRoutes(c *cobra.Command) []string {
	var names []string
	a.askTables(c, func(ctx context.Context, conn driver.Conn) {
		var routes []struct {
			Route string `ch:"route"`
		}
		_ = conn.Select(ctx, &routes, "SELECT DISTINCT route FROM stored_comparisons ORDER BY route LIMIT 1000")
		for _, r := range routes {
			names = append(names, r.Route)
		}
	})
	return names
}
