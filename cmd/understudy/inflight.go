package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) inflightCommand() *cobra.Command {
	parent := &cobra.Command{
		Use: "inflight", Short: "What the candidate has accepted and not completed", Args: noCommand, RunE: help,
		Long: `Reads the ledgers of all gateways. An entry that is held waits for a person:
look at both systems, and say with resolve how it ended.`,
	}
	parent.AddCommand(a.inflightListCommand(), a.inflightShowCommand(), a.inflightResolveCommand(), a.inflightBalanceCommand())
	return parent
}

// inFlights are the entries of a migration, or of all, and the tallies.
func (a *app) inFlights(ctx context.Context, migration string) ([]*understudyv1.InFlight, []*understudyv1.InFlightTally, error) {
	if err := a.need("kafka"); err != nil {
		return nil, nil, err
	}
	if err := a.requireTopics(ctx, a.names().InFlight); err != nil {
		return nil, nil, err
	}
	entries, tallies, err := stream.InFlights(ctx, a.cfg.Kafka.Config, a.names(), migration)
	entries = slices.DeleteFunc(entries, func(e *understudyv1.InFlight) bool {
		return e.GetState() == understudyv1.InFlight_STATE_RESOLVED
	})
	return entries, tallies, dependency(err)
}

func (a *app) inflightListCommand() *cobra.Command {
	output := text.Table
	held := false
	c := &cobra.Command{
		Use: "list [MIGRATION]", Short: "List what is in flight, the oldest first", Args: between(0, 1, "[MIGRATION]"),
		RunE: func(c *cobra.Command, args []string) error {
			entries, _, err := a.inFlights(c.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			if held {
				entries = slices.DeleteFunc(entries, func(e *understudyv1.InFlight) bool { return e.GetState() != understudyv1.InFlight_STATE_HELD })
			}
			slices.SortStableFunc(entries, func(x, y *understudyv1.InFlight) int { return int(x.GetAcceptedUnixNano() - y.GetAcceptedUnixNano()) })
			return printMessages(a.out, entries, output, a.printInFlights)
		},
	}
	a.stepsFlags(c, &output)
	c.Flags().BoolVar(&held, "held", held, "only what waits for a person")
	return c
}

func (a *app) printInFlights(entries []*understudyv1.InFlight) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tMIGRATION\tROUTE\tACCEPTED\tSTATE\tAT ROLLBACK\tKEY\tWHY")
	for _, e := range entries {
		key := map[bool]string{true: "yes", false: "no"}[e.GetKeyed()]
		at := time.Unix(0, e.GetAcceptedUnixNano()).UTC().Format(time.RFC3339)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.GetId(), report.Clean(e.GetMigration()), report.Clean(e.GetRoute()), at,
			understudyv1.Label(e.GetState()), report.Clean(e.GetPolicy()), key, report.Clean(e.GetReason()))
	}
	return w.Flush()
}

// printMessages prints JSON, or has a table printed.
func printMessages[M proto.Message](out io.Writer, list []M, output string, table func([]M) error) error {
	switch output {
	case text.Table:
		return table(list)
	case text.JSON:
		lines := make([]json.RawMessage, len(list))
		for i, m := range list {
			line, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
			if err != nil {
				return err
			}
			lines[i] = line
		}
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(lines)
	}
	return usagef("-o %q is not one of table, json", output)
}

// oneInFlight is the entry of an id, or of the beginning of one.
func oneInFlight(entries []*understudyv1.InFlight, id string) (found *understudyv1.InFlight, err error) {
	for _, e := range entries {
		if !strings.HasPrefix(e.GetId(), id) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s begins more than one id; write more of it", report.Clean(id))
		}
		found = e
	}
	if found == nil {
		return nil, fmt.Errorf("nothing in flight has the id %s: it has ended, or never was; understudy inflight list shows what there is", report.Clean(id))
	}
	return found, nil
}

func (a *app) inflightShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Short: "Show all that the ledger has of an entry", Args: exactly("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			entries, _, err := a.inFlights(c.Context(), "")
			if err != nil {
				return err
			}
			e, err := oneInFlight(entries, args[0])
			if err != nil {
				return err
			}
			return printMessages(a.out, []*understudyv1.InFlight{e}, text.JSON, nil)
		},
	}
	a.kafkaFlags(c)
	return c
}

// resolving is what a person says of entries.
type resolving struct {
	migration, reason, by string
	all                   bool
}

