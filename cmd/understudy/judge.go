package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting/source"
	"understudy.dev/stream"
)

// judgeBatch and judgeBytes bound a batch of replays that are judged again; one
// of each processor and partition is in memory.
const (
	judgeBatch = 4000
	judgeBytes = 8 << 20
)

// judgingMemory is where the collector of a judging process works harder: what
// waits and is judged, within the bounds of the consumer, takes less.
const judgingMemory = 320 << 20

// clocks is how far the clocks of replayer and brokers may be apart.
const clocks = time.Hour

type judgeFlags struct {
	rules     string
	judgement string
	keep      bool
}

func (a *app) judgeCommand() *cobra.Command {
	var f judgeFlags
	c := &cobra.Command{
		Use: "judge RUN", Short: "Judge a run again under other rules, beside the old judgement", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		Long: `   Kafka: replays of the run ──► the rules of now ──► ClickHouse, a judgement
                                                       beside the old one

Judges the replays of a run once more from Kafka, without another replay, under
the rules of the configuration or of --rules: a file with what stands under
compare: there. What was judged before stays as it is. When all is judged, the
views and the report show the run under the new judgement, unless
--keep-current. It can be repeated at any time and changes nothing then.`,
		RunE: func(c *cobra.Command, args []string) error {
			calmCollector(100, judgingMemory)
			if c.Flags().Changed("rules") && f.rules == "" {
				return usagef("--rules is empty; want a file, or leave it out for the rules of the configuration")
			}
			if c.Flags().Changed("judgement") && f.judgement == "" {
				return usagef("--judgement is empty; want the beginning of one that understudy judge list %s shows, or leave it out", report.Shell(args[0]))
			}
			return a.judge(c.Context(), args[0], f)
		},
	}
	a.kafkaFlags(c)
	a.clickhouseFlags(c)
	c.Flags().StringVar(&f.rules, "rules", "", "YAML file with rules and whatever else stands under compare:; default the configuration")
	c.Flags().StringVar(&f.judgement, "judgement", "", "write this judgement of the run again, under its own rules; the beginning of its name in understudy judge list")
	c.MarkFlagsMutuallyExclusive("rules", "judgement")
	c.Flags().BoolVar(&f.keep, "keep-current", false, "leave the judgement that views and report show as it is")
	c.AddCommand(a.judgeListCommand(), a.judgeDiffCommand())
	return c
}

func (a *app) judge(ctx context.Context, name string, f judgeFlags) error {
	if f.rules != "" {
		if _, err := a.readRules(f.rules, time.Now()); err != nil {
			return err
		}
	}
	return a.withJudge(ctx, a.rulesAgain(name, f.judgement), func(j judging) error {
		run, err := a.endedRun(ctx, name)
		if err != nil {
			return err
		}
		// report begins with the replayer's word on the run, which compare may not have read into this database.
		if err := j.ingest.State(ctx, run); errors.Is(err, clickhouse.ErrOrigin) {
			return usage(err)
		} else if err != nil {
			return dependency(err)
		}
		n, err := a.judgeAgain(ctx, j, run)
		if err != nil {
			return err
		}
		if n < run.GetWritten() {
			return fmt.Errorf("run %s: Kafka holds %d of its %d replays any more, the others have expired; those are judged under %s, and what is shown of the run stays as it is",
				name, n, run.GetWritten(), j.judgement.ID)
		}
		if n == 0 {
			return fmt.Errorf("run %s: Kafka holds no replay of it (any more)", name)
		}
		current := "views and report show the run under it"
		if f.keep {
			current = "what is shown stays as it is"
		} else if err := clickhouse.Choose(ctx, j.conn, name, j.judgement, madeBy("")); err != nil {
			return dependency(err)
		}
		fmt.Fprintf(a.out, "run %s: %s replays judged under judgement %s; %s\n", name, report.Count(n), j.judgement.ID, current)
		return nil
	})
}

// readRules reads a file in place of the section compare of the configuration,
// and says where its values stand. A rule that has expired by now is a mistake.
func (a *app) readRules(path string, now time.Time) (source.Origins, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usage(err)
	}
	a.cfg.Compare = comparator.DefaultConfig()
	origins := source.Origins{}
	if err := source.Read(data, path, &a.cfg.Compare, origins); err != nil {
		mistakes := source.Of(err)
		for i, m := range mistakes {
			if m.Path == "compare" { // it is a whole configuration
				mistakes[i].Fault += "; the file of --rules holds what stands under compare: in a configuration"
			}
		}
		return nil, usagef("--rules: %w", err)
	}
	err = errors.Join(a.cfg.Compare.Validate(), a.cfg.Compare.Expired(now))
	return origins, usage(source.Mistakes{}.With(origins, err).Err())
}

