package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/demo"
	"understudy.dev/demo/traffic"
	"understudy.dev/embedded"
	"understudy.dev/setting/source"
)

type demoFlags struct {
	keep   bool
	output string
}

func (a *app) demoCommand() *cobra.Command {
	f := demoFlags{output: text.Table}
	c := &cobra.Command{
		Use: "demo", Short: "Run the main job end to end on two small systems", Args: noCommand,
		Long: `Starts the embedded platform, a synchronous order service and its asynchronous
successor, in which faults are planted; drives users through the recorder,
replays them at five times the speed, compares, and prints the faults that were
found beside those that were planted. Exit code 3 if one was missed, harmless
noise was reported or the books do not balance.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.output != text.Table && f.output != text.JSON {
				return usagef("-o %q: want table or json", f.output)
			}
			a.demoPlatform(c, f.keep)
			return a.demo(c.Context(), f)
		},
	}
	a.platformFlags(c)
	c.Flags().BoolVar(&f.keep, "keep", false, "leave everything running afterwards, until interrupted")
	c.Flags().StringVarP(&f.output, "output", "o", f.output, "table or json")
	enumerate(c, "output", text.Table, text.JSON)
	c.AddCommand(a.demoSystemCommand("baseline"), a.demoSystemCommand("candidate"), a.demoTrafficCommand())
	return c
}

// demoRun names the run of the demo; its data folder is its own.
const demoRun = "demo"

// demoPlatform keeps the demo out of the way of a platform that may be running:
// unless it is to be kept, where the other commands must find it, it takes any
// free ports, and a folder that is removed afterwards.
func (a *app) demoPlatform(c *cobra.Command, keep bool) {
	d, usual := &a.cfg.Dev, embedded.DefaultConfig()
	for value, address := range map[*string]string{&d.Kafka: usual.Kafka, &d.HTTP: usual.HTTP, &d.Native: usual.Native} {
		if !keep && *value == address {
			*value = "127.0.0.1:0"
		}
	}
	if d.DataDir == usual.DataDir {
		d.DataDir = ""
	}
	if !c.Flags().Changed("log-level") {
		a.log = slog.New(slog.NewTextHandler(a.logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
}

func (a *app) demo(ctx context.Context, f demoFlags) error {
	if err := usage(source.Read(demo.Settings, "demo.yaml", &a.cfg, a.origins)); err != nil {
		return err
	}
	if a.cfg.Dev.DataDir == "" {
		dir, err := os.MkdirTemp("", "understudy-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		a.cfg.Dev.DataDir = dir
	}
	platform, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	p, wait, err := a.startPlatform(platform)
	if err != nil {
		return err
	}
	d := &demonstration{a: a, say: a.errOut}
	if err := d.run(ctx, platform); err != nil {
		stop()
		return errors.Join(err, wait())
	}
	err = d.show(ctx, f.output)
	if f.keep && ctx.Err() == nil {
		fmt.Fprintf(a.errOut, "\neverything is still running: kafka %s, clickhouse %s, http://%s; Ctrl-C ends it\n", p.At().Kafka, p.At().Native, p.At().HTTP)
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, wait())
}

// demonstration walks the whole path once.
type demonstration struct {
	a       *app
	say     io.Writer
	systems *demo.Systems
	began   time.Time
}

func (d *demonstration) step(format string, args ...any) {
	fmt.Fprintf(d.say, "%5.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// run records, replays and compares. What it starts ends with platform.
func (d *demonstration) run(ctx, platform context.Context) error {
	d.began = time.Now()
	d.systems = demo.New(true)
	go func() { _ = d.systems.Run(platform) }()
	<-d.systems.Ready()
	d.step("baseline %s, candidate %s", d.systems.Baseline, d.systems.Candidate)
	if err := d.record(ctx); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	r := &d.a.cfg.Replay
	r.Run, r.Candidate, r.Speed = demoRun, d.systems.Candidate, 5
	d.step("replaying at 5x against the candidate")
	run, err := d.a.runReplay(ctx, replayFlags{headers: []string{"Authorization: " + demo.Credential}})
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	d.step("replayed %d of %d, %.0f/s, lag p99 %s", run.GetReplayed(), run.GetSelected(), run.GetAchievedRate(), time.Duration(run.GetLagP99Nano()))
	if err := d.a.compare(ctx, compareFlags{run: demoRun}); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	d.step("compared")
	return ctx.Err()
}

// record drives the traffic through a recorder and stops it in order.
func (d *demonstration) record(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address, err := freeLoopback()
	if err != nil {
		return err
	}
	rc := &d.a.cfg.Record
	rc.Listen, rc.Upstream.URL = address, d.systems.Baseline
	recording, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- d.a.record(recording) }()
	if err := awaitListener(ctx, address, ended); err != nil {
		return err
	}
	c := traffic.DefaultConfig()
	c.BaseURL = "http://" + address
	users, err := traffic.New(c, nil)
	if err != nil {
		return err
	}
	d.step("recording %d users' sessions through http://%s (about 20 s)", c.Sessions, address)
	counts, err := users.Run(ctx)
	stop()
	if err := errors.Join(err, <-ended); err != nil {
		return err
	}
	d.step("recorded %d requests of %d sessions", counts.Requests, counts.Sessions)
	return nil
}

func freeLoopback() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// awaitListener waits until something listens; ended says why nothing will.
func awaitListener(ctx context.Context, address string, ended chan error) error {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("it ended at once")
			}
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// show prints what was found next to what was planted.
func (d *demonstration) show(ctx context.Context, output string) error {
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
		if output == text.JSON {
			err = json.NewEncoder(d.a.out).Encode(struct {
				demo.Score
				Balance report.Balance `json:"balance"`
				Seconds float64        `json:"seconds"`
			}{score, r.Balance, time.Since(d.began).Seconds()})
		} else {
			err = d.table(r, score)
		}
		if err == nil && (!score.Complete() || !r.Balance.Holds) {
			err = threshold(errors.New("the demo did not find exactly what was planted, or its books do not balance"))
		}
		return err
	})
}

func (d *demonstration) table(r *report.Report, score demo.Score) error {
	out := d.a.out
	if err := text.Report(out, r, text.Table); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nPlanted and found")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tROUTE\tVERDICT\tPLANTED\tFOUND\t")
	for _, f := range score.Faults {
		mark := "ok"
		if f.Planted == 0 || f.Found != f.Planted {
			mark = "MISSED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", f.Name, f.Route, f.Verdict, f.Planted, f.Found, mark)
	}
	w.Flush()
	fmt.Fprintf(out, "harmless noise reported as a discrepancy: %d\n", score.Unexpected)
	fmt.Fprint(out, `
Where to look next (while "understudy demo --keep" runs)
  understudy sql "SELECT route, path, kind, count() FROM discrepancies GROUP BY ALL ORDER BY 4 DESC LIMIT 10"
  understudy report demo
  understudy runs balance demo
  understudy sql "SELECT * FROM latency FORMAT Vertical"
`)
	return nil
}

// demoSystemCommand serves one of the two systems, for the tour.
func (a *app) demoSystemCommand(side string) *cobra.Command {
	listen := map[string]string{"baseline": "127.0.0.1:9001", "candidate": "127.0.0.1:9002"}[side]
	what := map[string]string{"baseline": "synchronous order service", "candidate": "asynchronous order service, with the planted faults"}[side]
	c := &cobra.Command{
		Use: side, Short: "Serve the demo's " + what, Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("listen: %w; choose another address with --listen", err)
			}
			fmt.Fprintf(a.out, "%s on http://%s; Ctrl-C stops it\n", what, ln.Addr())
			return demo.Serve(c.Context(), side, ln)
		},
	}
	c.Flags().StringVar(&listen, "listen", listen, "address")
	return c
}

func (a *app) demoTrafficCommand() *cobra.Command {
	t := traffic.DefaultConfig()
	c := &cobra.Command{
		Use: "traffic", Short: "Drive the demo's users through a URL", Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			users, err := traffic.New(t, http.RoundTripper(nil))
			if err != nil {
				return usagef("%w", err)
			}
			counts, err := users.Run(c.Context())
			fmt.Fprintf(a.out, "%d requests of %d sessions, %d without an answer\n", counts.Requests, counts.Sessions, counts.Failed)
			return err
		},
	}
	c.Flags().StringVar(&t.BaseURL, "target", "http://127.0.0.1:8080", "URL of the recorder or the service; loopback only")
	c.Flags().IntVar(&t.Sessions, "sessions", t.Sessions, "users")
	c.Flags().DurationVar(&t.Arrive, "arrive", t.Arrive, "time over which they come")
	return c
}
