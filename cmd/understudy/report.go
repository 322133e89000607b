package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/clickhouse/sql"
	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// errBalance ends with exit code 3: the run proves nothing.
var errBalance = errors.New("the books do not balance: the run is not evidence")

type reportFlags struct {
	format string
	routes int
	all    bool
	failOn failOn
}

func (a *app) reportCommand() *cobra.Command {
	f, options := reportFlags{format: text.Table}, report.DefaultOptions()
	c := &cobra.Command{
		Use: "report RUN", Short: "Print a run's scorecard, top discrepancies and balance", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		Long: `Begins with what spoils the run as a whole and what mends it: nothing judged or
compared, no credentials, no order, a dead candidate, answers that look pending.
Exit code 3 if the books do not balance or a condition of --fail-on holds.`,
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("routes") && f.routes < 1 {
				return usagef("--routes: %d is less than 1; --all lists all", f.routes)
			}
			return a.report(c.Context(), args[0], f, options)
		},
	}
	a.clickhouseFlags(c)
	a.kafkaFlags(c)
	formatFlag(c, &f.format)
	c.Flags().IntVar(&options.Top, "top", options.Top, "discrepancies that are listed")
	c.Flags().IntVar(&f.routes, "routes", 0, "routes that a table lists, the worst first; default what fits on the terminal, 20 in a pipe")
	c.Flags().BoolVar(&f.all, "all", false, "list all routes")
	c.MarkFlagsMutuallyExclusive("routes", "all")
	failOnFlag(c, &f.failOn)
	return c
}

// failOn is the flag --fail-on. One that is given and empty, as by a variable of
// a script that is not set, is a mistake: it would let everything pass.
type failOn struct {
	text  string
	given bool
}

// Set implements pflag.Value.
func (f *failOn) Set(text string) error {
	f.text, f.given = text, true
	return nil
}

// String implements pflag.Value.
func (f *failOn) String() string { return f.text }

// Type implements pflag.Value.
func (f *failOn) Type() string { return "string" }

func failOnFlag(c *cobra.Command, f *failOn) {
	c.Flags().Var(f, "fail-on", `exit 3 when one of these holds: "mismatch>0.1%,lost>0"; a share is of everything selected; unexplained are mismatches that no control explains`)
}

// conditions reads --fail-on.
func (f *failOn) conditions() ([]report.Condition, error) {
	if !f.given {
		return nil, nil
	}
	if strings.TrimSpace(f.text) == "" {
		return nil, usagef(`--fail-on is empty, so that nothing could fail; want conditions, as in "mismatch>0.1%%,lost>0", or leave it out`)
	}
	all, err := report.ParseConditions(f.text)
	if err != nil {
		return nil, usagef("--fail-on: %w", err)
	}
	return all, nil
}

func (a *app) report(ctx context.Context, run string, f reportFlags, options report.Options) error {
	if err := errors.Join(checkFormat(f.format), options.Validate()); err != nil {
		return usagef("%w", err)
	}
	limits, err := f.failOn.conditions()
	if err != nil {
		return err
	}
	routes := f.routes
	if routes == 0 && !f.all {
		routes = routesThatFit(a.out)
	}
	return a.withTables(ctx, func(conn driver.Conn) error {
		r, err := report.Load(ctx, conn, run, options)
		if err != nil {
			return a.unknownRun(ctx, run, err)
		}
		a.located(r)
		if err := text.Report(a.out, r, f.format, routes); err != nil {
			return err
		}
		broken := failed(report.Broken(limits, r))
		if r.Run.Ended() && !r.Balance.Trusted() {
			return threshold(also(errBalance, broken))
		}
		return broken
	})
}

// also joins two errors in one line.
func also(err, other error) error {
	if other == nil {
		return err
	}
	return fmt.Errorf("%w; %w", err, other)
}

