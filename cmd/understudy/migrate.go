package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
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
	if err := a.cfg.ClickHouse.Validate(); err != nil {
		return usagef("%w", err)
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

// connectClickHouse connects and checks that the tables are there.
func (a *app) connectClickHouse(ctx context.Context) (driver.Conn, error) {
	if err := a.cfg.ClickHouse.Validate(); err != nil {
		return nil, usagef("%w", err)
	}
	conn, err := clickhouse.Connect(ctx, a.cfg.ClickHouse)
	if err != nil {
		return nil, dependency(err)
	}
	if err := clickhouse.Check(ctx, conn); err != nil {
		return nil, dependency(errors.Join(err, conn.Close()))
	}
	return conn, nil
}
