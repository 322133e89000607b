package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/recorder/ledger"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

type recorderBalanceFlags struct {
	from, to, output string
	recorders        []string
}

func (a *app) recorderCommand() *cobra.Command {
	parent := &cobra.Command{Use: "recorder", Short: "Look at what recorders have recorded", Args: noCommand, RunE: help}
	parent.AddCommand(a.recorderBalanceCommand())
	return parent
}

func (a *app) recorderBalanceCommand() *cobra.Command {
	f := recorderBalanceFlags{output: text.Table}
	c := &cobra.Command{
		Use: "balance", Short: "Compare what recorders say with what Kafka holds of them", Args: exactly(),
		Long: `Reads the tallies and the exchanges of Kafka and compares, for each life of each
recorder, how many exchanges there are, how many different ones and the highest
number with what it said; lists the numbers that are missing, and why they may
be. Nothing but Kafka is needed.

Exit code 3 when it does not hold: numbers are missing that nothing explains,
records are there twice, or a life has ended without its last word.`,
		RunE: func(c *cobra.Command, _ []string) error { return a.recorderBalance(c.Context(), f) },
	}
	a.kafkaFlags(c)
	c.Flags().StringVar(&f.from, "from", "", "start of the first exchange, RFC 3339; default all")
	c.Flags().StringVar(&f.to, "to", "", "exchanges start before this time, RFC 3339; default all")
	c.Flags().StringSliceVar(&f.recorders, "recorder", nil, "recorders to look at; default all")
	c.Flags().StringVarP(&f.output, "output", "o", f.output, "table, json or csv")
	enumerate(c, "output", text.Table, text.JSON, text.CSV)
	return c
}

func (a *app) recorderBalance(ctx context.Context, f recorderBalanceFlags) error {
	var from, to time.Time
	for _, w := range []struct {
		flag, value string
		at          *time.Time
	}{{"from", f.from, &from}, {"to", f.to, &to}} {
		if w.value == "" {
			continue
		}
		var err error
		if *w.at, err = time.Parse(time.RFC3339Nano, w.value); err != nil {
			return usagef("--%s %q: want a time like 2026-11-24T10:00:00Z", w.flag, w.value)
		}
	}
	if !slices.Contains([]string{text.Table, text.JSON, text.CSV}, f.output) {
		return usagef("-o %q is not one of table, json or csv", f.output)
	}
	all, err := a.balances(ctx, from, to, f.recorders)
	if err != nil {
		return err
	}
	if err := a.printBalances(all, f.output); err != nil {
		return err
	}
	if n := len(all); n == 0 {
		return fmt.Errorf("topic %s has nothing of this choice", a.names().Exchanges)
	}
	if slices.ContainsFunc(all, func(b ledger.Balance) bool { return !b.Holds }) {
		return threshold(errors.New("the balance of a recorder does not hold"))
	}
	return nil
}

// balances reads the tallies first: what is recorded meanwhile is then not
// missing but not told yet.
func (a *app) balances(ctx context.Context, from, to time.Time, recorders []string) ([]ledger.Balance, error) {
	if err := a.need("kafka"); err != nil {
		return nil, err
	}
	l := ledger.New(from, to)
	wanted := func(name string) bool { return len(recorders) == 0 || slices.Contains(recorders, name) }
	if err := stream.EachTally(ctx, a.cfg.Kafka.Config, a.names(), func(t *understudyv1.Tally) {
		if wanted(t.GetRecorder()) {
			l.Tally(t)
		}
	}); err != nil {
		return nil, dependency(err)
	}
	s, err := stream.OpenSnapshot(ctx, a.cfg.Kafka.Config, a.names().Exchanges, from)
	if err != nil {
		return nil, dependency(err)
	}
	defer s.Close()
	err = s.Each(ctx, 2000, 16<<20, 1, func(_ context.Context, b stream.Batch) error {
		for _, r := range b.Records {
			// A foreign record is nobody's exchange; the comparator puts it aside.
			if e, err := stream.DecodeExchange(r); err == nil && wanted(e.GetRecorder()) {
				l.Exchange(e)
			}
		}
		return nil
	})
	return l.Balances(time.Now()), dependency(err)
}

func (a *app) printBalances(all []ledger.Balance, format string) error {
	switch format {
	case text.JSON:
		e := json.NewEncoder(a.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(all)
	case text.CSV:
		w := csv.NewWriter(a.out)
		_ = w.Write([]string{"recorder", "start", "state", "served", "recorded", "dropped", "spooled", "pending", "records", "unique", "highest", "missing", "holds"})
		for _, b := range all {
			_ = w.Write(append([]string{b.Recorder}, cells(b)...))
		}
		w.Flush()
		return w.Error()
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RECORDER\tSTART\tSTATE\tSERVED\tRECORDED\tDROPPED\tSPOOLED\tPENDING\tRECORDS\tUNIQUE\tHIGHEST\tMISSING\tHOLDS")
	for _, b := range all {
		fmt.Fprintln(w, report.Clean(b.Recorder)+"\t"+strings.Join(cells(b), "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, b := range all {
		a.printHoles(b)
	}
	return nil
}

func cells(b ledger.Balance) []string {
	start := "-"
	if b.Start.UnixNano() != 0 {
		start = b.Start.Format(time.RFC3339)
	}
	out := []string{start, b.State}
	for _, n := range []uint64{b.Served, b.Recorded, report.Sum(b.Dropped), b.Spooled, b.Pending, b.Records, b.Unique, b.Highest, b.Missing} {
		out = append(out, fmt.Sprint(n))
	}
	return append(out, fmt.Sprint(b.Holds))
}

// shownRanges bounds the missing numbers that the table lists of one life; -o
// json has more.
const shownRanges = 10

func (a *app) printHoles(b ledger.Balance) {
	name := report.Clean(b.Recorder)
	if len(b.Dropped) > 0 {
		fmt.Fprintf(a.out, "%s: dropped %s\n", name, report.Reasons(b.Dropped))
	}
	for i, r := range b.Ranges {
		if i == shownRanges {
			fmt.Fprintf(a.out, "%s: more numbers are missing; -o json lists them\n", name)
			break
		}
		why := strings.Join(r.Why, ", ")
		if why == "" {
			why = "nothing explains it"
		}
		fmt.Fprintf(a.out, "%s: missing %d to %d (%d): %s\n", name, r.First, r.Last, r.Last-r.First+1, why)
	}
	for _, w := range b.Broken {
		fmt.Fprintf(a.out, "%s: DOES NOT HOLD: %s\n", name, w)
	}
}