// endedRun is the last word on a run that has ended or whose replay is dead.
func (a *app) endedRun(ctx context.Context, name string) (*understudyv1.Run, error) {
	run, err := stream.FindRun(ctx, a.cfg.Kafka.Config, a.names(), name)
	switch {
	case errors.Is(err, stream.ErrNoRun):
		return nil, usage(err)
	case err != nil:
		return nil, dependency(err)
	case !run.GetState().Ended() && stream.Silence(run, time.Now()) < stream.AbandonedAfter:
		return nil, usagef("run %s is still replayed; judge it when it has ended", name)
	}
	return run, nil
}

// judgeAgain writes the rows of a run under the judgement, and returns of how
// many replays.
func (a *app) judgeAgain(ctx context.Context, j judging, run *understudyv1.Run) (uint64, error) {
	name := run.GetName()
	past, err := stream.OpenSnapshot(ctx, a.cfg.Kafka.Config, a.names().Replays, time.Unix(0, run.GetStartUnixNano()).Add(-clocks))
	if err != nil {
		return 0, dependency(err)
	}
	defer past.Close()
	var read, judged atomic.Uint64
	stop := statusLine(a.errOut, func() string {
		return fmt.Sprintf("%s  read %s of %s records  judged %s", name, report.Count(read.Load()), report.Count(uint64(past.Size())), report.Count(judged.Load()))
	})
	defer stop()
	err = past.Each(ctx, judgeBatch, judgeBytes, runtime.GOMAXPROCS(0), func(ctx context.Context, b stream.Batch) error {
		read.Add(uint64(len(b.Records)))
		own := b
		own.Records = nil
		for _, r := range b.Records {
			if stream.ReplayRun(r) == name {
				own.Records = append(own.Records, r)
			}
		}
		if len(own.Records) == 0 {
			return nil
		}
		var away outage
		for {
			err := j.ingest.Handle(ctx, own)
			if !away.bear(err, time.Now()) {
				if err != nil {
					return err
				}
				break
			}
			a.log.Warn("a batch is not in ClickHouse; trying again", "error", err)
			if !pause(ctx, time.Second) {
				return ctx.Err()
			}
		}
		judged.Add(uint64(len(own.Records)))
		return nil
	})
	return judged.Load(), dependency(err)
}

// judging is what judges: with which rules, and where to.
type judging struct {
	conn      driver.Conn
	ingest    *clickhouse.Ingest
	judgement comparator.Judgement
}

// withJudge connects a judge that stands beside what the views show. Its rules
// are those of the configuration, unless rules takes others from the tables; of
// these, one that has expired since still holds for the replays of its time.
func (a *app) withJudge(ctx context.Context, rules func(context.Context, driver.Conn) error, f func(judging) error) error {
	sections := []string{"kafka", "kafka.producer", "clickhouse"}
	if rules == nil {
		sections = append(sections, "compare")
	}
	if err := a.need(sections...); err != nil {
		return err
	}
	if err := a.requireTopics(ctx); err != nil {
		return err
	}
	return a.withTables(ctx, func(conn driver.Conn) error {
		if rules != nil {
			if err := rules(ctx, conn); err != nil {
				return err
			}
		}
		producer, err := a.newProducer(ctx, a.cfg.Kafka.Producer)
		if err != nil {
			return err
		}
		defer producer.Close()
		ad := newAdmin(a.cfg.AdminAccess, a.logs)
		ingest, judgement, err := a.newIngest(ctx, conn, producer, "", true, ad)
		if err != nil {
			return err
		}
		return f(judging{conn, ingest, judgement})
	})
}

// newIngest makes what judges and writes, under the rules of the configuration.
func (a *app) newIngest(ctx context.Context, conn driver.Conn, producer *stream.Producer, instance string, aside bool, ad *admin) (*clickhouse.Ingest, comparator.Judgement, error) {
	judgement, err := a.cfg.Compare.Judgement()
	if err != nil {
		return nil, judgement, usagef("compare: %w", err)
	}
	judge, err := comparator.NewJudge(a.cfg.Compare)
	if err != nil {
		return nil, judgement, usagef("%w", err)
	}
	origin, err := stream.TopicID(ctx, producer.Client(), a.names().Runs)
	if err != nil {
		return nil, judgement, dependency(err)
	}
	ingest, err := clickhouse.NewIngest(conn, clickhouse.IngestConfig{
		Names: a.names(), Judgement: judgement, Origin: origin, MadeBy: madeBy(instance), Aside: aside,
	}, judge, safeDeadLetters(producer, "comparator"), ad.registry)
	return ingest, judgement, err
}

// madeBy names this process in the tables.
func madeBy(instance string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	if instance != "" {
		instance = ", instance " + instance
	}
	return fmt.Sprintf("%s, process %d%s", host, os.Getpid(), instance)
}

