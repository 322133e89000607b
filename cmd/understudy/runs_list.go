package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// listRuns lists the runs of the tables, and those that only Kafka knows because
// nobody has judged them yet. One of the two must answer.
func (a *app) listRuns(ctx context.Context, format string) error {
	runs := []report.Run{}
	away := a.withTables(ctx, func(conn driver.Conn) (err error) {
		runs, err = report.Runs(ctx, conn)
		return err
	})
	if coded := (*codedError)(nil); away != nil && !(errors.As(away, &coded) && coded.code == exitDependency) {
		return away
	}
	asking, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	known, err := stream.Runs(asking, a.cfg.Kafka.Config, a.names())
	switch {
	case away != nil && err != nil:
		return away
	case away != nil:
		fmt.Fprintf(a.errOut, "understudy: %v; these are the runs that Kafka knows\n", away)
	}
	unjudged := 0
	for _, r := range known {
		if !slices.ContainsFunc(runs, func(of report.Run) bool { return of.Name == r.GetName() }) {
			runs = append(runs, report.OfRecord(r))
			unjudged++
		}
	}
	slices.SortStableFunc(runs, func(x, y report.Run) int { return y.Start.Compare(x.Start) })
	a.sayAbandoned(runs, known)
	if unjudged > 0 && away == nil {
		fmt.Fprintf(a.errOut, "understudy: %d of these runs are known to Kafka only: understudy compare%s judges them\n", unjudged, a.where("compare"))
	}
	return text.Runs(a.out, runs[:min(len(runs), report.MaxRuns)], format)
}

// sayAbandoned marks those runs that go on, of which Kafka has heard nothing for
// long.
func (a *app) sayAbandoned(runs []report.Run, known []*understudyv1.Run) {
	now := time.Now()
	for _, r := range known {
		i := slices.IndexFunc(runs, func(of report.Run) bool { return of.Name == r.GetName() && !of.Ended() })
		if i < 0 || r.GetState().Ended() || stream.Silence(r, now) < stream.AbandonedAfter {
			continue
		}
		runs[i].State = "abandoned"
		fmt.Fprintf(a.errOut, "understudy: nothing heard of run %s since %s: its replay was killed, or runs with another clock; understudy runs close%s %s ends it\n",
			report.Clean(runs[i].Name), time.Unix(0, r.GetTimeUnixNano()).UTC().Format(time.RFC3339), a.where("runs"), report.Clean(runs[i].Name))
	}
}
