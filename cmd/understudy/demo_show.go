package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/demo"
)

// show prints what was found next to what was planted.
func (d *demonstration) show(ctx context.Context, f demoFlags) error {
	return d.a.withTables(ctx, func(conn driver.Conn) error {
		r, err := report.Load(ctx, conn, demoRun, report.DefaultOptions())
		if err != nil {
			return err
		}
		score, err := demo.Compare(ctx, demoRun, d.systems.Planted(), func(ctx context.Context, query, run string) (uint64, error) {
			var n uint64
			err := conn.QueryRow(clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{"run": run})), query).Scan(&n)
			return n, err
		})
		if err != nil {
			return err
		}
		score.Busy = pace(r).Busy()
		if f.output == text.JSON {
			err = json.NewEncoder(d.a.out).Encode(struct {
				demo.Score
				Balance report.Balance `json:"balance"`
				Seconds float64        `json:"seconds"`
			}{score, r.Balance, time.Since(d.began).Seconds()})
		} else {
			err = d.table(r, score, f.keep)
		}
		if err == nil && !r.Balance.Trusted() {
			err = threshold(errors.New("the books of the demo do not balance"))
		}
		return errors.Join(err, threshold(score.Failure()))
	})
}

// pace is how the run kept up.
func pace(r *report.Report) demo.Pace {
	p := demo.Pace{LagP99: time.Duration(r.Run.LagP99), Tails: map[string]time.Duration{}}
	for _, l := range r.Latency {
		p.Tails[l.Route] = time.Duration(min(float64(l.Tail()), 60_000) * float64(time.Millisecond)) // "never" has no end
	}
	return p
}

func (d *demonstration) table(r *report.Report, score demo.Score, keep bool) error {
	out := d.a.out
	if err := text.Report(out, r, text.Table, 0); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nPlanted and found")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tROUTE\tVERDICT\tPLANTED\tFOUND\t")
	for _, f := range score.Faults {
		mark := f.Mark()
		if f.Found != f.Planted && score.Busy != "" {
			mark += " (too busy)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", f.Name, f.Route, f.Verdict, f.Planted, f.Found, mark)
	}
	w.Flush()
	fmt.Fprintf(out, "harmless noise reported as a discrepancy: %d\n", score.Unexpected)
	next := `run "understudy demo --keep", and while it runs`
	if keep {
		next = "while this runs"
	}
	fmt.Fprintf(out, `
Where to look next: %s
  understudy sql "SELECT route, path, kind, count() FROM discrepancies GROUP BY ALL ORDER BY 4 DESC LIMIT 10"
  understudy report demo
  understudy runs balance demo
  understudy sql "SELECT * FROM latency FORMAT Vertical"
`, next)
	return nil
}
