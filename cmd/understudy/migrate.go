package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"understudy.dev/comparator/clickhouse"
)

func (a *app) migrateCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "migrate", Short: "Create the ClickHouse database and bring its tables up to date", Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error { return a.migrate(c.Context(), true) },
	}
	a.clickhouseFlags(c)
	return c
}

func (a *app) migrate(ctx context.Context, talk bool) error {
	if err := a.need("clickhouse"); err != nil {
		return err
	}
	steps, err := clickhouse.Migrate(ctx, a.cfg.ClickHouse)
	if err != nil {
		return dependency(err)
	}
	for _, s := range steps {
		what := "applied"
		if s.WasThere {
			what = "was there"
		}
		if talk {
			fmt.Fprintf(a.out, "%s  %s\n", s.Name, what)
		}
	}
	return nil
}
