package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	"understudy.dev/comparator/report"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) runsStartCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use: "start RUN --candidate URL", Short: "Make a run that workers share", Args: exactly("RUN"),
		Long: `Writes what the run is made of and sends nothing: understudy replay worker --run
RUN, started any number of times on any machine with the same file and flags,
does. Requests begin to leave when the first worker is there.`,
		RunE: func(c *cobra.Command, args []string) error {
			a.cfg.Replay.Run = args[0]
			return a.startRun(c.Context(), f)
		},
	}
	a.choiceFlags(c, &f)
	a.replayFlags(c, &f)
	return c
}

func (a *app) startRun(ctx context.Context, f replayFlags) error {
	window, err := a.newRun(ctx, f, "runs start")
	if err == nil {
		err = a.canBeShared()
	}
	if err != nil {
		return err
	}
	producer, err := a.replayProducer(ctx, stream.NewOutage(a.log))
	if err != nil {
		return err
	}
	defer producer.Close()
	run, err := a.begin(ctx, producer, &window)
	if err != nil {
		return err
	}
	if err := a.claim(ctx, producer); err != nil {
		return err
	}
	now := time.Now().UnixNano()
	run.Spec, run.State, run.Shared, run.Version = a.runSpec(window), understudyv1.Run_STATE_RUNNING, true, 1
	run.StartUnixNano, run.TimeUnixNano = now, now
	record, err := stream.RunRecord(a.names(), run)
	if err != nil {
		return err
	}
	if err := producer.ProduceSync(ctx, record); err != nil {
		return dependency(err)
	}
	fmt.Fprintf(a.out, "run %s is made of %s records; it begins with its first worker: understudy replay worker --run %s, with the same file and flags\n", run.GetName(), report.Count(recordsOf(run)), run.GetName())
	return nil
}

func recordsOf(run *understudyv1.Run) (n uint64) {
	for _, x := range run.GetExtents() {
		n += uint64(max(0, x.GetTo()-x.GetFrom()))
	}
	return n
}

// wishCommand says something to those who replay a run.
func (a *app) wishCommand(name, short string, wish understudyv1.RunControl_Wish) *cobra.Command {
	c := &cobra.Command{
		Use: name + " RUN", Short: short, Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			_, err := a.wish(c.Context(), args[0], wish)
			return err
		},
	}
	a.kafkaFlags(c)
	return c
}

// obeyed is how long it may take until a run does what is wished of it.
const obeyed = 15 * time.Second

// wish says it and waits until it is done. What is left of a run at which nobody
// works cannot do anything: isDead says so.
func (a *app) wish(ctx context.Context, name string, wish understudyv1.RunControl_Wish) (isDead bool, err error) {
	if err := a.need("kafka", "kafka.producer"); err != nil {
		return false, err
	}
	run, err := a.findRun(ctx, name)
	switch {
	case err != nil:
		return false, err
	case run.GetState().Ended():
		return false, usagef("run %s has ended: %s", name, understudyv1.Label(run.GetState()))
	case len(run.GetExtents()) == 0:
		return false, usagef("run %s follows what is recorded; end it where it runs, with Ctrl-C", name)
	}
	producer, err := a.newProducer(ctx, a.cfg.Kafka.Producer)
	if err != nil {
		return false, err
	}
	defer producer.Close()
	if err := stream.Wish(ctx, a.names(), producer, name, wish); err != nil {
		return false, dependency(err)
	}
	a.cfg.Replay.Run = name
	stop, err := a.joinBoard(ctx)
	if err != nil {
		return false, err
	}
	defer stop()
	want := map[understudyv1.RunControl_Wish]func(understudyv1.Run_State) bool{
		understudyv1.RunControl_WISH_PAUSE:  func(s understudyv1.Run_State) bool { return s == understudyv1.Run_STATE_PAUSED },
		understudyv1.RunControl_WISH_RESUME: func(s understudyv1.Run_State) bool { return s == understudyv1.Run_STATE_RUNNING },
		understudyv1.RunControl_WISH_STOP:   understudyv1.Run_State.Ended,
	}[wish]
	limit := time.NewTimer(obeyed)
	defer limit.Stop()
	for version := run.GetVersion(); ; {
		now, _, shares, changed := a.cfg.Replay.Board.Look()
		if now.GetVersion() > version && want(now.GetState()) {
			printRun(a.out, now)
			return false, nil
		}
		select {
		case <-changed:
			continue
		case <-ctx.Done():
			return false, ctx.Err()
		case <-limit.C:
		}
		if wish == understudyv1.RunControl_WISH_RESUME && !isAlive(now, shares) {
			return true, nil
		}
		return false, fmt.Errorf("run %s is %s: nobody has done it within %s; understudy runs show %s says who works at it, and what is wished holds for whoever comes", name, understudyv1.Label(now.GetState()), obeyed, name)
	}
}