func (a *app) runsCommand() *cobra.Command {
	parent := &cobra.Command{Use: "runs", Short: "Start, watch, pause and stop runs, and show their books", Args: noCommand, RunE: help}
	format := text.Table
	list := &cobra.Command{
		Use: "list", Short: "List the runs, judged or not", Args: exactly(),
		Long: `Lists the runs of the tables, and those that only Kafka knows because nobody has
judged them yet. Either of the two may be away.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkFormat(format); err != nil {
				return usagef("%w", err)
			}
			return a.listRuns(c.Context(), format)
		},
	}
	balance := &cobra.Command{
		Use: "balance RUN", Short: "Show that nothing of a run went missing, or what did (exit 3)", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format); err != nil {
				return usagef("%w", err)
			}
			return a.withTables(c.Context(), func(conn driver.Conn) error {
				b, err := report.LoadBalance(c.Context(), conn, args[0])
				if err != nil {
					return a.unknownRun(c.Context(), args[0], err)
				}
				b.Flags = a.where("report")
				if err := text.Balance(a.out, b, format); err != nil {
					return err
				}
				if !b.Trusted() {
					return threshold(errBalance)
				}
				return nil
			})
		},
	}
	for _, c := range []*cobra.Command{list, balance} {
		a.clickhouseFlags(c)
		a.kafkaFlags(c)
		formatFlag(c, &format)
		parent.AddCommand(c)
	}
	parent.AddCommand(a.runsStartCommand(), a.runsShowCommand(), a.runsWatchCommand(),
		a.wishCommand("pause", "Let a run send nothing until it is resumed", understudyv1.RunControl_WISH_PAUSE),
		a.runsResumeCommand(),
		a.wishCommand("stop", "End a run: what is under way is finished, nothing more is sent", understudyv1.RunControl_WISH_STOP),
		a.runsCloseCommand())
	return parent
}

func formatFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", *format, strings.Join(text.Formats(), ", "))
	enumerate(c, "output", text.Formats()...)
}

func checkFormat(format string) error {
	if !slices.Contains(text.Formats(), format) {
		return fmt.Errorf("-o %q is not one of %s", format, strings.Join(text.Formats(), ", "))
	}
	return nil
}

// unknownRun is err for a run that the tables do not know. If Kafka, asked for a
// moment, knows it, what is missing is said.
func (a *app) unknownRun(ctx context.Context, name string, err error) error {
	if !errors.Is(err, report.ErrUnknownRun) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	known, away := stream.Runs(ctx, a.cfg.Kafka.Config, a.names())
	if away == nil && slices.ContainsFunc(known, func(r *understudyv1.Run) bool { return r.GetName() == name }) {
		return usagef("run %s is not judged yet; judge it: understudy compare%s --run %s", report.Clean(name), a.where("compare"), report.Clean(name))
	}
	return unknownRun(err)
}

func unknownRun(err error) error {
	if errors.Is(err, report.ErrUnknownRun) {
		return usage(err)
	}
	return err
}

func (a *app) sqlCommand() *cobra.Command {
	var format, address string
	c := &cobra.Command{
		Use: "sql QUERY", Short: "Ask ClickHouse; the answer is in the format that the query names", Args: exactly("QUERY"),
		Long: `Runs a query over ClickHouse's HTTP interface. Without FORMAT the answer is a
table on a terminal and tab-separated in a pipe. QUERY may be - for standard
input.`,
		RunE: func(c *cobra.Command, args []string) error {
			query := args[0]
			if query == "-" {
				text, err := io.ReadAll(io.LimitReader(a.in, 16<<20))
				if err != nil {
					return err
				}
				query = string(text)
			}
			return a.sql(c.Context(), query, format, address)
		},
	}
	a.clickhouseFlags(c)
	c.Flags().StringVar(&format, "format", "", "format for a query that names none")
	c.Flags().StringVar(&address, "clickhouse-http", "", "http://host:port of the HTTP interface; default the usual port beside --clickhouse")
	return c
}

func (a *app) sql(ctx context.Context, query, format, address string) error {
	if err := a.need("clickhouse"); err != nil {
		return err
	}
	target, err := a.cfg.ClickHouse.Target()
	if err != nil {
		return err
	}
	url := strings.TrimSuffix(address, "/")
	if url == "" {
		if url, err = target.HTTPURL(); err != nil {
			// If nothing answers at all, that is the more useful error.
			conn, away := clickhouse.Connect(ctx, a.cfg.ClickHouse)
			if away != nil {
				return dependency(away)
			}
			url, err = clickhouse.FindHTTP(ctx, conn, target)
			conn.Close()
			if err != nil {
				return usagef("%w; say --clickhouse-http http://host:port", err)
			}
		}
	}
	out := a.out
	_, terminal := terminalWidth(a.out)
	if terminal {
		clean := text.Terminal(a.out)
		defer clean.Close()
		out = clean
	}
	if format == "" {
		format = map[bool]string{true: "PrettyCompact", false: "TabSeparatedWithNames"}[terminal]
	}
	err = sql.Client{URL: url, Database: target.Database, User: target.User, Password: target.Password, Format: format}.Query(ctx, query, out)
	if errors.Is(err, sql.ErrUnreachable) {
		return dependency(err)
	}
	return err
}

// printRun prints a summary of a run.
func printRun(w io.Writer, r *understudyv1.Run) {
	fmt.Fprintf(w, "run %s %s", r.GetName(), understudyv1.Label(r.GetState()))
	if r.GetDetail() != "" {
		fmt.Fprintf(w, ": %s", r.GetDetail())
	}
	fmt.Fprintf(w, "\nselected %d = replayed %d + skipped %d%s\n", r.GetSelected(), r.GetReplayed(), total(r.GetSkipped()), reasons(r.GetSkipped()))
	fmt.Fprintf(w, "completed %d%s, orphans %d, locations refused %d\n", total(r.GetCompleted()), reasons(r.GetCompleted()), r.GetOrphans(), r.GetLocationsRefused())
	if n, all := total(r.GetErrors()), r.GetReplayed(); all > 0 {
		fmt.Fprintf(w, "answered %d (%s), transport errors %d (%s)%s\n", all-n, report.Percent(all-n, all), n, report.Percent(n, all), reasons(r.GetErrors()))
	}
	if n := r.GetControlled() + total(r.GetUncontrolled()); n > 0 {
		fmt.Fprintf(w, "control %d of %d answered%s\n", r.GetControlled(), n, reasons(r.GetUncontrolled()))
	}
	printLoad(w, r)
	planned := fmt.Sprintf(" of %.1f/s planned", r.GetPlannedRate())
	if r.GetPlannedRate() == 0 { // one request, or several at one moment
		planned = ""
	}
	fmt.Fprintf(w, "rate %.1f/s%s, lag p50 %s p99 %s max %s\n", r.GetAchievedRate(), planned,
		time.Duration(r.GetLagP50Nano()), time.Duration(r.GetLagP99Nano()), time.Duration(r.GetLagMaxNano()))
	printRoutes(w, r.GetRoutes())
	if n := r.GetRepeated(); n > 0 {
		fmt.Fprintf(w, "repeated %d at most: due when a worker was killed or let go of their sessions, which may have sent them before\n", n)
	}
	if n := r.GetSpread(); n > 0 {
		fmt.Fprintf(w, "spread %d: their start was recorded to the second only\n", n)
	}
	if n := r.GetLate(); n > 0 {
		fmt.Fprintf(w, "late %d: read too late for their place in the order\n", n)
	}
	if n := total(r.GetUnselected()); n > 0 {
		fmt.Fprintf(w, "read and not selected %d%s\n", n, reasons(r.GetUnselected()))
	}
}

// printRoutes says what the answers of the routes were taken for, and where that
// is doubtful. Routes whose answers were all final need no line.
func printRoutes(w io.Writer, routes []*understudyv1.RouteCompletion) {
	for _, x := range routes {
		if len(x.GetTaken()) > 1 || x.GetTaken()["final"] == 0 {
			fmt.Fprintf(w, "  %s: taken for%s\n", quotedRoute(x), reasons(x.GetTaken()))
		}
	}
	for _, x := range routes {
		if n := total(x.GetDoubts()); n > 0 {
			fmt.Fprintf(w, "  warning: %s looks asynchronous, and %d of its answers were taken as final%s; say in replay.routes how it answers\n", quotedRoute(x), n, reasons(x.GetDoubts()))
		}
	}
}

// quotedRoute names one; it comes from the recording, and is quoted because of that.
func quotedRoute(x *understudyv1.RouteCompletion) string {
	if x.GetRoute() == "" {
		return "other routes"
	}
	return strconv.Quote(x.GetRoute())
}

func total(m map[string]uint64) (n uint64) {
	for _, v := range m {
		n += v
	}
	return n
}

// reasons lists counts by name, " (a 1, b 2)".
func reasons(m map[string]uint64) string {
	var parts []string
	for name, n := range m {
		parts = append(parts, fmt.Sprintf("%s %d", name, n))
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}