func (a *app) inflightResolveCommand() *cobra.Command {
	r := resolving{by: who()}
	c := &cobra.Command{
		Use: "resolve [ID...]", Short: "Say how what is in flight ended", Args: cobra.ArbitraryArgs,
		Long: `The gateway that holds an entry lets it go, and does nothing: what has to be
done on either system a person does before. What the candidate has accepted and
is still awaited is ended too; its client gets 503.`,
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 0) != r.all || r.reason == "" || r.all && r.migration == "" {
				return usagef("inflight resolve needs ID..., or --all-held and --migration NAME, and --reason TEXT")
			}
			return a.resolveInFlight(c.Context(), args, r)
		},
	}
	a.kafkaFlags(c)
	f := c.Flags()
	f.StringVar(&r.migration, "migration", r.migration, "the only migration that it is about")
	f.StringVar(&r.reason, "reason", r.reason, "how it ended, and what was done")
	f.StringVar(&r.by, "who", r.by, "who says so")
	f.BoolVar(&r.all, "all-held", r.all, "everything of the migration that waits for a person")
	return c
}

func (a *app) resolveInFlight(ctx context.Context, ids []string, r resolving) error {
	entries, _, err := a.inFlights(ctx, r.migration)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(slices.Clone(entries), func(e *understudyv1.InFlight) bool { return e.GetState() != understudyv1.InFlight_STATE_HELD })
	if !r.all {
		chosen = nil
		for _, id := range ids {
			e, err := oneInFlight(entries, id)
			if err != nil {
				return err
			}
			chosen = append(chosen, e)
		}
	}
	p, err := a.newProducer(ctx, tallyProducer())
	if err != nil {
		return err
	}
	defer p.Close()
	for _, e := range chosen {
		e.State, e.Reason, e.Who, e.TimeUnixNano = understudyv1.InFlight_STATE_RESOLVED, r.reason, r.by, time.Now().UnixNano()
		record, err := stream.InFlightRecord(a.names(), e)
		if err != nil {
			return err
		}
		if err := p.ProduceSync(ctx, record); err != nil {
			return dependency(fmt.Errorf("resolve %s: %w", e.GetId(), err))
		}
		fmt.Fprintln(a.out, e.GetId())
	}
	return nil
}

func (a *app) inflightBalanceCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "balance MIGRATION", Short: "Show that nothing the candidate has accepted went missing", Args: exactly("MIGRATION"),
		Long: `Each life of a gateway counts:

  accepted + adopted = completed + failed + handed back + resolved + passed
                       + held + pending

Exit 1 if one does not add up. A life that was killed has said what it had
counted a second before; the next one adopts what it left.`,
		RunE: func(c *cobra.Command, args []string) error {
			_, tallies, err := a.inFlights(c.Context(), args[0])
			if err != nil {
				return err
			}
			return a.printFlightBalance(args[0], tallies)
		},
	}
	a.kafkaFlags(c)
	return c
}

func (a *app) printFlightBalance(migration string, tallies []*understudyv1.InFlightTally) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "GATEWAY\tSINCE\tACCEPTED\tADOPTED\tCOMPLETED\tFAILED\tHANDED BACK\tRESOLVED\tPASSED\tHELD\tPENDING\tLAST WORD\t")
	odd := 0
	for _, t := range tallies {
		in, out := t.GetAccepted()+t.GetAdopted(), t.GetCompleted()+t.GetFailed()+t.GetHandedBack()+t.GetResolved()+t.GetPassed()+t.GetHeld()+t.GetPending()
		last := "as of " + time.Unix(0, t.GetTimeUnixNano()).UTC().Format(time.RFC3339)
		if t.GetFinal() {
			last = "final"
		}
		if in != out {
			odd++
			last += fmt.Sprintf(", off by %d", int64(in-out))
		}
		fmt.Fprintf(w, "%.8s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n", t.GetGateway(), time.Unix(0, t.GetStartUnixNano()).UTC().Format(time.RFC3339),
			t.GetAccepted(), t.GetAdopted(), t.GetCompleted(), t.GetFailed(), t.GetHandedBack(), t.GetResolved(), t.GetPassed(), t.GetHeld(), t.GetPending(), last)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if odd > 0 {
		return fmt.Errorf("migration %s: the ledgers of %d lives do not balance", report.Clean(migration), odd)
	}
	return nil
}