// isAlive says whether somebody works at a run.
func isAlive(run *understudyv1.Run, shares []*understudyv1.RunShare) bool {
	return !run.GetShared() && stream.Silence(run, time.Now()) < obeyed || slices.ContainsFunc(shares, isWorking)
}

// isWorking says whether a worker writes its share, every 2 s.
func isWorking(s *understudyv1.RunShare) bool {
	return !s.GetEnded() && time.Since(time.Unix(0, s.GetTimeUnixNano())) < 10*time.Second
}

func (a *app) runsResumeCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use: "resume RUN", Short: "Let a run go on that is paused, or whose replay was killed", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		Long: `A run that is paused goes on where it is replayed. One at which nobody works any
more goes on here, as understudy replay worker --run RUN does: give the file and
the flags that it was made with. What is done is not sent again.`,
		RunE: func(c *cobra.Command, args []string) error {
			isDead, err := a.resume(c.Context(), args[0])
			if err != nil || !isDead {
				return err
			}
			calmCollector(1600, 1<<30)
			a.cfg.Replay.Run = args[0]
			return a.replayed(a.work(c.Context(), f))
		},
	}
	a.replayFlags(c, &f)
	a.latencyFlag(c, "")
	return c
}

// resume lets a run go on where it is replayed; isDead says that nobody does.
func (a *app) resume(ctx context.Context, name string) (isDead bool, err error) {
	if err := a.need("kafka"); err != nil {
		return false, err
	}
	run, err := a.findRun(ctx, name)
	if err != nil || run.GetState() == understudyv1.Run_STATE_RUNNING && stream.Silence(run, time.Now()) > obeyed {
		return err == nil, err
	}
	return a.wish(ctx, name, understudyv1.RunControl_WISH_RESUME)
}

func (a *app) runsShowCommand() *cobra.Command {
	format := "table"
	c := &cobra.Command{
		Use: "show RUN", Short: "Show how far a run is and who works at it", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return usagef("-o %q: want table or json", format)
			}
			return a.showRun(c.Context(), args[0], format)
		},
	}
	a.kafkaFlags(c)
	c.Flags().StringVarP(&format, "output", "o", format, "table or json")
	enumerate(c, "output", "table", "json")
	return c
}

// openRun finds a run and joins its board until stop is called.
func (a *app) openRun(ctx context.Context, name string) (run *understudyv1.Run, stop func(), err error) {
	if err := a.need("kafka"); err != nil {
		return nil, nil, err
	}
	if run, err = a.findRun(ctx, name); err != nil {
		return nil, nil, err
	}
	a.cfg.Replay.Run = name
	stop, err = a.joinBoard(ctx)
	return run, stop, err
}