func (a *app) judgeListCommand() *cobra.Command {
	format := text.Table
	c := &cobra.Command{
		Use: "list RUN", Short: "List the judgements of a run", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format); err != nil {
				return usagef("%w", err)
			}
			return a.withTables(c.Context(), func(conn driver.Conn) error {
				js, err := judgements(c.Context(), conn, args[0])
				if err != nil {
					return err
				}
				return text.Judgements(a.out, args[0], js, format)
			})
		},
	}
	a.clickhouseFlags(c)
	formatFlag(c, &format)
	return c
}

func (a *app) judgeDiffCommand() *cobra.Command {
	format := text.Table
	c := &cobra.Command{
		Use: "diff RUN OLD NEW", Short: "Show what two judgements of a run differ in", Args: exactly("RUN", "OLD", "NEW"), ValidArgsFunction: a.completeRuns,
		Long: `Lists the replays that have another verdict, by route, and the places that
appeared, vanished or changed their class. OLD and NEW are judgements as
understudy judge list shows them, or as much of their beginning as tells them
apart.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format); err != nil {
				return usagef("%w", err)
			}
			return a.withTables(c.Context(), func(conn driver.Conn) error {
				all, err := judgements(c.Context(), conn, args[0])
				if err != nil {
					return err
				}
				before, errOld := report.FindJudgement(all, args[0], args[1])
				after, errNew := report.FindJudgement(all, args[0], args[2])
				if err := errors.Join(errOld, errNew); err != nil {
					return usagef("%w", err)
				}
				d, err := report.DiffJudgements(c.Context(), conn, args[0], before, after)
				if err != nil {
					return err
				}
				return text.JudgementDiff(a.out, d, format)
			})
		},
	}
	a.clickhouseFlags(c)
	formatFlag(c, &format)
	return c
}

// judgements of a run that the tables know.
func judgements(ctx context.Context, conn driver.Conn, run string) ([]report.Judgement, error) {
	js, err := report.Judgements(ctx, conn, run)
	if err != nil || len(js) > 0 {
		return js, err
	}
	_, err = report.FindRun(ctx, conn, run)
	return nil, unknownRun(err)
}

// toldRuns bounds how many runs are told of that are not judged as they should be.
const toldRuns = 3

// checkJudged says which ended runs are not, or not wholly, judged under the
// rules of now, since others were in force when a group read them, and which of
// those that were just judged are shown under others. If it is the run that was
// asked for, that is an error: its verdicts are not those of the rules given.
func (a *app) checkJudged(ctx context.Context, conn driver.Conn, run string, touched []string, judgement comparator.Judgement) error {
	runs, err := stream.Runs(ctx, a.cfg.Kafka.Config, a.names())
	if err != nil {
		return dependency(err)
	}
	told := 0
	for _, r := range runs {
		if run != "" && r.GetName() != run || !r.GetState().Ended() {
			continue
		}
		js, err := report.Judgements(ctx, conn, r.GetName())
		if err != nil {
			return dependency(err)
		}
		err = otherwiseJudged(r, js, judgement, a.where("judge"), slices.Contains(touched, r.GetName()))
		switch {
		case err != nil && run != "":
			return err
		case err != nil:
			if told++; told <= toldRuns {
				fmt.Fprintln(a.errOut, "understudy:", err)
			}
		}
	}
	if told > toldRuns {
		fmt.Fprintf(a.errOut, "understudy: so it is with %d more runs\n", told-toldRuns)
	}
	return nil
}

// otherwiseJudged says why the tables do not show a run as the judgement has it:
// it has judged only a part, or another is shown. That some of what it has judged
// is no longer in the tables is for the books to say.
func otherwiseJudged(r *understudyv1.Run, js []report.Judgement, judgement comparator.Judgement, flags string, touched bool) error {
	var own, other, current report.Judgement
	for _, j := range js {
		switch {
		case j.ID == judgement.ID:
			own = j
		case j.Replays > other.Replays:
			other = j
		}
		if j.Current {
			current = j
		}
	}
	name := report.Clean(r.GetName())
	switch {
	case own.Replays < r.GetWritten() && other.Replays > 0:
		err := fmt.Errorf("run %s has judgement %s under other rules, and %s of its %s replays are judged under those given now (%s); understudy judge%s %s judges all of it beside what is there, from Kafka",
			name, other.Name(), report.Count(own.Replays), report.Count(r.GetWritten()), judgement.ID, flags, name)
		if own.Current { // then its books do not balance, and report ends so too
			return threshold(err)
		}
		return err
	case own.Replays < r.GetWritten() && (own.Replays == 0 || !touched):
		return fmt.Errorf("run %s: the tables hold %s of its %s replays, though this group has read them; understudy judge%s %s judges all of it, from Kafka",
			name, report.Count(own.Replays), report.Count(r.GetWritten()), flags, name)
	case own.Replays > 0 && !own.Current && touched:
		return fmt.Errorf("run %s is judged under the rules given now (%s), but the tables show it under judgement %s of other rules; understudy judge%s %s has it shown under those given now",
			name, judgement.ID, current.Name(), flags, name)
	}
	return nil
}
