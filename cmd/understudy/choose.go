package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
	"understudy.dev/replayer"
)

// choose finds what a replay takes by the verdicts of an earlier run.
func (a *app) choose(ctx context.Context) error {
	s := &a.cfg.Replay.Select.Verdicts
	if s.Run == "" {
		return nil
	}
	for _, v := range s.Of {
		if !slices.Contains(comparator.Verdicts(), comparator.Verdict(v)) {
			var known []string
			for _, k := range comparator.Verdicts() {
				known = append(known, string(k))
			}
			return usagef("replay.select.verdicts.of: %q is not one of %s", v, strings.Join(known, ", "))
		}
	}
	if err := a.need("clickhouse"); err != nil {
		return err
	}
	return a.withTables(ctx, func(conn driver.Conn) error {
		exchanges, sessions, err := report.Judged(ctx, conn, s.Run, s.Of)
		switch {
		case errors.Is(err, report.ErrUnknownRun):
			return a.unknownRun(ctx, s.Run, err)
		case err != nil:
			return err
		case len(exchanges) == 0:
			return usagef("no replay of run %s is %s: there is nothing to replay", report.Clean(s.Run), strings.Join(s.Of, " or "))
		}
		chosen := &replayer.Chosen{Exchanges: exchanges}
		if !s.Alone {
			chosen.Sessions = sessions
		}
		a.cfg.Replay.Chosen = chosen
		return nil
	})
}