func (a *app) showRun(ctx context.Context, name, format string) error {
	run, stop, err := a.openRun(ctx, name)
	if err != nil {
		return err
	}
	defer stop()
	_, _, shares, _ := a.cfg.Replay.Board.Look()
	slices.SortFunc(shares, func(x, y *understudyv1.RunShare) int { return cmp.Compare(x.GetWorker(), y.GetWorker()) })
	if format == "json" {
		return runJSON(a.out, run, shares)
	}
	printRun(a.out, run)
	if e := run.GetEpoch(); e != nil {
		fmt.Fprintf(a.out, "began %s with what was recorded at %s\n", clock(e.GetStartUnixNano()), clock(e.GetRecordedUnixNano()))
		for _, p := range e.GetPauses() {
			why, end := "paused", "now"
			if p.GetDead() {
				why = "nobody at work"
			}
			if p.GetToUnixNano() != 0 {
				end = clock(p.GetToUnixNano())
			}
			fmt.Fprintf(a.out, "  %s from %s to %s\n", why, clock(p.GetFromUnixNano()), end)
		}
	}
	if len(shares) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WORKER\tSTATE\tSENT\tPARTS")
	for _, s := range shares {
		state := "working"
		switch {
		case s.GetEnded():
			state = "left"
		case !isWorking(s):
			state = "silent since " + clock(s.GetTimeUnixNano())
		}
		parts := strings.Trim(fmt.Sprint(s.GetParts()), "[]")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", report.Clean(s.GetWorker()), state, report.Count(s.GetSent()), parts)
	}
	return w.Flush()
}

// runJSON writes a run and its workers as one JSON document, members as in the
// schema.
func runJSON(w io.Writer, run *understudyv1.Run, shares []*understudyv1.RunShare) error {
	options := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}
	text, err := options.Marshal(run)
	if err != nil {
		return err
	}
	workers := []string{}
	for _, s := range shares {
		one, err := options.Marshal(s)
		if err != nil {
			return err
		}
		workers = append(workers, string(one))
	}
	_, err = fmt.Fprintf(w, `{"run":%s,"workers":[%s]}`+"\n", text, strings.Join(workers, ","))
	return err
}

func (a *app) runsWatchCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "watch RUN", Short: "Show how far a run is until it ends", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		Long: `Rewrites one line on a terminal, and prints the books of the run when it has
ended. Exit code 1 if it failed or was stopped.`,
		RunE: func(c *cobra.Command, args []string) error { return a.watchRun(c.Context(), args[0]) },
	}
	a.kafkaFlags(c)
	return c
}

func (a *app) watchRun(ctx context.Context, name string) error {
	_, stop, err := a.openRun(ctx, name)
	if err != nil {
		return err
	}
	defer stop()
	board := a.cfg.Replay.Board
	stopLine := sync.OnceFunc(statusLine(a.errOut, func() string {
		run, _, shares, _ := board.Look()
		return watching(run, shares)
	}))
	defer stopLine()
	for {
		run, _, _, changed := board.Look()
		if run.GetState().Ended() {
			stopLine()
			printRun(a.out, run)
			if run.GetState() != understudyv1.Run_STATE_COMPLETED {
				return fmt.Errorf("run %s %s", name, understudyv1.Label(run.GetState()))
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// watching is the status line of a run that others replay.
func watching(run *understudyv1.Run, shares []*understudyv1.RunShare) string {
	n := 0
	for _, s := range shares {
		if isWorking(s) {
			n++
		}
	}
	at := headway{done: run.GetReplayed() + total(run.GetSkipped()), total: recordsOf(run), most: true, rate: run.GetAchievedRate()}
	workers := ""
	if run.GetShared() {
		workers = fmt.Sprintf("  workers %d", n)
	}
	return fmt.Sprintf("%s %s  %s  err %s  lag %s%s", run.GetName(), understudyv1.Label(run.GetState()), at, report.Percent(total(run.GetErrors()), run.GetReplayed()),
		time.Duration(run.GetLagP99Nano()).Round(10*time.Microsecond), workers)
}
